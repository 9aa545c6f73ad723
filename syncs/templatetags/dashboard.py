"""The overview's figures, for the template of the admin's first page."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from syncs.admin.dashboard import board
from tenants import access

register = template.Library()


@register.simple_tag(takes_context=True)
def overview(context: Context) -> dict[str, Any] | None:
    """What `syncs.admin.dashboard.board` says of the current tenant; None for somebody without one."""
    found = access.of(context["request"])
    return board(found.tenant, found) if found.tenant is not None else None

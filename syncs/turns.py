"""Deciding and settling of one tenant happen one after another: neither may miss what the other is just writing."""

from __future__ import annotations

from django.db import connection

from tenants.models import Tenant


def in_turn(tenant_id: int) -> None:
    """Call it first in the transaction. On SQLite every transaction that writes waits for the one before it anyway."""
    if connection.features.has_select_for_update:
        Tenant.objects.select_for_update(no_key=True).only("pk").get(pk=tenant_id)

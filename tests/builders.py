"""Builders of rows, each naming only what matters to the test that calls it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User

from tenants.models import Membership, Role, Tenant

_numbers = itertools.count(1)


def a_tenant(slug: str = "acme", *, mode: str = "test", **fields: Any) -> Tenant:
    """A saved tenant; its name is the slug with a capital letter unless told otherwise."""
    return Tenant.objects.create(slug=slug, mode=mode, **{"name": slug.title(), **fields})


def a_user(
    roles: dict[Tenant, str | Iterable[str]] | None = None, *, is_superuser: bool = False, name: str = ""
) -> User:
    """A saved user with the roles named for each tenant: `a_user({tenant: "accountant"})`."""
    username = name or f"user-{next(_numbers)}"
    user = User.objects.create(username=username, is_superuser=is_superuser, password="!")
    for tenant, named in (roles or {}).items():
        for role in [named] if isinstance(named, str) else named:
            Membership.objects.create(tenant=tenant, user=user, role=Role(role))
    return user

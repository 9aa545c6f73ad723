"""After a mapping is saved, by form or by spreadsheet: prepare what waited for it, say how much, and post it."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django_q.tasks import async_task

from connector.errors import ConnectorError
from mappings.mirror_admin import RefreshingAdmin
from mappings.saving import Saved
from mappings.screens import SavingScreen
from syncs import redating
from syncs.admin import replaying, words
from syncs.following import unsent
from syncs.permission import why_not_posting
from syncs.releasing import CURES, Released, follow, held_for
from tenants.admin.changes import actor_of
from tenants.models import Tenant

AT_ONCE = 1000  # documents that a page may wait for; more go to the task queue


def after_save(request: HttpRequest, tenant: Tenant, saved: Saved) -> None:
    """What the mapping screens call. The documents are prepared after the mapping is committed."""
    kinds = sorted({key[0] for key in saved.keys})
    transaction.on_commit(partial(_release, request, tenant, kinds))


def _release(request: HttpRequest, tenant: Tenant, kinds: Collection[str]) -> None:
    actor = actor_of(request)
    if _waiting(tenant, kinds) > AT_ONCE:
        async_task("syncs.admin.mapping_release.in_background", tenant.pk, list(kinds), actor)
        many = f"More than {AT_ONCE:,} documents may be touched; they are prepared in the background."
        messages.info(request, many)
        _warn_if_stopped(request, tenant)
        return
    try:
        released = follow(tenant, kinds, now=timezone.now(), actor=actor)
    except ObjectDoesNotExist:
        messages.info(request, f"{tenant} has no QAD connection yet, so no document was prepared.")
    except ConnectorError as error:
        messages.error(request, f"The mapping is saved, but documents could not be prepared: {error.message}")
    else:
        messages.info(request, sentence(released))
        if released.released or released.rerouted:
            replaying.go_on(tenant, ("post",))
            _warn_if_stopped(request, tenant)


def _warn_if_stopped(request: HttpRequest, tenant: Tenant) -> None:
    why = why_not_posting(tenant)
    if why:
        messages.warning(request, f"Nothing goes out to QAD now: {why}")


def _waiting(tenant: Tenant, kinds: Collection[str]) -> int:
    codes = {code for kind in kinds for code in CURES.get(kind, ())}
    held = held_for(tenant, codes)[: AT_ONCE + 1].count() if codes else 0
    return held + unsent(tenant)[: AT_ONCE + 1].count()


def in_background(tenant_id: int, kinds: list[str], actor: str) -> dict[str, int]:
    """The task for many documents."""
    tenant = Tenant.objects.get(pk=tenant_id)
    released = follow(tenant, kinds, now=timezone.now(), actor=actor)
    if released.released:
        replaying.go_on(tenant, ("post",))
    return {"waited": released.waited, "released": released.released}


def sentence(released: Released) -> str:
    """'47 documents waited for mappings of this kind; 45 are released: 1,200.00 EUR, 340.00 USD. 2 still wait.'"""
    moved = f" {words.counted(released.rerouted, 'prepared document')} coded anew." if released.rerouted else ""
    if not released.waited:
        return f"No document waited for it.{moved}"
    waited = words.counted(released.waited, "document")
    money = ", ".join(words.money(minor, currency) for currency, minor in sorted(released.money.items()) if currency)
    still = released.waited - released.released
    freed = f"{released.released:,} released: {money}." if released.released else "none could be released."
    return f"{waited} waited for mappings of this kind; {freed}" + (f" {still:,} still wait." if still else "") + moved


def after_refresh(request: HttpRequest, tenant: Tenant) -> None:
    """What the screens of QAD's lists call: a period may have opened, a code may be there by now."""
    redating.redate(tenant, timezone.now(), actor=actor_of(request))
    _release(request, tenant, list(CURES))


RefreshingAdmin.after_refresh = after_refresh
SavingScreen.after_save = after_save

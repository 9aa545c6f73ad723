"""The pairs to keep the same: every direct customer mapping has one, and keeps it when the mapping comes and goes."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from mappings.models import CustomerKind, CustomerMapping
from syncs.models import AlignedCustomer, LinkState, MatchReview, ReviewState
from tenants import audit
from tenants.models import Tenant

BATCH = 500


def tie(tenant: Tenant, *, now: dt.datetime) -> int:
    """Give each direct mapping its pair; returns how many are new or other than they were.

    An alias or a collective customer is left alone, and so is the pair of a mapping that was taken away.
    """
    _close_answered(tenant, now)
    return _untie(tenant, now) + _tie(tenant, now)


def _close_answered(tenant: Tenant, now: dt.datetime) -> None:
    """Questions that a mapping has answered meanwhile, by hand or by a spreadsheet: the customer who was asked about is
    linked. That a candidate is taken answers nothing."""
    mapped = CustomerMapping.objects.filter(tenant=tenant)
    same = mapped.filter(chargebee_id=OuterRef("chargebee_id"), qad_code=OuterRef("qad_code"))
    here = mapped.filter(chargebee_id=OuterRef("chargebee_id"))
    there = mapped.filter(qad_code=OuterRef("qad_code"), kind=CustomerKind.DIRECT)
    open_ = MatchReview.objects.filter(tenant=tenant, state=ReviewState.OPEN)
    open_.filter(Exists(same)).update(state=ReviewState.LINKED, decided_at=now, decided_by="mapping")
    over = open_.filter(Q(Exists(here), found_from="chargebee") | Q(Exists(there), found_from="qad"))
    over.update(state=ReviewState.OVER, decided_at=now, decided_by="mapping")


def _untie(tenant: Tenant, now: dt.datetime) -> int:
    same = CustomerMapping.objects.filter(
        tenant=tenant,
        chargebee_id=OuterRef("chargebee_id"),
        qad_code=OuterRef("qad_code"),
        kind=CustomerKind.DIRECT,
    )
    rows = AlignedCustomer.objects.filter(tenant=tenant, state__in=(LinkState.ALIGNED, LinkState.BLOCKED))
    rows = rows.filter(~Exists(same))
    return _move(tenant, list(rows[:BATCH]), LinkState.APART, "Its mapping is not direct any more.", now)


def _move(tenant: Tenant, rows: list[AlignedCustomer], state: LinkState, reason: str, now: dt.datetime) -> int:
    with transaction.atomic():
        for row in rows:
            AlignedCustomer.objects.filter(pk=row.pk).update(state=state, reason=reason, changed_at=now)
        lines = [
            audit.Line(
                "customer-link",
                f"customer:{row.chargebee_id}",
                before={"state": row.state},
                after={"state": state.value, "qad": row.qad_code},
                reason=reason,
            )
            for row in rows
        ]
        audit.record(tenant.pk, lines, actor="sync", now=now)
    return len(rows)


def _tie(tenant: Tenant, now: dt.datetime) -> int:
    done = 0
    known = AlignedCustomer.objects.filter(
        tenant=tenant, chargebee_id=OuterRef("chargebee_id"), qad_code=OuterRef("qad_code")
    ).exclude(state=LinkState.APART)
    mappings = CustomerMapping.objects.filter(~Exists(known), tenant=tenant, kind=CustomerKind.DIRECT)
    pairs = list(mappings.values_list("chargebee_id", "qad_code"))
    for start in range(0, len(pairs), BATCH):
        done += _tie_some(tenant, pairs[start : start + BATCH], now)
    return done


def _tie_some(tenant: Tenant, pairs: list[tuple[str, str]], now: dt.datetime) -> int:
    """New pairs, and known Chargebee customers whose mapping is back or names another QAD customer now."""
    keys = [key for key, _ in pairs]
    known = {row.chargebee_id: row for row in AlignedCustomer.objects.filter(tenant=tenant, chargebee_id__in=keys)}
    taken = set(
        AlignedCustomer.objects.filter(tenant=tenant, qad_code__in=[code for _, code in pairs])
        .exclude(state__in=(LinkState.DELETED, LinkState.GONE, LinkState.MERGED))
        .values_list("chargebee_id", "qad_code")
    )
    holders = {code: key for key, code in taken}
    fresh, done = [], 0
    with transaction.atomic():
        for key, code in pairs:
            if holders.get(code, key) != key:
                continue  # its former pair gives it free in the next pass
            row = known.get(key)
            if row is None:
                fresh.append(
                    AlignedCustomer(tenant=tenant, chargebee_id=key, qad_code=code, created_at=now, changed_at=now)
                )
            elif row.state not in (LinkState.DELETED, LinkState.MERGED):
                done += _again(row, code, now)
        AlignedCustomer.objects.bulk_create(fresh)
    return done + len(fresh)


def _again(row: AlignedCustomer, code: str, now: dt.datetime) -> int:
    """The same two again: where they stood. Another QAD customer: as if they met for the first time."""
    values: dict[str, object] = {"state": LinkState.ALIGNED, "reason": "", "changed_at": now}
    if row.qad_code != code:
        values |= {"qad_code": code, "base": {}, "pending": None, "written": [], "wanted": {}}
        values |= {"chargebee_version": "", "qad_version": ""}
    AlignedCustomer.objects.filter(pk=row.pk).update(**values)
    line = audit.Line(
        "customer-link", f"customer:{row.chargebee_id}", before={"qad": row.qad_code}, after={"qad": code}
    )
    audit.record(row.tenant_id, [line], actor="sync", now=now)
    return 1

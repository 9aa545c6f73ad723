"""Documents that waited for a mapping are prepared again as soon as it is saved."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import Q, QuerySet

from syncs.desk import Desk, open_desk, up_to_date
from syncs.following import catch_up
from syncs.models import Kind, SourceDocument
from syncs.preparing import BATCH, POSTED_KINDS, decide
from syncs.states import SourceState
from syncs.turns import in_turn
from tenants import audit
from tenants.models import Tenant

# What each kind of mapping, or a refreshed mirror, may cure.
CODING = (
    *("account-unknown", "account-inactive", "account-currency", "dimension-missing", "dimension-not-allowed"),
    *("code-unknown", "code-inactive"),
)
CURES: dict[str, tuple[str, ...]] = {
    "items": ("item-not-mapped", *CODING),
    "taxes": ("tax-not-mapped", *CODING),
    "account_roles": ("role-not-mapped", *CODING),
    "banks": ("bank-not-mapped", *CODING),
    "periods": ("period-closed", "date-needs-approval", "no-open-period"),
    "rates": ("no-exchange-rate", "currency-unknown", "base-currency-differs", "base-currency-wrong"),
    "customers": ("customer-not-linked", "customer-unknown", "customer-inactive", "customer-incomplete"),
}
CUSTOMER_CURES = ("customer-has-candidates", "customer-not-in-qad", "customer-code-taken", "customer-linked-already")


@dataclass(slots=True)
class Released:
    """How many documents waited, how many no longer do, and the money of those in minor units by currency.

    `rerouted` counts documents that were prepared and not sent yet, and land elsewhere now.
    """

    waited: int = 0
    released: int = 0
    money: Counter[str] = field(default_factory=Counter)
    rerouted: int = 0


def held_for(tenant: Tenant, codes: Iterable[str], kinds: Collection[str] = POSTED_KINDS) -> QuerySet[SourceDocument]:
    """Held documents of a tenant with any of these problems."""
    wanted = reduce(or_, (Q(codes__contains=f"|{code}|") for code in codes))
    return SourceDocument.objects.filter(wanted, tenant=tenant, kind__in=kinds, state=SourceState.HELD)


def release(tenant: Tenant, kinds: Iterable[str], *, now: dt.datetime, actor: str) -> Released:
    """Prepare again what waited for these kinds of mapping; what has other problems stays held with those."""
    kinds = set(kinds)
    if "customers" in kinds:
        _relink(tenant, now, actor)
    codes = {code for kind in kinds for code in CURES.get(kind, ())}
    released = Released()
    if not codes:
        return released
    desk = open_desk(tenant.pk)
    for kind in POSTED_KINDS:
        _release_kind(desk, held_for(tenant, codes, (kind,)), released, now, actor)
    return released


def follow(tenant: Tenant, kinds: Iterable[str], *, now: dt.datetime, actor: str) -> Released:
    """After mappings were saved: what waited is released, and what is prepared and not sent yet is coded anew."""
    released = release(tenant, kinds, now=now, actor=actor)
    released.rerouted = catch_up(tenant, now=now, actor=actor)
    return released


def _release_kind(desk: Desk, held: QuerySet[SourceDocument], released: Released, now: dt.datetime, actor: str) -> None:
    after = 0
    while True:
        with transaction.atomic():
            in_turn(desk.tenant.pk)
            desk = up_to_date(desk)
            rows = list(held.filter(pk__gt=after).select_for_update(skip_locked=True).order_by("pk")[:BATCH])
            if not rows:
                return
            decide(desk, rows, now=now, actor=actor)
            _count(released, rows)
        after = rows[-1].pk


def _count(released: Released, rows: Sequence[SourceDocument]) -> None:
    free = SourceDocument.objects.filter(pk__in=[row.pk for row in rows]).exclude(state=SourceState.HELD)
    released.waited += len(rows)
    for currency, total in free.values_list("currency", "total_minor"):
        released.released += 1
        released.money[currency] += total or 0


def _relink(tenant: Tenant, now: dt.datetime, actor: str) -> None:
    """Held customers that have a link now are linked."""
    held = held_for(tenant, CUSTOMER_CURES, (Kind.CUSTOMER,))
    linked = held.filter(source_id__in=tenant.customer_mappings.values("chargebee_id"))
    with transaction.atomic():
        rows = list(linked.select_for_update().values_list("pk", "source_id"))
        SourceDocument.objects.filter(pk__in=[pk for pk, _ in rows]).update(
            state=SourceState.LINKED, codes="", problems=[], changed_at=now
        )
        lines = [
            audit.Line("linked", f"customer:{source_id}", before={"state": "held"}, after={"state": "linked"})
            for _, source_id in rows
        ]
        audit.record(tenant.pk, lines, actor=actor, now=now)

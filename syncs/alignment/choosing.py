"""What people decide about customers: which value both shall have, what was merged, and that a pair goes on."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from connector.errors import Problem
from connector.ledger.party_fields import FIELDS
from mappings.saving import Change, save_rows
from syncs.alignment.lifecycle import survivor_of
from syncs.models import AlignedCustomer, ConflictKind, ConflictState, CustomerConflict, LinkState
from tenants import audit

# Lines whose values a person may still choose between, and those that are only to be noted.
WITH_VALUES = (
    *(ConflictKind.PARKED, ConflictKind.REJECTED_EDIT, ConflictKind.BOTH_CHANGED, ConflictKind.FIRST_LINK),
    *(ConflictKind.NEW_OWNER,),
)
_ERASED = ("The values of this line were erased on request.", "Change the value in the system that owns it.")
OPEN = (ConflictState.WAITING, ConflictState.APPLIED)


def take(conflict: CustomerConflict, side: str, *, actor: str, now: dt.datetime) -> list[Problem]:
    """Both systems get the value that `side` had; the next pass writes it. [] or why that cannot be."""
    label = FIELDS[conflict.field].label if conflict.field in FIELDS else conflict.field
    if conflict.kind not in WITH_VALUES or conflict.state not in OPEN or side not in ("chargebee", "qad"):
        return [_problem(conflict, "There is nothing left to choose here.", "Reload the page.")]
    if conflict.erased_at:
        return [_problem(conflict, *_ERASED)]
    value = conflict.chargebee_value if side == "chargebee" else conflict.qad_value
    if side == "chargebee" and "chargebee" not in FIELDS[conflict.field].may_own:
        fix = "Change the value in QAD; it is taken over from there."
        return [_problem(conflict, f"{label} can be changed in QAD only.", fix)]
    is_override = bool(conflict.winner) and conflict.winner != side
    state = ConflictState.OVERRIDDEN if is_override and conflict.winner else ConflictState.ACCEPTED
    with transaction.atomic():
        link = AlignedCustomer.objects.select_for_update().get(pk=conflict.customer_id)
        now_there = CustomerConflict.objects.get(pk=conflict.pk)
        if now_there.erased_at:
            return [_problem(conflict, *_ERASED)]
        if now_there.state not in OPEN:
            return [_problem(conflict, "Somebody else has decided it a moment ago.", "Reload the page.")]
        if conflict.winner != side or conflict.kind == ConflictKind.PARKED:
            link.wanted = {**link.wanted, conflict.field: [side, value]}
            AlignedCustomer.objects.filter(pk=link.pk).update(wanted=link.wanted, is_asked=True, not_before=None)
        _decide(conflict, state, f"{label}: the value of {'Chargebee' if side == 'chargebee' else 'QAD'}", actor, now)
    return []


def note(conflict: CustomerConflict, *, actor: str, now: dt.datetime) -> list[Problem]:
    """It is as it shall be."""
    with transaction.atomic():
        _decide(conflict, ConflictState.ACCEPTED, "noted", actor, now)
    return []


def let_go_on(conflict: CustomerConflict, *, actor: str, now: dt.datetime) -> list[Problem]:
    """The reason of a freeze is found: the pair is kept the same again, with a fresh count of writes."""
    with transaction.atomic():
        rows = AlignedCustomer.objects.filter(pk=conflict.customer_id, state=LinkState.FROZEN)
        rows.update(state=LinkState.ALIGNED, reason="", written=[], is_asked=True, not_before=None, changed_at=now)
        for one in CustomerConflict.objects.filter(
            customer=conflict.customer_id, kind=ConflictKind.FROZEN, state=ConflictState.WAITING
        ):
            _decide(one, ConflictState.ACCEPTED, "goes on", actor, now)
    return []


def take_up_again(conflict: CustomerConflict, *, actor: str, now: dt.datetime) -> list[Problem]:
    """A customer that came back is the same one: linked as if the two met for the first time."""
    with transaction.atomic():
        rows = AlignedCustomer.objects.filter(pk=conflict.customer_id, state__in=(LinkState.DELETED, LinkState.MERGED))
        rows.update(
            state=LinkState.ALIGNED, reason="", base={}, written=[], is_asked=True, not_before=None, changed_at=now
        )
        _decide(conflict, ConflictState.ACCEPTED, "taken up again", actor, now)
    return []


def merge(conflict: CustomerConflict, into: str = "", *, actor: str, now: dt.datetime) -> list[Problem]:
    """The deleted customer was merged: what still comes under his id goes to the survivor's QAD customer.

    What is posted stays where it is. `into` is the survivor, '' for the one that has his documents now.
    """
    link = conflict.customer
    survivor = into or survivor_of(link)
    kept = AlignedCustomer.objects.filter(tenant=link.tenant_id, chargebee_id=survivor).first() if survivor else None
    if kept is None or kept.pk == link.pk:
        fix = "Name a Chargebee customer that is linked to a QAD customer."
        return [_problem(conflict, f"'{survivor or '?'}' is not a customer that is linked.", fix)]
    values = {
        "chargebee_id": link.chargebee_id,
        "qad_code": kept.qad_code,
        "kind": "alias",
        "note": f"Merged into {survivor}"[:200],
    }
    with transaction.atomic():
        saved = save_rows(link.tenant_id, [Change("customers", values)], actor=actor, now=now)
        if saved.refusals:
            return [refusal.problem for refusal in saved.refusals]
        reason = f"Merged into '{survivor}'."
        AlignedCustomer.objects.filter(pk=link.pk).update(state=LinkState.MERGED, reason=reason, changed_at=now)
        _decide(conflict, ConflictState.ACCEPTED, reason, actor, now)
    return []


def replay(link: AlignedCustomer, *, actor: str, now: dt.datetime) -> None:
    """Read both sides anew and bring them together in the next pass, whatever was settled."""
    with transaction.atomic():
        AlignedCustomer.objects.filter(pk=link.pk).update(is_asked=True, not_before=None, changed_at=now)
        line = audit.Line("customer-replayed", f"customer:{link.chargebee_id}", after={"qad": link.qad_code})
        audit.record(link.tenant_id, [line], actor=actor, now=now)


def _decide(conflict: CustomerConflict, state: ConflictState, what: str, actor: str, now: dt.datetime) -> None:
    mine = CustomerConflict.objects.filter(pk=conflict.pk, state__in=OPEN)
    if not mine.update(state=state, decided_at=now, decided_by=actor):
        return
    line = audit.Line(
        "customer-decided",
        f"customer:{conflict.customer.chargebee_id}",
        before={"conflict": conflict.kind, "field": conflict.field},
        after={"state": state.value},
        reason=what,
    )
    audit.record(conflict.tenant_id, [line], actor=actor, now=now)


def _problem(conflict: CustomerConflict, message: str, fix: str) -> Problem:
    return Problem("conflict-not-decided", str(conflict), message, fix)

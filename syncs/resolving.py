"""Ways out where the machine stops: entered in QAD by hand, something else under our reference, or the same twice.

Each asks QAD first, outside any transaction, and then writes its decision only if the posting still stands where it was
read. What a person accepts in place of ours is stored with the posting, so that reading back compares with that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from connector.ledger.compare import Copy, Sent, amount_text, differences, shift
from connector.qad.client import Found, QadClient
from syncs.consequences import follow
from syncs.entities import entity_of
from syncs.following import recode_returned
from syncs.models import Posting, SourceDocument, Surplus
from syncs.reading_back import Shown, of_found
from syncs.renewing import renew
from syncs.sending import assert_no_transaction
from syncs.settling import posted_values
from syncs.states import PostingState
from syncs.sweeping import problem_of
from syncs.turns import in_turn
from tenants import audit
from tenants.models import Tenant

BY_HAND = (
    *(PostingState.REJECTED, PostingState.PARKED, PostingState.HELD, PostingState.UNCERTAIN),
    *(PostingState.CONFLICT, PostingState.READY),
)
TO_DECIDE = (PostingState.CONFLICT, PostingState.DUPLICATE)
NO_NUMBER = "Give the number that the document has in QAD."
SHORT = "Say in a few words why; the auditor will ask."


@dataclass(frozen=True, slots=True)
class Side:
    """One document in QAD beside ours: name, ours, theirs, whether they differ."""

    found: Found
    rows: list[tuple[str, str, str, bool]]

    @property
    def is_same(self) -> bool:
        return not any(differs for *_, differs in self.rows)


def look(client: QadClient, posting: Posting) -> list[Side]:
    """Everything that QAD has under our reference, each beside ours. Raises ConnectorError."""
    assert_no_transaction()
    sent = Shown(client.profile).sent(posting)
    found = client.look_up(entity_of(posting), posting.reference)
    return [beside(sent, one) for one in sorted(found, key=lambda one: one.number)]


def beside(sent: Sent, found: Found) -> Side:
    copy = of_found(found)
    wrong = {one.name for one in differences(sent, copy)}
    ours = amount_text(sent.total, sent.currency) if sent.total is not None else ""
    theirs = amount_text(copy.total, copy.currency or sent.currency) if copy.total is not None else ""
    day = copy.posting_date.isoformat() if copy.posting_date else ""
    return Side(
        found,
        [
            ("reference", sent.reference, copy.reference, "reference" in wrong),
            ("customer", sent.customer, copy.customer, "customer" in wrong),
            ("currency", sent.currency, copy.currency, "currency" in wrong),
            ("total", ours, theirs, "total" in wrong),
            ("posting date", sent.posting_date.isoformat(), day, shift(sent, copy) is not None),
        ],
    )


# Entered in QAD by hand


def mark_posted(
    tenant: Tenant, client: QadClient, posting: Posting, number: str, *, now: dt.datetime, actor: str
) -> str:
    """Adopt a document that a person entered in QAD, after a comparison; returns '' or why not, with both values."""
    assert_no_transaction()
    number = number.strip()
    if posting.state not in BY_HAND:
        return f"{posting.reference} is '{posting.get_state_display().lower()}'; it cannot be marked as posted."
    if not number:
        return NO_NUMBER
    found = by_number(tenant, client, entity_of(posting), number)
    if isinstance(found, str):
        return found
    own = own_arrived(client, posting, number, now)
    return own or take_by_hand(tenant, client, posting, found, now=now, actor=actor)


def by_number(tenant: Tenant, client: QadClient, entity: str, number: str) -> Found | str:
    """The one document that QAD has under its own number, or why there is not one."""
    found = client.look_up_number(entity, number)
    if len(found) == 1:
        return found[0]
    have = f"has {number} {len(found)} times" if found else f"has no {entity.replace('_', ' ')} {number}"
    return f"QAD {have}. Check the number, and that it was entered in {tenant.qad.domain} > {tenant.qad.entity}."


def take_by_hand(
    tenant: Tenant,
    client: QadClient,
    posting: Posting,
    found: Found,
    *,
    now: dt.datetime,
    actor: str,
    accepting: dict[str, Any] | None = None,
) -> str:
    """The posting is what somebody entered in QAD, if it is the same; returns '' or why not."""
    wrong = _why_not_ours(tenant, Shown(client.profile).sent(posting), of_found(found), posting)
    if wrong:
        return f"QAD's {found.number} is not this document: {wrong}. Correct it in QAD, or check the number."
    accepted = dict(accepting or {})
    accepted |= {"reference": found.reference} if found.reference != posting.reference else {}
    reason = f"Marked as posted by hand: QAD's {found.number} has the same total, currency, customer and date."
    return arrive(tenant, posting, found, "marked-as-posted", reason, accepted=accepted or None, now=now, actor=actor)


def own_arrived(client: QadClient, posting: Posting, number: str, now: dt.datetime) -> str:
    """Whether what we sent is in QAD or may still arrive there: then there are two, and nobody may call it one."""
    if not posting.attempts:
        return ""
    others = [one.number for one in client.look_up(entity_of(posting), posting.reference) if one.number != number]
    if others:
        return f"QAD also has our own, {posting.reference}, as {', '.join(others)}. Reverse one of the two there first."
    if posting.state == PostingState.UNCERTAIN and posting.settle_at is not None and now < posting.settle_at:
        return f"What was sent may still arrive in QAD until {posting.settle_at:%Y-%m-%d %H:%M} UTC. Wait until then."
    return ""


def _why_not_ours(tenant: Tenant, sent: Sent, copy: Copy, posting: Posting) -> str:
    """What differs or cannot be compared, with both values; '' if it is the same document by all but its reference."""
    clauses = [str(one) for one in differences(sent, copy) if one.name != "reference"]
    moved = shift(sent, copy)
    clauses += [str(moved)] if moved else []
    missing = [name for name in ("customer", "currency") if not getattr(copy, name)]
    missing += ["total"] if copy.total is None and sent.total is not None else []
    clauses += [f"QAD does not show its {name}, so it cannot be compared" for name in missing]
    other = Posting.objects.filter(tenant=tenant, reference=copy.reference).exclude(pk=posting.pk).first()
    clauses += [f"its reference {copy.reference} belongs to another document here"] if other else []
    return "; ".join(clauses)


# Something else under our reference, or the same twice


def adopt(
    tenant: Tenant,
    client: QadClient,
    posting: Posting,
    number: str,
    *,
    reason: str,
    now: dt.datetime,
    actor: str,
) -> str:
    """Take what QAD has under our reference as this document, as it stands there; the rest is surplus."""
    if posting.state not in TO_DECIDE:
        return f"{posting.reference} is '{posting.get_state_display().lower()}'; there is nothing to choose."
    sides = look(client, posting)
    chosen = next((one for one in sides if one.found.number == number), None)
    if chosen is None:
        known = ", ".join(one.found.number for one in sides) or "nothing"
        return f"QAD does not have {posting.reference} as '{number}'. It has {known}."
    if not chosen.is_same and len(reason.strip()) < 5:
        return SHORT
    others = [one.found for one in sides if one.found.number != number]
    accepted: dict[str, Any] = {} if chosen.is_same else _as_accepted(chosen.found)
    accepted |= {"surplus": [one.number for one in others]} if others else {}
    said = reason.strip() or f"QAD's {number} is the document that was sent."
    return arrive(
        tenant,
        posting,
        chosen.found,
        "adopted",
        said,
        accepted=accepted or None,
        surplus=others,
        now=now,
        actor=actor,
    )


def _as_accepted(found: Found) -> dict[str, Any]:
    return {
        "reference": found.reference,
        "customer": found.customer,
        "currency": found.currency,
        "total": None if found.total is None else str(found.total),
        "posting_date": found.posting_date.isoformat() if found.posting_date else None,
    }


def mark_wrong(tenant: Tenant, posting: Posting, *, reason: str, now: dt.datetime, actor: str) -> str:
    """QAD's document is the wrong one: the alarm stays until it has been corrected there and looked up again."""
    if posting.state not in TO_DECIDE:
        return f"{posting.reference} is '{posting.get_state_display().lower()}'; there is nothing to decide."
    if len(reason.strip()) < 5:
        return SHORT
    message = f"{actor} says that QAD has it wrong: {reason.strip()}"
    fix = "Correct or reverse it in QAD, then press 'Look in QAD again'."
    kept = [one for one in posting.problems if one["code"] != "wrong-in-qad"]
    with transaction.atomic():
        mine = Posting.objects.filter(pk=posting.pk, state=posting.state)
        if not mine.update(problems=[*kept, problem_of("wrong-in-qad", posting, message, fix)], changed_at=now):
            return MOVED
        line = audit.Line("marked-wrong-in-qad", f"posting:{posting.reference}", reason=reason.strip())
        audit.record(tenant.pk, [line], actor=actor, now=now)
    return ""


def look_again(tenant: Tenant, client: QadClient, posting: Posting, *, now: dt.datetime, actor: str) -> str:
    """After something was done in QAD: settle it if what it has is ours by now; returns the sentence of what it has."""
    if posting.state not in TO_DECIDE:
        return f"{posting.reference} is '{posting.get_state_display().lower()}'; nothing is open."
    sides = look(client, posting)
    if len(sides) == 1 and sides[0].is_same:
        found = sides[0].found
        said = f"QAD has it as {found.number} now, with the same total, currency, customer and date."
        return arrive(tenant, posting, found, "adopted", said, accepted=None, now=now, actor=actor) or said
    if sides:
        return _still(posting, sides)
    if posting.qad_number:
        return f"QAD no longer has {posting.reference}. Ask for it to be sent again; a second person must approve that."
    return _doubt(tenant, posting, now, actor)


def _still(posting: Posting, sides: Sequence[Side]) -> str:
    numbers = ", ".join(one.found.number for one in sides)
    if len(sides) > 1:
        return f"QAD still has {posting.reference} more than once: {numbers}."
    wrong = [f"{name} {theirs or 'none'} instead of {ours}" for name, ours, theirs, differs in sides[0].rows if differs]
    return f"QAD still has {posting.reference} as {numbers} with {', '.join(wrong)}."


def _doubt(tenant: Tenant, posting: Posting, now: dt.datetime, actor: str) -> str:
    """Nothing there any more: the sweep proves that before anything is sent."""
    said = f"QAD shows nothing under {posting.reference} any more. It is looked up twice before it is sent again."
    values = {"state": PostingState.UNCERTAIN, "settle_at": now, "absences": 0, "changed_at": now}
    try:
        with transaction.atomic():
            mine = Posting.objects.filter(pk=posting.pk, state=posting.state, attempt_key=posting.attempt_key)
            if not mine.update(**values):
                return MOVED
            before, after = {"state": posting.state}, {"state": "uncertain"}
            line = audit.Line("uncertain", f"posting:{posting.reference}", before, after, reason=said)
            audit.record(tenant.pk, [line], actor=actor, now=now)
    except IntegrityError:
        return "Another document of this customer is on its way to QAD. Look again in a minute."
    return said


def surplus_reversed(tenant: Tenant, surplus: Surplus, *, now: dt.datetime, actor: str) -> str:
    """Somebody says that a surplus document has been reversed in QAD."""
    with transaction.atomic():
        mine = Surplus.objects.filter(tenant=tenant, pk=surplus.pk, reversed_at=None)
        if not mine.update(reversed_at=now, reversed_by=actor):
            return "That has been noted already."
        line = audit.Line(
            "surplus-reversed", f"posting:{surplus.posting.reference}", after={"surplus": surplus.qad_number}
        )
        audit.record(tenant.pk, [line], actor=actor, now=now)
    return ""


MOVED = "It has moved on since the page was shown. Look at it again."


def arrive(
    tenant: Tenant,
    posting: Posting,
    found: Found,
    action: str,
    reason: str,
    *,
    accepted: dict[str, Any] | None,
    now: dt.datetime,
    actor: str,
    surplus: Sequence[Found] = (),
) -> str:
    """The posting is posted as `found`, with everything that follows, unless it has moved on or that one is taken."""
    had_arrived = bool(posting.qad_number)  # what follows a posting follows once
    values = {**posted_values(found), "accepted": accepted, "state": PostingState.POSTED, "changed_at": now}
    try:
        with transaction.atomic():
            in_turn(tenant.pk)
            mine = Posting.objects.filter(pk=posting.pk, state=posting.state, attempt_key=posting.attempt_key)
            if not mine.update(**values):
                return MOVED
            after: dict[str, Any] = {"state": "posted", "qad": found.number}
            after |= {"accepted": accepted} if accepted else {}
            before = {"state": posting.state}
            line = audit.Line(action, f"posting:{posting.reference}", before, after, reason=reason)
            audit.record(tenant.pk, [line], actor=actor, now=now)
            posting.refresh_from_db()
            if not had_arrived:
                follow(tenant.pk, [posting], now)
            _note_surplus(tenant, posting, surplus, now, actor)
            source = SourceDocument.objects.filter(pk=posting.source_id)
            renew(tenant.pk, source, "A person settled its posting.", now=now, actor=actor)
            recode_returned(tenant, posting.tries.filter(number=posting.attempts), now=now, actor=actor)
    except IntegrityError:
        return f"QAD's {found.number} stands for another document here already. Check the number."
    return ""


def _note_surplus(tenant: Tenant, posting: Posting, surplus: Sequence[Found], now: dt.datetime, actor: str) -> None:
    """What must be reversed in QAD, as an instruction that stays open until somebody says that it is done."""
    for one in surplus:
        Surplus.objects.update_or_create(
            posting=posting,
            qad_number=one.number,
            defaults={
                "tenant": tenant,
                "instruction": instruction(posting, one),
                "named_by": actor,
                "named_at": now,
                "reversed_at": None,
                "reversed_by": "",
            },
        )
    lines = [
        audit.Line("surplus-named", f"posting:{posting.reference}", after={"surplus": one.number}) for one in surplus
    ]
    audit.record(tenant.pk, lines, actor=actor, now=now)


def instruction(posting: Posting, one: Found) -> str:
    """What a person does in QAD about a document that is one too many."""
    kind = entity_of(posting).replace("_", " ")
    amount = f" of {amount_text(one.total, one.currency or posting.currency)} {one.currency}" if one.total else ""
    where = ", ".join(f"{name} {value}" for name, value in (("year", one.year), ("daybook", one.daybook)) if value)
    day = f", posted on {one.posting_date}" if one.posting_date else ""
    return (
        f"Reverse {kind} {one.number}{f' ({where})' if where else ''}{amount}{day} of customer {one.customer} in QAD, "
        f"in an open period, and take off what is applied to it. {posting.qad_number} stays."
    )

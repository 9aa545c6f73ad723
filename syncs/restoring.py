"""Restore mode: this database may be a copy or an old backup, so nothing is sent until everything was looked up.

off -> on      a reference in QAD that this database does not know, or a person took the database over
on             lists are read whole, then every posting that QAD may have is looked up and adopted if found
on -> off      a person, with a reason, when nothing is open; for a month more each first send is looked up before
A crash at any step leaves what was found adopted, and the rest to be looked up again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import QuerySet

from connector.errors import Problem
from syncs.models import Posting, ReadBack
from syncs.states import IN_FLIGHT, UNSENT
from tenants import audit
from tenants.models import Tenant

CERTIFIED = "CERT-"  # after the prefix: documents of a certification, in a test workspace
CAREFUL = dt.timedelta(days=31)
NAMED = 3  # references that a sentence names
KEPT = 5_000  # strangers that are kept by name
ACCEPTABLE = ("unknown-in-qad", "look-up-not-proved")  # open points that a person may answer for
BY_ITSELF = "Wait until the settle window is over; the task queue does it, or the command leave_restore_mode."
SHOWN = 50  # open points that are told at once


def mode_of(tenant: Tenant) -> ReadBack | None:
    """The row of a tenant in restore mode, else None."""
    return ReadBack.objects.filter(tenant=tenant, restoring_since__isnull=False).first()


def why_restoring(tenant: Tenant) -> str:
    """'' or the sentence that stops posting."""
    row = mode_of(tenant)
    if row is None:
        return ""
    return (
        f"Restore mode: {row.why} Every document is looked up before anything is sent again. "
        f"Open Restore mode, or run manage.py leave_restore_mode {tenant.slug}."
    )


def is_careful(tenant: Tenant, now: dt.datetime) -> bool:
    """Whether everything is looked up before it is first sent, since restore mode ended lately."""
    return ReadBack.objects.filter(tenant=tenant, careful_until__gt=now).exists()


def is_certification(tenant: Tenant, reference: str) -> bool:
    return reference.startswith(f"{tenant.qad.reference_prefix}-{CERTIFIED}")


def answered_for(tenant: Tenant) -> set[str]:
    """References in QAD for which a person answers."""
    row = ReadBack.objects.filter(tenant=tenant).values_list("accepted", flat=True).first()
    return set(row or ())


def why_of(strangers: Sequence[dict[str, str]], unsent: Sequence[str]) -> str:
    """Why restore mode begins, '' if nothing speaks for it."""
    if strangers:
        names = _named([one["reference"] for one in strangers])
        return f"QAD has {names}, and this database does not know it."
    if unsent:
        return f"QAD has {_named(unsent)}, which was never sent from this database."
    return ""


def _named(references: Sequence[str]) -> str:
    more = len(references) - NAMED
    return ", ".join(references[:NAMED]) + (f" and {more} more" if more > 0 else "")


def enter(
    tenant: Tenant,
    why: str,
    strangers: Sequence[dict[str, str]],
    *,
    read_from: dt.date,
    now: dt.datetime,
    actor: str,
) -> bool:
    """Switch restore mode on; False if it was on already."""
    with transaction.atomic():
        ReadBack.objects.get_or_create(tenant=tenant)
        entered = ReadBack.objects.filter(tenant=tenant, restoring_since=None).update(
            restoring_since=now,
            why=why,
            read_from=read_from,
            listed_at=None,
            looked_up_to=0,
            adopted=0,
            absent=0,
            not_proved=[],
            strangers=list(strangers)[:KEPT],
            checked_at=now,
            sentence=why,
        )
        if entered:
            after = {"unknown": len(strangers), "for_example": [one["reference"] for one in strangers[:NAMED]]}
            line = audit.Line("restore-mode-on", f"tenant:{tenant.slug}", after=after, reason=why)
            audit.record(tenant.pk, [line], actor=actor, now=now)
    return bool(entered)


def unknown(tenant: Tenant, row: ReadBack, accepted: Iterable[str] = ()) -> list[dict[str, str]]:
    """Strangers that nobody answers for and that no document of Chargebee's has explained meanwhile."""
    names = [one["reference"] for one in row.strangers]
    known = set(Posting.objects.filter(tenant=tenant, reference__in=names).values_list("reference", flat=True))
    answered = {*row.accepted, *accepted, *known}
    return [one for one in row.strangers if one["reference"] not in answered]


def open_points(tenant: Tenant, row: ReadBack, accepted: Iterable[str] = ()) -> list[Problem]:
    """Everything that stands between this tenant and the end of restore mode, the first `SHOWN` of each sort."""
    found: list[Problem] = []
    if row.listed_at is None:
        message = "QAD's lists have not been read whole yet."
        found.append(Problem("not-read", str(tenant), message, BY_ITSELF))
    found += [_stranger(tenant, one) for one in unknown(tenant, row, accepted)[:SHOWN]]
    in_flight = Posting.objects.filter(tenant=tenant, state__in=IN_FLIGHT).order_by("pk")
    found += [_in_flight(posting) for posting in in_flight[:SHOWN]]
    left = to_look_up(tenant, row).count()
    if left:
        message = f"{left} documents that are not in QAD as far as we know have not been looked up yet."
        found.append(Problem("not-looked-up", str(tenant), message, BY_ITSELF))
    answered = {*row.accepted, *accepted}
    found += [_not_proved(name) for name in row.not_proved if name not in answered][:SHOWN]
    return found


def to_look_up(tenant: Tenant, row: ReadBack) -> QuerySet[Posting]:
    """Postings whose turn is still to come, in their order."""
    rows = Posting.objects.filter(tenant=tenant, state__in=UNSENT, pk__gt=row.looked_up_to)
    return rows.order_by("pk")


def leave(tenant: Tenant, *, reason: str, accepted: Sequence[str], now: dt.datetime, actor: str) -> list[Problem]:
    """End restore mode; the answer is what still stands in the way, and then it goes on."""
    with transaction.atomic():
        row = ReadBack.objects.select_for_update().filter(tenant=tenant, restoring_since__isnull=False).first()
        if row is None:
            return [Problem("not-restoring", str(tenant), f"{tenant} is not in restore mode.", "")]
        still = open_points(tenant, row, accepted)
        if still:
            return still
        answered = sorted({*row.accepted, *accepted})
        ReadBack.objects.filter(pk=row.pk).update(
            restoring_since=None,
            accepted=answered,
            strangers=[],
            careful_until=now + CAREFUL,
            sentence=f"Restore mode ended: {row.adopted} documents adopted, {row.absent} proved absent from QAD.",
            checked_at=now,
        )
        after = {"adopted": row.adopted, "absent": row.absent, "accepted": answered}
        line = audit.Line(
            "restore-mode-off",
            f"tenant:{tenant.slug}",
            before={"since": row.restoring_since.isoformat() if row.restoring_since else None},
            after=after,
            reason=reason,
        )
        audit.record(tenant.pk, [line], actor=actor, now=now)
    return []


def _stranger(tenant: Tenant, one: dict[str, str]) -> Problem:
    return Problem(
        "unknown-in-qad",
        one["reference"],
        f"QAD has {one['reference']} as {one['number']}, and this database does not know it.",
        f"Run manage.py sync {tenant.slug}, so that its document is read from Chargebee and found here. If it cannot "
        "come from Chargebee any more, check it in QAD and accept it.",
    )


def _in_flight(posting: Posting) -> Problem:
    until = f" until {posting.settle_at:%H:%M} UTC" if posting.settle_at else ""
    message = f"{posting.reference} is {posting.get_state_display().lower()}{until}."
    return Problem("in-flight", posting.reference, message, "Wait for that time, then try again.", "document")


def _not_proved(name: str) -> Problem:
    return Problem(
        "look-up-not-proved",
        name,
        f"QAD's look-up proves nothing about {name}.",
        "Look for it in QAD. If it is not there, accept it; if it is, say so at its document first.",
    )

"""A period in three books, document by document: Chargebee's documents, our postings, and what QAD shows of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Min

from connector.ledger.compare import ZERO, Period, Variance
from connector.money import Money, UnknownCurrency, wire_digits
from connector.qad.client import QadClient
from syncs import verifying
from syncs.chains import mains
from syncs.entities import entity_of
from syncs.models import Cursor, Posting, Reconciliation, SourceDocument
from syncs.preparing import POSTED_KINDS
from syncs.qad_side import (
    COUNTED,
    FOLLOWING,
    MAYBE,
    Table,
    Tell,
    in_qad,
    is_young,
    lay,
    light,
    read_lists,
    settle_suspects,
    tell,
)
from syncs.sending import assert_no_transaction
from syncs.settling import Pace
from syncs.states import Disposition, PostingState, SourceState, disposition, most_urgent
from tenants import audit
from tenants.models import Tenant

PORTION = 500
CORRECTED, WITHHELD = "corrected", "withheld_tax"  # figures of what stands beside the version that counts
NO_REASON = (Disposition.POSTED, Disposition.CONFLICT)


def reconcile(
    tenant: Tenant,
    client: QadClient,
    period: Period,
    pace: Pace,
    *,
    clock: Callable[[], dt.datetime],
    actor: str,
    on_progress: Tell = lambda stage, done: None,
) -> Reconciliation:
    """Verify what is due, then compare the period and store what came of it. Raises ConnectorError if QAD is away."""
    assert_no_transaction()
    started_at = clock()
    verifying.verify(tenant, client, pace, clock=clock, until=float("inf"), actor=actor)
    table = lay(tenant, client, period, pace, clock=clock, actor=actor)
    read_lists(table, on_progress)
    settle_suspects(table)
    _walk_documents(table, on_progress)
    _walk_following(table, on_progress)
    return _store(table, started_at)


# What Chargebee has and what only we have


def _walk_documents(table: Table, on_portion: Tell) -> None:
    done = 0
    for portion in _documents(table):
        postings: dict[int, list[Posting]] = {}
        for posting in light(Posting.objects.filter(source__in=portion)).order_by("pk"):
            postings.setdefault(posting.source_id, []).append(posting)
        kinds = _unposted_kinds([row for row in portion if row.pk not in postings])
        for row in portion:
            _account(table, row, postings.get(row.pk, []), kinds.get(row.pk, row.kind))
        done += len(portion)
        on_portion("Comparing", done)


def _documents(table: Table) -> Iterator[list[SourceDocument]]:
    """Chargebee's documents that are dated in the period, in portions."""
    rows = SourceDocument.objects.filter(tenant=table.tenant, kind__in=POSTED_KINDS).defer("raw")
    rows = rows.filter(dated_at__gte=table.begins, dated_at__lt=table.ends).order_by("pk")
    after = 0
    while portion := list(rows.filter(pk__gt=after)[:PORTION]):
        yield portion
        after = portion[-1].pk


def _unposted_kinds(rows: Sequence[SourceDocument]) -> dict[int, str]:
    """What a transaction without a posting would have been."""
    keys = [row.pk for row in rows if row.kind == "transaction"]
    found = SourceDocument.objects.filter(pk__in=keys).only("pk", "raw")
    told = {row.pk: str(row.content.get("type", "")) for row in found}
    return {pk: kind if kind in ("payment", "refund") else "transaction" for pk, kind in told.items()}


def _account(table: Table, row: SourceDocument, chain: Sequence[Posting], unposted: str) -> None:
    """One document of Chargebee's, with what was posted of it and what QAD has."""
    made = [posting for posting in chain if posting.kind not in FOLLOWING]
    versions = mains(row, made)
    own = [one for one in versions if one.state != PostingState.HELD][-1:] or versions[-1:]  # the one that counts
    for posting in made:
        if posting not in own:
            _account_following(table, posting, CORRECTED if posting in versions else WITHHELD)
    kind = own[-1].kind if own else unposted
    ours = sum((one.total.amount for one in own if one.state in COUNTED), ZERO)
    qad = sum((in_qad(table, one) for one in own), ZERO)
    told = _amount(table, row)
    chargebee = ours if told is None else told
    standing = disposition(row.state, most_urgent(posting.state for posting in own or chain))
    reason = _reason(table, own, standing, chargebee - qad)
    left = table.statement.expect(kind, row.currency, chargebee=chargebee, ours=ours, qad=qad, reason=reason)
    if standing is None or (left and not any(one.pk in table.told for one in own)):
        code, sentence, fix = _unexplained(table, row, own, standing)
    elif standing == Disposition.CONFLICT and not any(one.pk in table.told for one in own):
        code, sentence = "conflict", f"{own[-1].reference} stands here as '{own[-1].get_state_display()}'."
        fix = "Open the document: it says what QAD has under its reference."
    elif reason and (chargebee != qad or told is None):
        code, fix = reason, ""
        sentence = f"{row} is not in QAD as Chargebee has it: {_word(reason)}."
    else:
        return
    variance = Variance(
        code,
        kind,
        row.currency,
        sentence,
        fix,
        is_explained=not fix,
        source_id=row.source_id,
        reference=own[-1].reference if own else "",
        document=row.pk,
        chargebee=told,
        ours=ours,
        qad=qad,
    )
    table.statement.tell(variance)


def _reason(table: Table, own: Sequence[Posting], standing: str | None, lacking: Decimal) -> str:
    """Why QAD does not have all of a document, '' if nothing says so; nothing excuses one that QAD has lost."""
    keys = {one.pk for one in own}
    if keys & table.missing:
        return ""
    if standing is not None and standing not in NO_REASON:
        return standing
    if any(one.pk not in table.seen and is_young(table, one) for one in own):
        return "just-posted"
    if lacking and own and own[-1].accepted is not None:
        return "accepted"
    return ""


def _amount(table: Table, row: SourceDocument) -> Decimal | None:
    """Chargebee's total, None where nobody can read it."""
    if row.total_minor is None:
        return None
    try:
        digits = wire_digits(row.currency, table.minor_units)
    except UnknownCurrency:
        return None
    return Money.of_minor(row.total_minor, row.currency, digits).amount


def _unexplained(
    table: Table, row: SourceDocument, own: Sequence[Posting], standing: str | None
) -> tuple[str, str, str]:
    """Code, sentence and next step of what nothing explains."""
    if standing is None or not own:
        fix = "Press Replay on the document. If it stays so, tell the people who support this connector."
        return "only-in-chargebee", f"{row} is in Chargebee, and nothing was made of it here.", fix
    if own[-1].pk in table.unreadable:
        fix = f"Fill in writes.{entity_of(own[-1])}.lookup in the QAD profile."
        return "cannot-be-read-back", f"{own[-1].reference}: the QAD profile does not say how it is found again.", fix
    if own[-1].state in COUNTED:
        fix = "Look for it in QAD by its number; if somebody deleted it there, find out why."
        sentence = f"{own[-1].reference} was posted as {own[-1].qad_number}, and QAD does not have all of it."
        return "not-in-qad", sentence, fix
    return "only-in-chargebee", f"{row} is in Chargebee and not in QAD.", "Open the document and mend what it says."


def _walk_following(table: Table, on_portion: Tell) -> None:
    """Reversals, applications and un-applications of the period: ours against QAD's."""
    rows = light(Posting.objects.filter(tenant=table.tenant, kind__in=FOLLOWING)).order_by("pk")
    rows = rows.filter(posting_date__gte=table.period.first, posting_date__lte=table.period.last)
    after, done = 0, 0
    while portion := list(rows.filter(pk__gt=after)[:PORTION]):
        for posting in portion:
            _account_following(table, posting)
        after, done = portion[-1].pk, done + len(portion)
        on_portion("Comparing what followed", done)


def _account_following(table: Table, posting: Posting, kind: str = "") -> None:
    """`kind` names the figure, where it is not the posting's own."""
    ours = posting.total.amount
    qad = in_qad(table, posting)
    standing = disposition(SourceState.CODED, posting.state)
    reason = _reason(table, [posting], standing, ZERO)
    expected = ours if posting.state in (*COUNTED, *MAYBE) or qad else ZERO
    left = table.statement.expect(
        kind or posting.kind, posting.currency, chargebee=None, ours=expected, qad=qad, reason=reason
    )
    if reason and expected != qad:
        sentence = f"{posting.reference}: {_word(reason)}."
        tell(table, posting, reason, sentence, ours=ours, qad=qad, is_explained=True)
    elif left and posting.pk not in table.told:
        code, sentence, fix = _unexplained(table, posting.source, [posting], standing)
        tell(table, posting, code, sentence, fix, ours=ours, qad=qad)


_WORDS = {
    "accepted": "a person accepted what QAD has in its place",
    "just-posted": "it was posted so lately that QAD's lists may not show it yet",
}


def _word(reason: str) -> str:
    return _WORDS.get(reason) or f"it is '{Disposition(reason).label}'"


# What came of it


def _store(table: Table, started_at: dt.datetime) -> Reconciliation:
    statement, now = table.statement, table.clock()
    watermark = Cursor.objects.filter(tenant=table.tenant, kind__in=POSTED_KINDS).aggregate(first=Min("watermark"))
    with transaction.atomic():
        row = Reconciliation.objects.create(
            tenant=table.tenant,
            period=table.period.name,
            is_balanced=statement.is_balanced,
            sentence=_sentence(table),
            figures=statement.rows(),
            variances=[one.as_dict() for one in sorted(statement.variances, key=lambda one: one.is_explained)],
            counts=dict(statement.counts),
            read_until=watermark["first"],
            started_at=started_at,
            finished_at=now,
            actor=table.actor,
        )
        after = {"period": row.period, "balanced": row.is_balanced, "counts": row.counts}
        line = audit.Line("reconciled", f"period:{row.period}", after=after, reason=row.sentence)
        audit.record(table.tenant.pk, [line], actor=table.actor, now=now)
    return row


def _sentence(table: Table) -> str:
    statement = table.statement
    documents = sum(figure.documents for figure in statement.figures.values())
    if statement.is_balanced:
        return f"{table.period.name}: {documents} documents, nothing is left over and every difference is explained."
    left = [f"{one['residual']} {one['currency']} of {one['kind']}" for one in statement.rows() if _is_left(one)]
    clause = f" Left over: {', '.join(left)}." if left else ""
    return f"{table.period.name}: {statement.unexplained} of {documents} documents are not explained.{clause}"


def _is_left(figure: dict[str, Any]) -> bool:
    return bool(Decimal(figure["residual"]))

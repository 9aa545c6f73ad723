"""Opening items: what QAD has from before the cut-off, read from a spreadsheet and looked up before it counts.

waiting -> verified | refused. A row counts only once QAD has shown a document of that number with the same customer and
currency, and an open amount that Chargebee's own figures allow. Looking up sends nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from connector.chargebee.records import CreditNote, Invoice
from connector.errors import Configuration, Uncertain
from connector.ledger.cutover import Record
from connector.money import Money, decimal_text, plain
from connector.periods import business_date
from connector.qad.client import Found, QadClient
from mappings.sheets import Sheet, UnreadableFile, read
from syncs.batch import read as read_record
from syncs.desk import Desk, open_desk
from syncs.models import Edge, Kind, OpeningItem, SourceDocument
from syncs.models.golive import OpeningState
from syncs.older import POSTED_KIND
from syncs.renewing import renew
from syncs.sending import assert_no_transaction
from syncs.states import SourceState
from tenants import audit
from tenants.models import Tenant

COLUMNS = ("document", "chargebee_id", "qad_number", "currency", "open_amount")
_KINDS: dict[str, str] = {
    **{kind.value: kind.value for kind in (Kind.INVOICE, Kind.CREDIT_NOTE, Kind.TRANSACTION)},
    "credit note": Kind.CREDIT_NOTE, "payment": Kind.TRANSACTION,
}  # fmt: skip
AT_ONCE = 100  # items that one look takes up


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the spreadsheet that could be read."""

    kind: str
    source_id: str
    qad_number: str
    money: Money


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a row cannot be read; `number` as a spreadsheet program shows it."""

    number: int
    sentence: str

    def __str__(self) -> str:
        return f"Row {self.number}: {self.sentence}"


def rows_of(content: bytes, name: str) -> tuple[list[Row], list[Wrong]]:
    """What a file says, and every row that is wrong. Raises UnreadableFile."""
    filled = [sheet for sheet in read(content, name) if sheet.headings]
    if len(filled) != 1:
        raise UnreadableFile(f"The file has {len(filled)} sheets with rows. Put the opening items into one.")
    sheet = filled[0]
    missing = [column for column in COLUMNS if column not in sheet.headings]
    if missing:
        raise UnreadableFile(f"Column '{missing[0]}' is missing. Use: {', '.join(COLUMNS)}.")
    rows: list[Row] = []
    wrong: list[Wrong] = []
    seen: set[tuple[str, str]] = set()
    for line in sheet.rows:
        row = _row(sheet, line.cells)
        if isinstance(row, str):
            wrong.append(Wrong(line.number, row))
        elif (row.kind, row.source_id) in seen:
            wrong.append(Wrong(line.number, f"{row.kind} {row.source_id} stands in the file twice. Keep one."))
        else:
            seen.add((row.kind, row.source_id))
            rows.append(row)
    return rows, wrong


def _row(sheet: Sheet, cells: Sequence[object]) -> Row | str:
    """The row, or one sentence."""
    given = {name: str(cell).strip() for name, cell in zip(sheet.headings, cells, strict=True)}
    kind = _KINDS.get(given["document"].casefold().replace("_", " ")) or _KINDS.get(given["document"].casefold())
    if kind is None:
        return f"'{given['document']}' is no document. Write invoice, credit_note or payment."
    for column, longest in (("chargebee_id", 100), ("qad_number", 40)):
        if not 0 < len(given[column]) <= longest:
            return f"{column} is {'empty' if not given[column] else 'too long'}. Write 1 to {longest} characters."
    amount = decimal_text(given["open_amount"])
    try:
        money = Money(amount if amount is not None else Decimal("NaN"), given["currency"].upper())
        _ = money.minor
    except (ValueError, TypeError):
        said = f"{given['open_amount']} {given['currency']}".strip()
        return f"'{said}' is no amount. Write a number such as 1234.50, and its currency such as EUR."
    if money.amount <= 0:
        return f"The open amount is {given['open_amount']}. Leave out what is not open any more."
    return Row(kind, given["chargebee_id"], given["qad_number"], money)


def save(tenant: Tenant, rows: Sequence[Row], *, now: dt.datetime, actor: str) -> int:
    """Enter rows or correct them; one that says the same as before is left alone. Returns how many were changed."""
    changed = 0
    with transaction.atomic():
        stored = {(one.kind, one.source_id): one for one in OpeningItem.objects.filter(tenant=tenant)}
        lines = []
        for row in rows:
            values = {"qad_number": row.qad_number, "currency": row.money.currency, "open_minor": row.money.minor}
            old = stored.get((row.kind, row.source_id))
            if old is not None and all(getattr(old, name) == value for name, value in values.items()):
                continue
            fresh = {**values, "state": OpeningState.WAITING, "sentence": "", "actor": actor, "changed_at": now}
            OpeningItem.objects.update_or_create(tenant=tenant, kind=row.kind, source_id=row.source_id, defaults=fresh)
            before = {name: getattr(old, name) for name in values} if old is not None else None
            lines.append(audit.Line("opening-item", f"{row.kind}:{row.source_id}", before, values))
            changed += 1
        audit.record(tenant.pk, lines, actor=actor, now=now)
    return changed


def clashes(tenant: Tenant, rows: Sequence[Row]) -> list[str]:
    """Numbers that another document has already, in the file or here: two can never be one document of QAD."""
    owner = {(one.kind, one.qad_number): one.source_id for one in OpeningItem.objects.filter(tenant=tenant)}
    mine = {(row.kind, row.source_id) for row in rows}
    owner = {key: name for key, name in owner.items() if (key[0], name) not in mine}
    found = []
    for row in rows:
        other = owner.setdefault((row.kind, row.qad_number), row.source_id)
        if other != row.source_id:
            found.append(
                f"QAD number {row.qad_number} is given to {other} and to {row.source_id}. Correct one of them."
            )
    return found


def due(tenant: Tenant) -> QuerySet[OpeningItem]:
    """Items to look up: those whose document has been read meanwhile."""
    read_already = SourceDocument.objects.filter(
        tenant=OuterRef("tenant"), kind=OuterRef("kind"), source_id=OuterRef("source_id")
    )
    return OpeningItem.objects.filter(Exists(read_already), tenant=tenant, state=OpeningState.WAITING)


def verify(
    tenant: Tenant, client: QadClient, *, clock: Callable[[], dt.datetime], actor: str, most: int = AT_ONCE
) -> dict[str, int]:
    """Look up what waits; returns how many were verified, refused and left waiting. Raises ConnectorError."""
    assert_no_transaction()
    desk = open_desk(tenant.pk)
    counts = {"verified": 0, "refused": 0, "waiting": 0}
    items = list(due(tenant)[:most])
    others = OpeningItem.objects.filter(tenant=tenant, state=OpeningState.WAITING)
    items += others.exclude(pk__in=[item.pk for item in items])[: most - len(items)]
    for item in items:
        judged = _judge(desk, client, item)
        counts[judged.state] += 1
        _settle(tenant, item, judged, now=clock(), actor=actor)
    return counts


@dataclass(frozen=True, slots=True)
class Judged:
    """`found` is QAD's document where it is the right one, `customer` its QAD customer."""

    state: str
    sentence: str
    found: Found | None = None
    customer: str = ""


def _judge(desk: Desk, client: QadClient, item: OpeningItem) -> Judged:
    source = SourceDocument.objects.filter(tenant=desk.tenant, kind=item.kind, source_id=item.source_id).first()
    if source is None:
        return Judged("waiting", f"Chargebee's {item} has not been read yet.")
    record = read_record(desk, item.kind, source.content)
    if isinstance(record, list):
        return Judged("refused", f"{item} cannot be read: {record[0].message}")
    wrong = _why_not_older(desk, record) or _why_not_open(item, record)
    if wrong:
        return Judged("refused", wrong)
    try:
        listed = client.look_up_number(POSTED_KIND[Kind(item.kind)], item.qad_number)
    except (Configuration, Uncertain) as error:
        return Judged("refused", error.message)
    if len(listed) != 1:
        have = f"{len(listed)} documents" if listed else "no document"
        return Judged("refused", f"QAD has {have} with the number {item.qad_number}. Correct the list.")
    wrong = _why_not_same(desk, item, record, listed[0])
    if wrong:
        return Judged("refused", wrong)
    link = desk.table.customer(record.customer_id)
    customer = listed[0].customer or (link.qad_code if link else "")
    return Judged("verified", f"QAD has it as {item.qad_number}.", listed[0], customer)


def _why_not_older(desk: Desk, record: Record) -> str:
    if record.date is None or desk.cut_over.skipped(record) is not None:
        return ""
    day = business_date(record.date, desk.tenant.time_zone)
    return f"It is dated {day}, not before the cut-off: it is posted from here. Take it off the list."


def _why_not_open(item: OpeningItem, record: Record) -> str:
    """The open amount lies between what Chargebee says is open now and the whole document."""
    if record.currency != item.currency:
        return f"Chargebee has it in {record.currency}, the list in {item.currency}."
    stated = Money.of_minor(item.open_minor, item.currency)
    least: Money | None
    if isinstance(record, Invoice):
        least, most = record.amount_due, record.total
    elif isinstance(record, CreditNote):
        least, most = record.amount_available, record.total
    else:
        least, most = record.amount_unused, record.amount
    if least is None:
        least = Money.zero(item.currency)
    if not least.amount <= stated.amount <= most.amount:
        return (
            f"The list says that {plain(stated)} {item.currency} are open; in Chargebee {plain(least)} are open now, "
            f"of {plain(most)} in all. Correct the list."
        )
    return ""


def _why_not_same(desk: Desk, item: OpeningItem, record: Record, found: Found) -> str:
    link = desk.table.customer(record.customer_id)
    if link is None:
        return f"Chargebee customer '{record.customer_id}' has no QAD customer yet. Link it, then look up again."
    if found.customer and found.customer != link.qad_code:
        return f"QAD's {item.qad_number} belongs to customer {found.customer}, this one to {link.qad_code}."
    if found.currency and found.currency != item.currency:
        return f"QAD's {item.qad_number} is in {found.currency}, this one in {item.currency}."
    stated = Money.of_minor(item.open_minor, item.currency)
    if found.total is not None and abs(found.total) < stated.amount:
        return f"QAD's {item.qad_number} is over {abs(found.total)}, less than the {plain(stated)} that should be open."
    return ""


def _settle(
    tenant: Tenant,
    item: OpeningItem,
    judged: Judged,
    *,
    now: dt.datetime,
    actor: str,
) -> None:
    """Write what was found, and have looked at again what leaned on it."""
    state, sentence, found, customer = judged.state, judged.sentence, judged.found, judged.customer
    values: dict[str, Any] = {"state": state, "sentence": sentence, "changed_at": now}
    if found is not None:
        told = {"qad_reference": found.reference[:60], "qad_customer": customer, "qad_posting_date": found.posting_date}
        values |= told
    with transaction.atomic():
        mine = OpeningItem.objects.filter(pk=item.pk, state=OpeningState.WAITING, changed_at=item.changed_at)
        if not mine.update(**values) or state == OpeningState.WAITING:
            return
        subject = f"{item.kind}:{item.source_id}"
        line = audit.Line("opening-item", subject, {"state": "waiting"}, {"state": state}, sentence)
        audit.record(tenant.pk, [line], actor=actor, now=now)
        if state == OpeningState.VERIFIED:
            renew(tenant.pk, _leaning_on(tenant, item), f"{item} is an opening item now", now=now, actor=actor)


def _leaning_on(tenant: Tenant, item: OpeningItem) -> QuerySet[SourceDocument]:
    """The document itself, what is held for it or waits for it, and who has something to apply to it."""
    owners = Edge.objects.filter(tenant=tenant, invoice_id=item.source_id).exclude(wanted_minor=F("applied_minor"))
    itself = Q(kind=item.kind, source_id=item.source_id)
    waits = Q(waits_for=f"{item.kind}:{item.source_id}"[:130], state=SourceState.WAITING)
    held = Q(codes__contains="|parent-before-cut-off|", state=SourceState.HELD)
    settles = Q(pk__in=owners.values("owner_id"), state=SourceState.CODED)
    return SourceDocument.objects.filter(itself | waits | held | settles, tenant=tenant)

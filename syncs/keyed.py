"""A held or unreadable document that somebody entered in QAD: it is looked up there, compared, and counts as posted.

Nothing could be made of it here, so what is compared is what Chargebee says at least: kind, total, currency, customer
and date. The posting is made and settled in one transaction; after a crash there is none, and it is asked again.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from django.db import IntegrityError, transaction

from connector.chargebee.records import CreditNote, Invoice, Transaction
from connector.ledger.applications import riding
from connector.ledger.by_hand import BUILD, ByHand, Told
from connector.ledger.documents import Application, CustomerInvoice
from connector.money import Money, UnknownCurrency, wire_digits
from connector.periods import business_date
from connector.qad.client import Found, QadClient
from mappings.models import CustomerKind, CustomerMapping
from syncs import dating, edges, resolving
from syncs import parents as parents_of
from syncs.batch import PARSERS, Batch, add_posting, name_for, rebuild, record, write
from syncs.cases import projection_of
from syncs.chains import Chain, chains_of, is_in_flight, last_main, mains
from syncs.deciding_invoices import order_key
from syncs.desk import Desk, open_desk
from syncs.entities import ENTITIES
from syncs.models import Kind, Posting, SourceDocument
from syncs.sending import assert_no_transaction
from syncs.states import PostingState, SourceState
from syncs.turns import in_turn
from tenants import policies
from tenants.models import Tenant

STUCK = (SourceState.HELD, SourceState.UNREADABLE)
NOT_STANDING: dict[str, tuple[str, ...]] = {  # what Chargebee has, and nobody posts
    Kind.INVOICE: ("pending", "voided"),
    Kind.CREDIT_NOTE: ("voided",),
    Kind.TRANSACTION: ("in_progress", "voided", "failure", "timeout", "needs_attention", "late_failure"),
}


class _Refused(Exception):
    """Undoes what the sentence forbids."""


def why_not(row: SourceDocument, chain: Chain) -> str:
    """One sentence why this document cannot be called posted by hand, '' if it can."""
    if row.kind not in NOT_STANDING or row.state not in STUCK:
        return f"{row} is '{row.get_state_display().lower()}'; only what is held or unreadable is marked as posted."
    main = last_main(row, chain)
    if is_in_flight(chain) or (main is not None and not _is_outdated(row, main)):
        return f"{row} has a posting already; that is marked as posted, or corrected in QAD."
    if _kind(row) not in BUILD:
        return f"{row} is no payment and no refund, so QAD has nothing of it."
    if row.is_deleted or row.status in NOT_STANDING[row.kind]:
        return f"{row} does not stand in Chargebee ({row.status or 'deleted'}), so nothing is posted of it."
    return ""


def mark_posted(
    tenant: Tenant,
    client: QadClient,
    row: SourceDocument,
    number: str,
    *,
    now: dt.datetime,
    actor: str,
    is_applied: bool = False,
) -> str:
    """Adopt what QAD has under this number as the document, after a comparison; returns '' or why not.

    `is_applied`: what it settles was applied in QAD, too; else that follows from here.
    """
    assert_no_transaction()
    number = number.strip()
    chain = chains_of([row])[row.pk]
    wrong = why_not(row, chain) or ("" if number else resolving.NO_NUMBER)
    if wrong:
        return wrong
    found = resolving.by_number(tenant, client, ENTITIES.get(_kind(row), _kind(row)), number)
    if isinstance(found, str):
        return found
    withdrawn = last_main(row, chain)
    if withdrawn is not None and (own := resolving.own_arrived(client, withdrawn, number, now)):
        return own
    try:
        with transaction.atomic():
            in_turn(tenant.pk)
            posting = _prepared(Batch(open_desk(tenant.pk), now, actor), row, found, is_applied=is_applied)
            kept = {"by_hand": True}
            wrong = resolving.take_by_hand(tenant, client, posting, found, now=now, actor=actor, accepting=kept)
            if wrong:
                raise _Refused(wrong)
    except _Refused as refused:
        return str(refused)
    except IntegrityError:
        return resolving.MOVED
    return ""


def _prepared(batch: Batch, row: SourceDocument, found: Found, *, is_applied: bool) -> Posting:
    """The posting of what is known, stored; raises _Refused where too little is, or where it has moved on."""
    fresh = SourceDocument.objects.select_for_update().get(pk=row.pk)
    chain = chains_of([fresh])[fresh.pk]
    if fresh.content_hash != row.content_hash or why_not(fresh, chain):
        raise _Refused(resolving.MOVED)
    place, main = len(mains(fresh, chain)), last_main(fresh, chain)
    name = main.reference if main is not None else name_for(batch, _kind(fresh), fresh.source_id, place)
    document = _document(batch, fresh, found, name)
    read = record(batch, fresh)
    if is_applied:
        document = _applied(batch, document, read)
    projection = fresh.content_hash if isinstance(read, list) else projection_of(read)
    if main is not None:
        rebuild(batch, main, document, projection)
        write(batch)
        main.refresh_from_db()
        return main
    key = order_key(batch.desk, fresh, fresh.customer_id)
    posting = add_posting(batch, fresh, document, key, projection, place=place)
    write(batch)
    return posting


def _is_outdated(row: SourceDocument, main: Posting) -> bool:
    """Whether it was withdrawn before it was sent, and Chargebee has other figures by now: nobody enters those."""
    if main.state != PostingState.HELD:
        return False
    read = PARSERS[row.kind](row.content, minor_units=policies.read(row.tenant)["minor_units"])
    return main.projection != (row.content_hash if isinstance(read, list) else projection_of(read))


def _document(batch: Batch, row: SourceDocument, found: Found, name: str) -> ByHand:
    desk = batch.desk
    total, customer = _total(desk, row), _customer(desk, row, found)
    if total is None or row.dated_at is None:
        raise _Refused(f"Chargebee does not say the total and the date of {row}, so it cannot be compared. Ignore it.")
    own = business_date(row.dated_at, desk.tenant.time_zone)
    document = BUILD[_kind(row)](Told(row.source_id, name, customer, total, own))
    day = dating.dated(desk, document)
    if day.problem is not None and found.posting_date is not None and found.posting_date > own:
        return replace(document, posting_date=found.posting_date)  # its own period is closed, and a later one took it
    return replace(document, posting_date=day.day)


def _customer(desk: Desk, row: SourceDocument, found: Found) -> str:
    """QAD's code; of a customer that is not linked yet the one that QAD shows, unless that is somebody else's."""
    link = desk.table.customer(row.customer_id)
    if link is not None:
        return link.qad_code
    others = CustomerMapping.objects.filter(
        tenant=desk.tenant, qad_code=found.customer, kind=CustomerKind.DIRECT
    ).values_list("chargebee_id", flat=True)
    for other in others:
        raise _Refused(
            f"QAD's {found.number} belongs to {found.customer}, which is customer '{other}' in Chargebee; {row} is of "
            f"'{row.customer_id}'. Check the number."
        )
    return found.customer


def _applied(batch: Batch, document: ByHand, read: CreditNote | Transaction | Invoice | list[object]) -> ByHand:
    """With what Chargebee says that it settles, of what QAD has."""
    if isinstance(document, CustomerInvoice) or not isinstance(read, CreditNote | Transaction):
        return document
    known = (
        parents_of.of_notes(batch, [read], set())
        if isinstance(read, CreditNote)
        else parents_of.of_transactions(batch, [read], set())
    )
    rows: tuple[Application, ...] = riding(
        edges.wanted(read), known.invoices, customer=document.customer, on=document.posting_date
    )
    return replace(document, applications=rows)


def _total(desk: Desk, row: SourceDocument) -> Money | None:
    if row.total_minor is None:
        return None
    try:
        digits = wire_digits(row.currency, desk.policies["minor_units"])
    except UnknownCurrency as unknown:
        raise _Refused(f"{unknown} Say it in the policy minor_units.") from None
    return Money.of_minor(row.total_minor, row.currency, digits)


def _kind(row: SourceDocument) -> str:
    """As which kind it would be posted, '' for what never is."""
    if row.kind == Kind.TRANSACTION:
        told = row.content.get("type")
        return told if told in ("payment", "refund") else ""
    return row.kind

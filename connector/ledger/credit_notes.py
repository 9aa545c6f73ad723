"""From a Chargebee credit note, a write-off too, to a customer credit note for QAD, or to what a person must mend."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from connector.chargebee.records import CreditNote
from connector.errors import Problem
from connector.ledger import problems
from connector.ledger.accounts import coding_problems, currency_problems, customer_problems
from connector.ledger.applications import riding, summed
from connector.ledger.billed import collect, discount_lines, once, sale_lines, tax_lines
from connector.ledger.coding import MappingTable
from connector.ledger.currency_rates import RatePolicy, own_rate
from connector.ledger.documents import CustomerCreditNote, DocumentLine, Posted, TaxLine
from connector.ledger.rounding import note_rounding_line
from connector.ledger.skipping import Skipped, other_entity
from connector.ledger.validate_notes import note_problems
from connector.money import Money, total
from connector.periods import business_date

WRITE_OFF = "write off"
INVOICE_VOID = "invoice void"


@dataclass(frozen=True, slots=True)
class CreditNoteRules:
    """What a tenant decided about credit notes."""

    zone: str
    voided_before_posting: str = "skip"  # skip | post_and_reverse
    promotional_credits: str = "granted"  # granted (contra-revenue) | bought (liability)
    write_off_tax: str = "gross"  # gross | relief: the note's taxes go back to the state
    rounding_tolerance_minor: int = 5
    business_entities: tuple[str, ...] = ()
    fx: RatePolicy = field(default_factory=RatePolicy)


def is_write_off(note: CreditNote) -> bool:
    """The site's own reason says so; the deprecated code only where there is none."""
    reason = note.create_reason_code.strip().casefold()
    return note.type == "adjustment" and (reason == WRITE_OFF if reason else note.reason_code == "write_off")


def is_invoice_void(note: CreditNote) -> bool:
    """The note that Chargebee makes when an invoice is voided with one: it goes where its invoice goes."""
    return note.create_reason_code.strip().casefold() == INVOICE_VOID


def skip_rule(note: CreditNote, rules: CreditNoteRules) -> Skipped | None:
    """The rule that keeps this note out of QAD, None if it belongs there.

    An Invoice Void note whose invoice is skipped is skipped with it: the caller knows the invoice.
    """
    if rule := other_entity(rules.business_entities, note.business_entity_id):
        return rule
    if is_gone(note) and rules.voided_before_posting == "skip":
        how = "deleted" if note.deleted else "voided"
        return Skipped(f"{how}-before-posting", f"It was {how} in Chargebee before it was posted.")
    return None


def is_gone(note: CreditNote) -> bool:
    """Voided or deleted."""
    return note.status == "voided" or note.deleted


def parent(note: CreditNote) -> str:
    """The invoice that must be posted first, '' if none: a held invoice never keeps a refundable note's cash back."""
    return note.reference_invoice_id if note.type == "adjustment" or is_invoice_void(note) else ""


def edges(note: CreditNote) -> dict[str, Money]:
    """What the note settles now, by invoice id; a note that is gone settles nothing."""
    if is_gone(note):
        return {}
    return summed((row.invoice_id, row.allocated) for row in note.allocations)


def posting_date(note: CreditNote, zone: str, posted: Mapping[str, Posted]) -> dt.date:
    """The note's own date, but never before the posting date of the invoice that it corrects."""
    own, invoice = business_date(note.date, zone), posted.get(note.reference_invoice_id)
    return max(own, invoice.posting_date) if invoice else own


def translate(
    note: CreditNote,
    table: MappingTable,
    rules: CreditNoteRules,
    reference: str,
    posted: Mapping[str, Posted],
    *,
    posted_on: dt.date | None = None,
) -> CustomerCreditNote | list[Problem]:
    """The document that QAD is told, or every problem that holds it.

    `posted`: the invoices that QAD has, by id: those that the note settles, and the one that it corrects.
    `posted_on`: the day that a closed period moved it to. Accounts are those of the note's own date.
    """
    found = note_problems(note)
    on = business_date(note.date, rules.zone)
    link = table.customer(note.customer_id)
    found += customer_problems(note.customer_id, link, table)
    found += currency_problems(f"Credit note {note.id}", note.currency, table.known)
    rate = own_rate(note, f"Credit note {note.id}", rules.fx, found)
    parts = _write_off_parts if is_write_off(note) else _billed_parts
    lines, taxes = parts(note, table, rules, on, found)
    if not found:
        found = coding_problems(lines, taxes, table, note.currency)
    if found or link is None:
        return once(found)
    day = max(posted_on or on, posting_date(note, rules.zone, posted))
    invoice = posted.get(note.reference_invoice_id)
    return CustomerCreditNote(
        reference=reference,
        source_id=note.id,
        customer=link.qad_code,
        description=f"Chargebee {'write-off' if is_write_off(note) else 'credit note'} {note.id}",
        currency=note.currency,
        document_date=on,
        posting_date=day,
        lines=tuple(lines),
        taxes=tuple(taxes),
        total=note.total,
        applications=riding(edges(note), posted, customer=link.qad_code, on=day),
        original_number=invoice.number if invoice else "",
        exchange_rate=rate,
    )


def _billed_parts(
    note: CreditNote, table: MappingTable, rules: CreditNoteRules, on: dt.date, found: list[Problem]
) -> tuple[list[DocumentLine], list[TaxLine]]:
    lines = collect(sale_lines(note, table, rules.zone, on), found)
    lines += collect(discount_lines(note, table, rules.promotional_credits, on), found)
    taxes = list(tax_lines(note, table, on, found))
    if found:
        return [], []
    parts = total([line.amount for line in lines] + [tax.amount for tax in taxes], note.currency)
    tolerance = rules.rounding_tolerance_minor
    rounding = note_rounding_line(note, note.total - parts, table, on=on, tolerance_minor=tolerance)
    if isinstance(rounding, Problem):
        found.append(rounding)
    elif rounding is not None:
        lines.append(rounding)
    return lines, taxes


def _write_off_parts(
    note: CreditNote, table: MappingTable, rules: CreditNoteRules, on: dt.date, found: list[Problem]
) -> tuple[list[DocumentLine], list[TaxLine]]:
    """The gross against bad debt, never the note's lines; its taxes only where the policy gives relief."""
    coding = table.role("write_off", on)
    if coding is None:
        found.append(problems.role_not_mapped("write_off", on))
    taxes = list(tax_lines(note, table, on, found)) if rules.write_off_tax == "relief" else []
    if coding is None:
        return [], taxes
    loss = note.total - total((tax.amount for tax in taxes), note.currency)
    return [DocumentLine("write_off", f"Write-off of {note.reference_invoice_id}".strip(), loss, coding)], taxes


def projection(note: CreditNote) -> str:
    """Hash of just what is posted: an application or a refund does not change it, an edited amount or date does."""
    parts = [note.id, note.type, note.customer_id, note.currency, note.date.isoformat(), note.price_type]
    parts += [str(is_write_off(note)), str(note.total), str(note.round_off), str(note.fractional_correction)]
    parts += [f"{tax.name}|{tax.rate}|{tax.jurisdiction_code}|{tax.amount}" for tax in note.line_taxes]
    parts += [f"{tax.name}|{tax.amount}" for tax in note.taxes]
    if not is_write_off(note):
        parts += [f"{line.id}|{line.entity_id}|{line.amount}|{line.discount}|{line.tax_amount}" for line in note.lines]
        parts += [f"{row.line_item_id}|{row.kind}|{row.amount}" for row in note.line_discounts]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()

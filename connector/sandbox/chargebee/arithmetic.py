"""The sums of invoices and credit notes, in minor units: every amount that follows from a document's rows.

Rounding is half up, once for each tax of each line.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Document = dict[str, Any]


def rounded(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def share(amount: int, weights: list[int]) -> list[int]:
    """Splits `amount` by weight without losing a unit: the last one with a weight takes the rest."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    parts = [amount * weight // whole for weight in weights]
    last = max(position for position, weight in enumerate(weights) if weight)
    parts[last] += amount - sum(parts)
    return parts


def total_of(rows: list[Document] | None, field: str) -> int:
    return sum(row.get(field, 0) for row in rows or [])


def _billed(document: Document) -> None:
    """sub_total, tax rows and total, from the lines (identities I1, I2, I8)."""
    lines = document.get("line_items", [])
    document["sub_total"] = total_of(lines, "amount") - total_of(lines, "discount_amount")
    taxes: dict[str, int] = {}
    for row in document.get("line_item_taxes", []):
        taxes[row["tax_name"]] = taxes.get(row["tax_name"], 0) + row["tax_amount"]
    if taxes:
        document["taxes"] = [
            {"object": "tax", "name": name, "description": name, "amount": amount} for name, amount in taxes.items()
        ]
    else:
        document.pop("taxes", None)
    added = sum(taxes.values()) if document["price_type"] == "tax_exclusive" else 0
    document["total"] = document["sub_total"] + added + document.get("round_off_amount", 0)


def total_invoice(invoice: Document) -> Document:
    """Sets every derived amount of an invoice in place and gives it back (identities I1 to I8)."""
    _billed(invoice)
    invoice["tax"] = total_of(invoice.get("taxes"), "amount")
    return settle_invoice(invoice)


def settle_invoice(invoice: Document) -> Document:
    """Sets what is paid, adjusted and due from the linked rows (identities I3 to I7)."""
    payments = invoice.get("linked_payments", [])
    invoice["amount_paid"] = total_of([row for row in payments if row["txn_status"] == "success"], "applied_amount")
    adjustments = [row for row in invoice.get("adjustment_credit_notes", []) if row["cn_status"] != "voided"]
    invoice["amount_adjusted"] = total_of(adjustments, "cn_total")
    write_offs = [row for row in adjustments if row.get("cn_create_reason_code") == "Write Off"]
    invoice["write_off_amount"] = total_of(write_offs, "cn_total")
    invoice["credits_applied"] = total_of(invoice.get("applied_credits"), "applied_amount")
    invoice["amount_due"] = (
        invoice["total"]
        - invoice["amount_paid"]
        - invoice["amount_adjusted"]
        - invoice["credits_applied"]
        - total_of(invoice.get("linked_taxes_withheld"), "amount")
    )
    in_progress = total_of([row for row in payments if row["txn_status"] == "in_progress"], "applied_amount")
    invoice["amount_to_collect"] = 0 if invoice["status"] == "voided" else invoice["amount_due"] - in_progress
    return invoice


def total_credit_note(note: Document) -> Document:
    """Sets every derived amount of a credit note in place and gives it back."""
    _billed(note)
    note.setdefault("taxes", [])  # a credit note shows its empty arrays, an invoice omits them
    note["total"] += note.get("fractional_correction", 0)
    return settle_credit_note(note)


def settle_credit_note(note: Document) -> Document:
    """total = allocated + refunded + available; a voided note keeps its whole total available."""
    note["amount_allocated"] = total_of(note.get("allocations"), "allocated_amount")
    note["amount_refunded"] = total_of(note.get("linked_refunds"), "applied_amount")
    note["amount_available"] = note["total"] - note["amount_allocated"] - note["amount_refunded"]
    return note


def line_taxes(line: Document, rates: list[tuple[str, str, str]], price_type: str) -> list[Document]:
    """Tax rows of one line, with its tax fields set in place. `rates` are (name, percent, jurisdiction type)."""
    base = line["amount"] - line.get("discount_amount", 0)
    whole = sum((Decimal(percent) for _, percent, _ in rates), Decimal(0))
    net = Decimal(base) if price_type == "tax_exclusive" else Decimal(base) * 100 / (100 + whole)
    amounts = [rounded(net * Decimal(percent) / 100) for _, percent, _ in rates]
    line |= {"is_taxed": bool(rates), "tax_amount": sum(amounts), "tax_rate": _plain(whole)}
    taxable = base if price_type == "tax_exclusive" else base - sum(amounts)
    return [
        {
            **_tax_head(line, name, taxable),
            "tax_rate": _plain(Decimal(percent)),
            "tax_juris_type": kind,
            "tax_amount": amount,
        }
        for (name, percent, kind), amount in zip(rates, amounts, strict=True)
    ]


def _tax_head(line: Document, name: str, taxable: int) -> Document:
    place = name.rsplit(" ", 1)[0]
    return {
        "object": "line_item_tax",
        "line_item_id": line["id"],
        "tax_name": name,
        "tax_juris_name": place,
        "tax_juris_code": place[:10].upper(),
        "date_from": line["date_from"],
        "date_to": line["date_to"],
        "prorated_taxable_amount": taxable,
        "is_partial_tax_applied": False,
        "is_non_compliance_tax": False,
        "taxable_amount": taxable,
    }


def _plain(rate: Decimal) -> float:
    return int(rate) if rate == rate.to_integral_value() else float(rate)

"""Documents as Chargebee gives them, a mapping, and journals written as an accountant writes them."""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from .books import Books, Entry
from .fold import fold
from .model import Document, Earlier, Mapping, Policies

ZONE = "Europe/Berlin"
NAMES = count(1)

ROLES: dict[str, Any] = {
    "accounts_receivable": "1200",
    "discount": "4900",
    "promotional_granted": "4910",
    "promotional_bought": "2300",
    "round_off": "6900",
    "write_off": "6000",
    "withheld_tax": "1300",
    "refund_clearing": "1090",
    "on_account": "2100",
}


def a_mapping(**changes: Any) -> Mapping:
    policies = {name: changes.pop(name) for name in list(changes) if name in Policies.__dataclass_fields__}
    given: dict[str, Any] = {
        "zone": ZONE,
        "customers": {"acme": "C1", "beta": "C2"},
        "roles": ROLES,
        "item_prices": {"pro": ("4000", {"cost_centre": "100"}), "addon": "4100"},
        "charge": "4200",
        "taxes": {("", "VAT", ""): "2200", ("US-CA", "Sales Tax", ""): "2210", ("", "", "7"): "2207"},
        "banks": {
            ("stripe", "", ""): "1050",
            ("stripe", "card", "JPY"): "1051",
            ("not_applicable", "check", ""): "1000",
        },
        "policies": Policies(**policies),
    }
    return Mapping(**{**given, **changes})


def at(moment: str, zone: str = ZONE) -> int:
    """'2026-11-30 10:00' or '2026-11-30' (noon) in the zone, as Chargebee's seconds."""
    day = datetime.fromisoformat(moment if ":" in moment else f"{moment} 12:00")
    return int(day.replace(tzinfo=ZoneInfo(zone)).timestamp())


def with_moments(fields: dict[str, Any]) -> dict[str, Any]:
    moments = {"date", "voided_at", "updated_at"}
    return {name: at(value) if name in moments and isinstance(value, str) else value for name, value in fields.items()}


def a_line(amount: int, price: str | None = "pro", line_id: str | None = None) -> Document:
    source = {"entity_type": "plan_item_price", "entity_id": price} if price else {"entity_type": "adhoc"}
    return {"id": line_id or f"li_{next(NAMES)}", "amount": amount, **source}


def a_tax(amount: int, line_id: str = "l1", rate: float = 19, name: str = "VAT", **more: Any) -> Document:
    return {"line_item_id": line_id, "tax_name": name, "tax_rate": rate, "tax_amount": amount, **more}


def a_discount(amount: int, kind: str = "item_level_coupon", line_id: str = "l1") -> Document:
    return {"line_item_id": line_id, "discount_type": kind, "discount_amount": amount}


def an_invoice(total: int, *lines: Document, **fields: Any) -> Document:
    """Posted on 30 November; one line of the total unless lines are given."""
    given = {"id": "I1", "customer_id": "acme", "status": "payment_due", "price_type": "tax_exclusive",
             "currency_code": "EUR", "date": "2026-11-30", "total": total,
             "line_items": list(lines) or [a_line(total)]}  # fmt: skip
    return with_moments({**given, **fields})


def a_note(total: int, *lines: Document, **fields: Any) -> Document:
    given = {"id": "CN1", "type": "refundable", "status": "refund_due", "reference_invoice_id": "I1",
             "create_reason_code": "Other", "date": "2026-12-05"}  # fmt: skip
    return an_invoice(total, *lines, **{**given, **fields})


def allocated(amount: int, invoice: str = "I1") -> dict[str, Any]:
    return {"allocations": [{"invoice_id": invoice, "allocated_amount": amount}]}


def a_transaction(amount: int, **fields: Any) -> Document:
    given = {"id": "T1", "type": "payment", "status": "success", "customer_id": "acme", "gateway": "stripe",
             "payment_method": "card", "currency_code": "EUR", "amount": amount, "date": "2026-12-02"}  # fmt: skip
    return with_moments({**given, **fields})


def paying(amount: int, **invoices: int) -> Document:
    """paying(100, I1=80): 80 applied to I1, 20 unused."""
    rows = [{"invoice_id": invoice, "applied_amount": applied} for invoice, applied in invoices.items()]
    return a_transaction(amount, linked_invoices=rows, amount_unused=amount - sum(invoices.values()))


def a_refund(amount: int, note: str | None = "CN1", **fields: Any) -> Document:
    given: dict[str, Any] = {"id": "R1", "type": "refund", "date": "2026-12-10", "refunded_txn_id": "T1"}
    if note:
        given["linked_credit_notes"] = [{"cn_id": note, "applied_amount": amount}]
    return a_transaction(amount, **{**given, **fields})


def a_reversal(amount: int, **fields: Any) -> Document:
    given = {"id": "V1", "type": "payment_reversal", "reference_transaction_id": "T1", "date": "2026-12-20"}
    return a_transaction(amount, **{**given, **fields})


def posted(kind: str, document: Document, **days: Any) -> dict[str, Any]:
    """As a change of the mapping: this version was posted before."""
    return {"posted_before": {(kind, document["id"]): [Earlier(document, **days)]}}


def folded(*documents: Document, **changes: Any) -> Books:
    """Documents of all kinds, told apart by their type; `changes` go to the mapping or its policies."""
    kinds: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        plural = "transactions" if "amount" in document else "credit_notes" if "type" in document else "invoices"
        kinds[plural].append(document)
    return fold(kinds, a_mapping(**changes))


def journal(books: Books, kind: str, document: str) -> list[str]:
    """['2026-11-30 document: Dr 1200 119.00, Cr 2200 19.00, Cr 4000 100.00', ...]; entries without lines left out."""
    return [told(entry) for entry in books.journal(kind, document) if entry.lines]


def told(entry: Entry) -> str:
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for each in entry.lines:
        sums["Dr" if each.debit else "Cr", each.account] += each.debit + each.credit
    listed = sorted(sums.items(), key=lambda row: (row[0][0] == "Cr", row[0][1]))
    return f"{entry.date} {entry.part}: " + ", ".join(f"{side} {code} {amount}" for (side, code), amount in listed)


def still_open(books: Books) -> dict[str, str]:
    return {f"{customer} {kind} {name} {currency}": str(amount)
            for (customer, kind, name, currency), amount in (books.open_items or {}).items()}  # fmt: skip

"""Who settles what: edges that ride in a document when it is posted, and later ones as adjustments of their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from connector.errors import Problem
from connector.ledger import problems
from connector.ledger.coding import MappingTable
from connector.ledger.documents import Adjustment, Application, Posted, Unapplication
from connector.money import Money

Edges = Mapping[str, Money]  # invoice id -> amount above zero


def summed(rows: Iterable[tuple[str, Money]]) -> dict[str, Money]:
    """One amount for each invoice, in the order of first appearance; nothings are left out."""
    found: dict[str, Money] = {}
    for invoice_id, amount in rows:
        found[invoice_id] = found[invoice_id] + amount if invoice_id in found else amount
    return {invoice_id: amount for invoice_id, amount in found.items() if amount}


def riding(wanted: Edges, posted: Mapping[str, Posted], *, customer: str, on: dt.date) -> tuple[Application, ...]:
    """The edges that a document posted `on` this day carries: to invoices of its customer that QAD has by that day.

    The others wait for their invoice (or for a person), and never hold the document.
    """
    return tuple(
        application(invoice_id, target, amount)
        for invoice_id, amount in wanted.items()
        if (target := posted.get(invoice_id)) and target.customer == customer and target.posting_date <= on
    )


def application(source_id: str, target: Posted, amount: Money) -> Application:
    return Application(target.reference, target.number, amount, target.kind, source_id)


def edge_changes(applied: Edges, wanted: Edges) -> dict[str, Money]:
    """What leads from the edges that QAD has to those that Chargebee has: above zero to apply, below to take back.

    Taking back comes first, so that what is taken back can be applied again.
    """
    changes = {}
    for invoice_id in dict.fromkeys((*applied, *wanted)):
        amount = wanted.get(invoice_id) or applied[invoice_id]
        zero = Money.zero(amount.currency)
        change = wanted.get(invoice_id, zero) - applied.get(invoice_id, zero)
        if change:
            changes[invoice_id] = change
    return dict(sorted(changes.items(), key=lambda row: row[1].amount > 0))


def edge_id(owner_id: str, invoice_id: str) -> str:
    """The source id of an edge: it takes the place of a document's id in its external reference."""
    return f"{owner_id}/{invoice_id}"


def adjustment(
    change: Money,
    credit: Posted,
    invoice: Posted,
    reference: str,
    *,
    owner_id: str,
    invoice_id: str,
    table: MappingTable,
    on: dt.date | None = None,
) -> Adjustment | Unapplication | list[Problem]:
    """An edge on its own: applied if `change` is above zero, taken back if below.

    It is dated by the later of both documents, or `on` if that is later still: an edge that was taken back on a day.
    """
    if credit.customer != invoice.customer:
        name = f"{credit.kind.replace('_', ' ').capitalize()} {owner_id}"
        return [problems.edge_of_another_customer(name, f"invoice {invoice_id}", credit.customer, invoice.customer)]
    day = max(filter(None, (credit.posting_date, invoice.posting_date, on)))
    document = Adjustment if change > Money.zero(change.currency) else Unapplication
    verb = "to" if document is Adjustment else "off"
    return document(
        reference=reference,
        source_id=owner_id,
        customer=credit.customer,
        description=f"{owner_id} {verb} invoice {invoice_id}",
        currency=change.currency,
        document_date=day,
        posting_date=day,
        credit=credit,
        applications=(application(invoice_id, invoice, abs(change)),),
        on_account=table.role("on_account", day) if credit.kind == "payment" else None,
    )

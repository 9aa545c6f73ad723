"""The rows behind every list, in the ledger's words, for both dialects."""

from __future__ import annotations

from collections.abc import Sequence

from connector.sandbox.qad.books import NATURE, Document
from connector.sandbox.qad.company import Company
from connector.sandbox.qad.masters import DOMAIN, ENTITY, Row, rate_rows
from connector.sandbox.qad.shapes import Shape


def rows(company: Company, kind: str) -> Sequence[Row]:
    """Documents are the ledger's own rows: `face` adds what a reader sees of them."""
    if kind == "customer":
        return list(company.parties.customers.values())
    if kind == "customer_domain":
        return list(company.parties.domains.values())
    if kind == "business_relation":
        return list(company.parties.relations.values())
    if kind == "period":
        return company.calendar.rows()
    if kind == "exchange_rate":
        return rate_rows(company.clock.now().date())
    if kind in company.masters:
        return list(company.masters[kind].values())
    return company.visible(company.books.documents[kind])


def face(row: Row) -> Row:
    """A document with its open amount in the sign of its total; any other row as it is."""
    if "voucher" not in row:
        return row
    nature = NATURE.get(row["kind"], 1)
    row = {**row, "entity": ENTITY, "open_amount": nature * row["open"]}
    row["status"] = "OPEN" if row["open"] else "CLOSED"
    return row


def dress(shape: Shape, row: Row) -> Row:
    """The face with the instance URI of dialect A; a dot inside a key part is sent as %2E."""
    row = {**face(row)}
    if "voucher" in row:
        row["hash"] = f"{row['number']}:{row['open']:f}"
        parts: tuple[str, ...] = (DOMAIN, ENTITY, row["number"])
    else:
        parts = (row.get("shared_set") or row.get("domain", ""), row.get("code", ""))
    if shape.view_uri:
        row["uri"] = f"{shape.view_uri}:{'.'.join(part.replace('.', '%2E') for part in parts)}"
    return row


def by_reference(company: Company, kind: str, reference: str) -> list[Document]:
    """Documents of a kind by external reference, capitals ignored, as lists would show them."""
    return company.visible(company.books.twins(kind, reference))

"""Which open items a document moves: applications, un-applications and a correction's netting with its original."""

from __future__ import annotations

from decimal import Decimal

from connector.sandbox.qad.books import NATURE, ZERO, Document
from connector.sandbox.qad.company import Company
from connector.sandbox.qad.complaints import Complaint, complain

Move = tuple[Document, Decimal, Document]  # item, change of its open amount (receivable above zero), the other item


class Plan:
    """Works on copies of the open amounts, so that a refused document has moved nothing."""

    def __init__(self, company: Company, document: Document) -> None:
        self.books = company.books
        self.document = document
        self.effect = NATURE.get(document["kind"], 0) * (document.get("total") or ZERO)
        self.opens: dict[int, Decimal] = {id(document): self.effect}
        self.moves: list[Move] = []
        self.complaints: list[Complaint] = []

    def make(self) -> None:
        for index, row in enumerate(self.document["applications"]):
            self._apply(row, f"applications[{index}].")
        if not self.complaints and (self.document["reverses"] or self.document["reverses_number"]):
            self._net_with_original()

    def _apply(self, row: Document, place: str) -> None:
        amount = row["amount"]
        item: Document | None = self.document
        if self.document["kind"] == "adjustment":
            item = self._find(row["credit_reference"], row["credit_number"], f"{place}credit_reference")
        other = self._find(row["reference"], row["number"], f"{place}reference")
        if not amount:
            self.complaints.append(complain("mandatory", f"{place}amount"))
        if item is None or other is None or not amount:
            return
        self._check(item, amount, f"{place}amount")
        self._check(other, -amount, f"{place}amount")
        self.moves.append((item, amount, other))

    def _find(self, reference: str, number: str, field: str) -> Document | None:
        target = self.books.find(reference, number)
        if target is None or target["kind"] not in NATURE:
            self.complaints.append(complain("mandatory", field, number or reference))
            return None
        name = number or reference
        if target["customer"] != self.document["customer"]:
            self.complaints.append(complain("cross_customer", field, name))
        elif target["currency"] != self.document["currency"]:
            self.complaints.append(complain("cross_currency", field, name))
        return target

    def _open(self, item: Document) -> Decimal:
        known = self.opens.get(id(item))
        return known if known is not None else Decimal(item["open"])

    def _check(self, item: Document, change: Decimal, field: str) -> None:
        """The open amount stays between nothing and the whole document."""
        before = self._open(item)
        after = self.opens[id(item)] = before + change
        effect = self.effect if item is self.document else item["effect"]
        if not min(ZERO, effect) <= after <= max(ZERO, effect):
            name = item.get("number") or item["reference"]
            self.complaints.append(complain("over_applied", field, abs(change), open=abs(before), what=name))

    def _net_with_original(self) -> None:
        document = self.document
        name = document["reverses_number"] or document["reverses"]
        original = self.books.find(document["reverses"], document["reverses_number"])
        if original is None:
            self.complaints.append(complain("mandatory", "reverses", name))
            return
        same = all(original.get(key) == document.get(key) for key in ("kind", "customer", "currency"))
        if document["kind"] == "journal":
            self.complaints += [] if same else [complain("not_opposite", "reverses", name)]
            return
        if not same or self.effect * original["effect"] > 0:
            self.complaints.append(complain("not_opposite", "reverses", name))
            return
        mine, theirs = self._open(document), self._open(original)
        if mine * theirs < 0:
            size = min(abs(mine), abs(theirs))
            self.moves.append((document, -size if mine > 0 else size, original))

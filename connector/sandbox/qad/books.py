"""The ledger: documents with QAD's numbers, open items, and balances asserted to be even after each posting."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from typing import Any

from connector.sandbox.qad.masters import EXCHANGE_DIFFERENCE, RECEIVABLE

Document = dict[str, Any]
Posting = tuple[str, str, Decimal, Decimal]  # account, currency, amount, base amount; debit above zero
ZERO = Decimal(0)
CENT = Decimal("0.01")
NATURE = {"invoice": 1, "credit_note": -1, "payment": -1}  # what a positive total does to the receivable


class Books:
    def __init__(self) -> None:
        self.documents: dict[str, list[Document]] = defaultdict(list)  # by kind, in the order of posting
        self.by_number: dict[str, Document] = {}
        self.by_reference: dict[str, list[Document]] = defaultdict(list)  # key in lower case: QAD compares so
        self.balances: dict[tuple[str, str], list[Decimal]] = {}
        self._vouchers: dict[tuple[int, str], int] = defaultdict(int)

    def find(self, reference: str, number: str) -> Document | None:
        """By number, else the document of this reference, written the same way if there are several."""
        if number:
            return self.by_number.get(number)
        same = self.by_reference.get(reference.lower(), [])
        exact = [document for document in same if document["reference"] == reference]
        return next(iter(exact or same), None)

    def twins(self, kind: str, reference: str) -> list[Document]:
        return [row for row in self.by_reference.get(reference.lower(), ()) if row["kind"] == kind]

    def enter(self, document: Document) -> None:
        """Number, post and file a document that the rules have passed; its rate stands in `rate`."""
        self._number(document)
        postings = _postings(document)
        self._post(postings)
        document["postings"] = postings
        effect = NATURE.get(document["kind"], 0) * document.get("total", ZERO)
        document["effect"] = document["open"] = effect
        document["open_base"] = (
            next((base for acc, _, _, base in postings if acc == RECEIVABLE), ZERO) if effect else ZERO
        )
        document["base_amount"] = document["open_base"] or sum((p[3] for p in postings if p[3] > 0), ZERO)
        self.documents[document["kind"]].append(document)
        if document["kind"] != "journal":
            self.documents["receivables"].append(document)
        self.by_number[document["number"]] = document
        if document["reference"]:
            self.by_reference[document["reference"].lower()].append(document)

    def move(self, item: Document, change: Decimal, other: Document) -> None:
        """Apply `change` to what is open of `item`, its opposite to `other`; a difference in base is exchange gain."""
        shift = _change_open(item, change) + _change_open(other, -change)
        if shift:
            postings = [
                (RECEIVABLE, item["currency"], ZERO, shift),
                (EXCHANGE_DIFFERENCE, item["currency"], ZERO, -shift),
            ]
            self._post(postings)
            item["postings"].extend(postings)

    def _number(self, document: Document) -> None:
        date: dt.date = document["posting_date"]
        key = (date.year, document["daybook"])
        self._vouchers[key] += 1
        document["year"], document["period"], document["voucher"] = date.year, date.month, self._vouchers[key]
        document["number"] = f"{date.year}-{document['daybook']}-{self._vouchers[key]:06d}"

    def _post(self, postings: list[Posting]) -> None:
        if sum(p[2] for p in postings) or sum(p[3] for p in postings):
            raise AssertionError(f"Debits and credits differ: {postings}")
        for account, currency, amount, base in postings:
            balance = self.balances.setdefault((account, currency), [ZERO, ZERO])
            balance[0] += amount
            balance[1] += base


def _postings(document: Document) -> list[Posting]:
    kind, currency, rate = document["kind"], document["currency"], document["rate"]
    if kind == "adjustment":
        return []
    nature = NATURE.get(kind, 1)
    if kind == "journal":
        sides = [(line["gl_account"], line["amount"]) for line in document["lines"]]
    elif kind == "payment":
        sides = [(document["bank_account"], document["total"])]
    else:
        rows = document["lines"] + document["taxes"]
        sides = [(row["gl_account"], -nature * row["amount"]) for row in rows]
    if rate == 1:
        postings = [(account, currency, amount, amount) for account, amount in sides]
    else:
        postings = [(account, currency, amount, (amount * rate).quantize(CENT)) for account, amount in sides]
    remainder = sum((p[3] for p in postings), ZERO)
    if kind != "journal":  # the receivable takes what the rounded lines make in base currency
        control = RECEIVABLE if document["total"] else EXCHANGE_DIFFERENCE
        return [(control, currency, nature * document["total"], -remainder), *postings]
    return [*postings, (EXCHANGE_DIFFERENCE, currency, ZERO, -remainder)] if remainder else postings


def _change_open(item: Document, change: Decimal) -> Decimal:
    """The change of the open amount in base currency at the item's own rate; all that is left when it closes."""
    item["open"] += change
    share: Decimal = -item["open_base"] if not item["open"] else (change * item["rate"]).quantize(CENT)
    item["open_base"] += share
    return share

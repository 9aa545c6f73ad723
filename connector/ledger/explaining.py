"""Which mapping rows a document asked for: a table that remembers every question, and answers it like any other."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, fields
from decimal import Decimal

from connector.ledger.coding import BankRule, Explanation, MappingTable, rate_text
from connector.ledger.documents import Coding


@dataclass(frozen=True, slots=True)
class Question:
    """One look into the mappings. `names` are the arguments of `MappingTable`'s method of the same kind, in order."""

    kind: str  # item | tax | role | bank
    names: tuple[str, ...]
    on: dt.date

    def __str__(self) -> str:
        if self.kind == "tax":
            place, name, rate = self.names
            told = [name or "Any tax", f"at {rate} %" if rate else "", f"in {place}" if place else ""]
            return " ".join(part for part in told if part)
        return " · ".join(part for part in self.names if part) or "anything else"


@dataclass(frozen=True, slots=True, eq=False)
class RecordingTable(MappingTable):
    """`asked` holds each question once, in the order in which they came."""

    asked: dict[Question, None] = field(default_factory=dict)

    def item(
        self, *, item_price: str = "", item: str = "", family: str = "", charge: str = "", on: dt.date
    ) -> Coding | None:
        self.asked[Question("item", (item_price, item, family, charge), on)] = None
        return MappingTable.item(self, item_price=item_price, item=item, family=family, charge=charge, on=on)

    def tax(self, jurisdiction: str, name: str, rate: Decimal | None, on: dt.date) -> Coding | None:
        self.asked[Question("tax", (jurisdiction, name, "" if rate is None else rate_text(rate)), on)] = None
        return MappingTable.tax(self, jurisdiction, name, rate, on)

    def role(self, role: str, on: dt.date) -> Coding | None:
        self.asked[Question("role", (role,), on)] = None
        return MappingTable.role(self, role, on)

    def bank(self, gateway: str, method: str, currency: str, on: dt.date) -> BankRule | None:
        self.asked[Question("bank", (gateway, method, currency), on)] = None
        return MappingTable.bank(self, gateway, method, currency, on)


def recording(table: MappingTable) -> RecordingTable:
    """The same mappings in a table that remembers what it is asked."""
    return RecordingTable(**{one.name: getattr(table, one.name) for one in fields(MappingTable) if one.init})


def explain(table: MappingTable, question: Question) -> Explanation:
    """Which row wins, and every place that was looked at, most specific first."""
    if question.kind == "item":
        price, item, family, charge = question.names
        return table.explain_item(item_price=price, item=item, family=family, charge=charge, on=question.on)
    if question.kind == "tax":
        place, name, rate = question.names
        return table.explain_tax(place, name, Decimal(rate) if rate else None, question.on)
    if question.kind == "role":
        return table.explain_role(question.names[0], question.on)
    gateway, method, currency = question.names
    return table.explain_bank(gateway, method, currency, question.on)

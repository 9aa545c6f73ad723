"""Which account an amount lands on: mapping rows as values, the most specific one that is in force wins."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from connector.ledger.documents import Coding
from connector.ledger.reference_data import ReferenceData

LEVELS = ("item_price", "item", "item_family", "charge", "fallback")  # most specific first
ROLES = (
    "discount",
    "promotional_granted",
    "promotional_bought",
    "round_off",
    "write_off",
    "withheld_tax",
    "refund_clearing",
    "on_account",
    "receivable",  # for the journal preview only: QAD decides it at posting
)
_MEMO_LIMIT = 50_000  # answers kept per table before it starts over; bounds the memory of a long drain


@dataclass(frozen=True, slots=True)
class ItemRule:
    """A row of the item mappings; `key` is '' at level fallback and the line's entity type at level charge."""

    level: str
    key: str
    valid_from: dt.date
    coding: Coding


@dataclass(frozen=True, slots=True)
class TaxRule:
    """A row of the tax mappings; '' means any. `rate` is canonical text (see `rate_text`)."""

    jurisdiction: str
    name: str
    rate: str
    valid_from: dt.date
    coding: Coding


@dataclass(frozen=True, slots=True)
class RoleRule:
    """The account that plays a role from a date on."""

    role: str
    valid_from: dt.date
    coding: Coding


@dataclass(frozen=True, slots=True)
class BankRule:
    """A row of the bank mappings: where cash of a gateway, payment method and currency goes; '' means any."""

    gateway: str
    method: str
    currency: str
    valid_from: dt.date
    coding: Coding
    daybook: str = ""


@dataclass(frozen=True, slots=True)
class CustomerLink:
    """The QAD customer of a Chargebee customer; `kind` is direct, alias or collective."""

    qad_code: str
    kind: str = "direct"


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What QAD said about a GL account; `currency` is '' where it takes any."""

    is_active: bool = True
    needs_sub_account: bool = False
    needs_cost_centre: bool = False
    needs_project: bool = False
    currency: str = ""
    account_type: str = ""
    takes_sub_account: bool = True
    takes_cost_centre: bool = True
    takes_project: bool = True


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """What QAD said about a customer; incomplete means that its domain data is missing."""

    is_active: bool = True
    is_complete: bool = True
    currency: str = ""


Rule = ItemRule | TaxRule | RoleRule | BankRule


@dataclass(frozen=True, slots=True)
class Step:
    """One place that was looked at: `outcome` is 'wins', 'no row', 'starts on …' or 'a more specific row won'."""

    place: str
    outcome: str
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which row wins, None if the amount has no account, and every place looked at, most specific first."""

    winner: Rule | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class _History:
    """Rules of one key by date; the one that started last is in force."""

    starts: tuple[dt.date, ...]
    rules: tuple[Rule, ...]

    def on(self, date: dt.date) -> Rule | None:
        place = bisect_right(self.starts, date)
        return self.rules[place - 1] if place else None


Key = tuple[str, ...]
Index = dict[Key, _History]


@dataclass(frozen=True, slots=True, eq=False)
class MappingTable:
    """Every mapping of a tenant at one moment. Build it once per batch: its answers are remembered."""

    items: tuple[ItemRule, ...] = ()
    taxes: tuple[TaxRule, ...] = ()
    roles: tuple[RoleRule, ...] = ()
    customers: Mapping[str, CustomerLink] = field(default_factory=dict)
    accounts: Mapping[str, AccountFacts] = field(default_factory=dict)
    customers_known: Mapping[str, CustomerFacts] = field(default_factory=dict)
    item_of_price: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # item price -> (item, family)
    banks: tuple[BankRule, ...] = ()
    known: ReferenceData = field(default_factory=ReferenceData)  # what QAD's other lists say
    _items: Index = field(init=False, repr=False)
    _taxes: Index = field(init=False, repr=False)
    _roles: Index = field(init=False, repr=False)
    _banks: Index = field(init=False, repr=False)
    _memo: dict[tuple[object, ...], Coding | None] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_items", _index(((rule.level, rule.key), rule) for rule in self.items))
        object.__setattr__(
            self, "_taxes", _index(((rule.jurisdiction, rule.name, rule.rate), rule) for rule in self.taxes)
        )
        object.__setattr__(self, "_roles", _index(((rule.role,), rule) for rule in self.roles))
        object.__setattr__(
            self, "_banks", _index(((rule.gateway, rule.method, rule.currency), rule) for rule in self.banks)
        )

    def item(
        self, *, item_price: str = "", item: str = "", family: str = "", charge: str = "", on: dt.date
    ) -> Coding | None:
        """The coding of a line on a date; None if nothing is mapped. `charge` is the line's entity type."""
        asked = (item_price, item, family, charge, on)
        memo = self._memo
        if asked in memo:
            return memo[asked]
        return self._remember(asked, _first(self._items, _item_keys(item_price, item, family, charge), on))

    def tax(self, jurisdiction: str, name: str, rate: Decimal | None, on: dt.date) -> Coding | None:
        """The coding of a tax: by jurisdiction, name and rate; jurisdiction and name; name and rate; name; default."""
        asked = (jurisdiction, name, rate, on)
        memo = self._memo
        if asked in memo:
            return memo[asked]
        return self._remember(asked, _first(self._taxes, _tax_keys(jurisdiction, name, rate), on))

    def role(self, role: str, on: dt.date) -> Coding | None:
        """The coding of a role (one of ROLES) on a date."""
        asked = (role, on)
        memo = self._memo
        if asked in memo:
            return memo[asked]
        return self._remember(asked, _first(self._roles, [(role,)], on))

    def bank(self, gateway: str, method: str, currency: str, on: dt.date) -> BankRule | None:
        """The row that says where such cash goes: more parts named win, then gateway, method, currency."""
        rule = _first(self._banks, _bank_keys(gateway, method, currency), on)
        return rule if isinstance(rule, BankRule) else None

    def customer(self, chargebee_id: str) -> CustomerLink | None:
        """The QAD customer of a Chargebee customer."""
        return self.customers.get(chargebee_id)

    def explain_item(
        self, *, item_price: str = "", item: str = "", family: str = "", charge: str = "", on: dt.date
    ) -> Explanation:
        """Why `item` answers what it answers."""
        return _explain(self._items, _item_keys(item_price, item, family, charge), on)

    def explain_tax(self, jurisdiction: str, name: str, rate: Decimal | None, on: dt.date) -> Explanation:
        """Why `tax` answers what it answers."""
        return _explain(self._taxes, _tax_keys(jurisdiction, name, rate), on)

    def explain_role(self, role: str, on: dt.date) -> Explanation:
        """Why `role` answers what it answers."""
        return _explain(self._roles, [(role,)], on)

    def explain_bank(self, gateway: str, method: str, currency: str, on: dt.date) -> Explanation:
        """Why `bank` answers what it answers."""
        return _explain(self._banks, _bank_keys(gateway, method, currency), on)

    def _remember(self, asked: tuple[object, ...], rule: Rule | None) -> Coding | None:
        if len(self._memo) >= _MEMO_LIMIT:
            self._memo.clear()
        coding = rule.coding if rule else None
        self._memo[asked] = coding
        return coding


def rate_text(rate: Decimal) -> str:
    """A tax rate as the one text that stands for it: '19', '8.875', '0'."""
    return f"{rate.normalize():f}" if rate else "0"


def _item_keys(item_price: str, item: str, family: str, charge: str) -> list[Key]:
    named = zip(LEVELS[:-1], (item_price, item, family, charge), strict=True)
    return [*((level, key) for level, key in named if key), ("fallback", "")]


def _tax_keys(jurisdiction: str, name: str, rate: Decimal | None) -> list[Key]:
    text = "" if rate is None else rate_text(rate)
    wanted = [(jurisdiction, name, text), (jurisdiction, name, ""), ("", name, text), ("", name, ""), ("", "", "")]
    return list(dict.fromkeys(wanted))


def _bank_keys(gateway: str, method: str, currency: str) -> list[Key]:
    wanted = [
        *((gateway, method, currency), (gateway, method, ""), (gateway, "", currency), ("", method, currency)),
        *((gateway, "", ""), ("", method, ""), ("", "", currency), ("", "", "")),
    ]
    return list(dict.fromkeys(wanted))


def _index(pairs: Iterable[tuple[Key, Rule]]) -> Index:
    found: dict[Key, list[Rule]] = {}
    for key, rule in pairs:
        found.setdefault(key, []).append(rule)
    return {key: _history(rules) for key, rules in found.items()}


def _history(rules: Sequence[Rule]) -> _History:
    ordered = sorted(rules, key=lambda rule: rule.valid_from)
    return _History(tuple(rule.valid_from for rule in ordered), tuple(ordered))


def _first(index: Index, keys: Sequence[Key], on: dt.date) -> Rule | None:
    for key in keys:
        history = index.get(key)
        rule = history.on(on) if history else None
        if rule is not None:
            return rule
    return None


def _explain(index: Index, keys: Sequence[Key], on: dt.date) -> Explanation:
    winner: Rule | None = None
    steps = []
    for key in keys:
        history = index.get(key)
        rule = history.on(on) if history else None
        steps.append(Step(_place(key), _outcome(history, rule, is_decided=winner is not None), rule))
        winner = winner or rule
    return Explanation(winner, tuple(steps))


def _place(key: Key) -> str:
    return " ".join(part for part in key if part) or "default"


def _outcome(history: _History | None, rule: Rule | None, *, is_decided: bool) -> str:
    if history is None:
        return "no row"
    if rule is None:
        return f"starts on {history.starts[0]:%Y-%m-%d}"
    return "a more specific row won" if is_decided else "wins"

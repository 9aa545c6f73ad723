"""The completeness equation: every id that Chargebee listed has exactly one disposition, with its money."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from connector.money import Money, UnknownCurrency, plain
from syncs.models import Run, SourceDocument
from syncs.states import disposition, most_urgent
from tenants.models import Tenant

_AT_ONCE = 1000  # ids of a query
NAMED = 20  # ids named in a sentence; the rest are counted


@dataclass(slots=True)
class Balance:
    """One kind and currency: what was listed, what became of it, and what is missing."""

    kind: str
    currency: str
    listed: int = 0
    dispositions: Counter[str] = field(default_factory=Counter)
    money: Counter[str] = field(default_factory=Counter)  # minor units, as Chargebee counts them
    missing: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    amiss: Counter[str] = field(default_factory=Counter)  # minor units that Chargebee listed for the two above

    @property
    def holds(self) -> bool:
        return self.listed == sum(self.dispositions.values()) and not self.missing and not self.differing

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "currency": self.currency,
            "listed": self.listed,
            "dispositions": dict(self.dispositions),
            "money_minor": dict(self.money),
            "missing": self.missing,
            "differing": self.differing,
            "amiss_minor": dict(self.amiss),
            "holds": self.holds,
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one stored document stands."""

    currency: str
    total: int | None
    version: int | None
    disposition: str | None


def equation(run: Run) -> list[Balance]:
    """Listed against accounted for, over the ids seen on the wire in this run."""
    balances: dict[tuple[str, str], Balance] = {}
    for kind, listed in _listed(run).items():
        stored = dict(_stored(run.tenant, kind, list(listed)))
        for source_id, (currency, total, version) in listed.items():
            balance = balances.setdefault((kind, currency), Balance(kind, currency))
            balance.listed += 1
            _account(balance, source_id, Standing(currency, total, version, None), stored.get(source_id))
    return [balances[key] for key in sorted(balances)]


def _account(balance: Balance, source_id: str, listed: Standing, stored: Standing | None) -> None:
    if stored is None or stored.disposition is None:
        _name(balance, "missing", source_id, listed)
        return
    balance.dispositions[stored.disposition] += 1
    balance.money[stored.disposition] += stored.total or 0
    if _is_older(stored, listed) or (stored.version == listed.version and stored.total != listed.total):
        _name(balance, "differing", source_id, listed)


def _name(balance: Balance, what: str, source_id: str, listed: Standing) -> None:
    getattr(balance, what).append(source_id)
    if listed.total is not None:
        balance.amiss[what] += listed.total


def _is_older(stored: Standing, listed: Standing) -> bool:
    return (stored.version or 0) < (listed.version or 0)


def _listed(run: Run) -> dict[str, dict[str, tuple[str, int | None, int | None]]]:
    """kind -> id -> (currency, total, version) as last seen on the wire."""
    kinds: dict[str, dict[str, tuple[str, int | None, int | None]]] = defaultdict(dict)
    for kind, rows in run.pages.order_by("pk").values_list("kind", "listed").iterator():
        for source_id, currency, total, version in rows:
            kinds[kind][source_id] = (currency, total, version)
    return kinds


def _stored(tenant: Tenant, kind: str, ids: list[str]) -> Iterator[tuple[str, Standing]]:
    """Only what was listed is looked at: a run of today does not read what years have left."""
    for start in range(0, len(ids), _AT_ONCE):
        yield from standings(tenant, kind, source_id__in=ids[start : start + _AT_ONCE])


def standings(tenant: Tenant, kind: str, **among: Any) -> Iterator[tuple[str, Standing]]:
    """Every stored document of a kind (`among` narrows it) with its disposition; the most urgent posting counts."""
    rows = SourceDocument.objects.filter(tenant=tenant, kind=kind, **among).order_by("pk")
    names = ("source_id", "currency", "total_minor", "resource_version", "state", "postings__state")
    for _, group in groupby(rows.values_list(*names).iterator(chunk_size=2000), key=itemgetter(0)):
        chain = list(group)
        source_id, currency, total, version, state, _ = chain[0]
        posting_state = most_urgent(row[5] for row in chain if row[5])
        yield source_id, Standing(currency, total, version, disposition(state, posting_state))


_AMISS = {"missing": "not accounted for", "differing": "stored with another total"}


def sentence(balances: list[Balance]) -> str:
    """What a red run says, '' for a green one: how many, which, and how much money Chargebee listed for them."""
    clauses = []
    for balance in balances:
        for what, words in _AMISS.items():
            if ids := getattr(balance, what):
                named = ", ".join(ids[:NAMED]) + (f" and {len(ids) - NAMED} more" if len(ids) > NAMED else "")
                amount = balance.amiss.get(what)
                money = (
                    "" if amount is None else f" ({money_text(amount, balance.currency)} {balance.currency})".rstrip()
                )
                clauses.append(f"{len(ids)} {balance.kind} {words}: {named}{money}")
    return "; ".join(clauses)


def money_text(minor: int, currency: str) -> str:
    """Minor units as digits with a point, or as they are for a currency that nobody has confirmed."""
    try:
        return plain(Money.of_minor(minor, currency))
    except UnknownCurrency:
        return f"{minor} minor units"

"""Where an unmapped item probably belongs: ranked accounts, each with its reason. Pure: rows in, suggestions out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache

from connector.ledger.names import normalised

MOST = 5  # suggestions for one item
# How much each sign says by itself, 0..1; signs for the same account add up.
BY_CODE, BY_HISTORY, BY_ITEM, BY_FAMILY, BY_NAME, BY_DESCRIPTION = 0.95, 0.9, 0.85, 0.55, 0.6, 0.45
LEAST_ALIKE = 0.6  # names that share less say nothing


@dataclass(frozen=True, slots=True)
class Target:
    """Where lines land: the codes of an item mapping."""

    gl_account: str
    sub_account: str = ""
    cost_centre: str = ""
    project: str = ""
    qad_item: str = ""
    tax_code: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An item price of the catalogue, and what it is mapped to at its own or its item's level, if it is."""

    item_price: str
    item: str
    family: str = ""
    name: str = ""
    accounting_code: str = ""
    sku: str = ""
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`score` is 0..1; `reasons` are the signs, strongest first."""

    target: Target
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What suggestions are drawn from.

    `accounts`: postable GL accounts, code -> description; `items`: item codes that QAD lists;
    `former`: Chargebee id -> where it was mapped before its row ended or was deleted.
    """

    entries: Sequence[Entry] = ()
    accounts: Mapping[str, str] = field(default_factory=dict)
    items: frozenset[str] = frozenset()
    former: Mapping[str, Target] = field(default_factory=dict)


Sign = tuple[Target, float, str]


def suggest(entry: Entry, known: Knowledge) -> list[Suggestion]:
    """At most MOST suggestions, best first; [] where nothing speaks for any account."""
    others = [one for one in known.entries if one.target is not None and one.item_price != entry.item_price]
    signs = [
        *_by_code(entry, known, others),
        *_by_history(entry, known),
        *_by_kin(entry, others),
        *_by_name(entry, others),
        *_by_description(entry, known),
    ]
    found = [_joined(target, signs) for target in dict.fromkeys(sign[0] for sign in signs)]
    usable = [one for one in found if one.target.gl_account in known.accounts]
    best = sorted(usable, key=lambda one: (-one.score, one.target.gl_account))[:MOST]
    return [_with_item(one, entry, known) for one in best]


def _by_code(entry: Entry, known: Knowledge, others: Sequence[Entry]) -> Iterator[Sign]:
    code = entry.accounting_code.strip()
    if code not in known.accounts:
        return
    same = Counter(one.target for one in others if one.target is not None and one.target.gl_account == code)
    target = same.most_common(1)[0][0] if same else Target(code)
    yield _bare(target), BY_CODE, f"Chargebee gives it the accounting code {code}"


def _by_history(entry: Entry, known: Knowledge) -> Iterator[Sign]:
    for key in dict.fromkeys((entry.item_price, entry.item)):
        if key in known.former:
            yield _bare(known.former[key]), BY_HISTORY, f"'{key}' was mapped there before"
            return


def _by_kin(entry: Entry, others: Sequence[Entry]) -> Iterator[Sign]:
    """Other prices of the same item, then other items of the family; the share that agrees counts."""
    siblings = [one.target for one in others if one.item == entry.item and one.target is not None]
    yield from _votes(siblings, BY_ITEM, "of the item's other prices")
    cousins = {one.item: one.target for one in others if one.item != entry.item and one.family == entry.family}
    if entry.family:
        yield from _votes([one for one in cousins.values() if one is not None], BY_FAMILY, "of its family's items")


def _votes(targets: Sequence[Target], weight: float, whose: str) -> Iterator[Sign]:
    for target, count in Counter(_bare(one) for one in targets).items():
        yield target, weight * count / len(targets), f"{count} of {len(targets)} {whose}"


def _by_name(entry: Entry, others: Sequence[Entry]) -> Iterator[Sign]:
    """The mapped item of another name that is most like this one's, for each target."""
    best: dict[Target, tuple[float, str]] = {}
    for one in others:
        if one.item == entry.item or one.target is None:
            continue
        likeness = _likeness(_name(entry), _name(one))
        target = _bare(one.target)
        if likeness >= LEAST_ALIKE and likeness > best.get(target, (0.0, ""))[0]:
            best[target] = (likeness, one.name or one.item)
    for target, (likeness, name) in best.items():
        yield target, BY_NAME * likeness, f"its name is like '{name}'"


def _by_description(entry: Entry, known: Knowledge) -> Iterator[Sign]:
    words = _words(_name(entry))
    for code, description in known.accounts.items():
        told = _words(description)
        shared = words & told
        if shared:
            likeness = len(shared) / min(len(words), len(told))
            yield Target(code), BY_DESCRIPTION * likeness, f"account {code} is called '{description}'"


def _joined(target: Target, signs: Iterable[Sign]) -> Suggestion:
    """Signs for one target: each leaves its share of the doubt that the others left."""
    mine = sorted((sign for sign in signs if sign[0] == target), key=lambda sign: -sign[1])
    doubt = 1.0
    for _, weight, _ in mine:
        doubt *= 1.0 - weight
    return Suggestion(target, 1.0 - doubt, tuple(dict.fromkeys(reason for _, _, reason in mine)))


def _with_item(one: Suggestion, entry: Entry, known: Knowledge) -> Suggestion:
    """The SKU as the QAD item where QAD lists it."""
    if entry.sku not in known.items:
        return one
    target = Target(*(getattr(one.target, name) for name in ("gl_account", "sub_account", "cost_centre", "project")))
    whole = Target(
        target.gl_account, target.sub_account, target.cost_centre, target.project, entry.sku, one.target.tax_code
    )
    return Suggestion(whole, one.score, (*one.reasons, f"QAD has an item {entry.sku}"))


def _bare(target: Target) -> Target:
    """Without the QAD item, which belongs to one item only."""
    return Target(target.gl_account, target.sub_account, target.cost_centre, target.project, "", target.tax_code)


def _name(entry: Entry) -> str:
    return entry.name or entry.item


@lru_cache(maxsize=20_000)
def _likeness(one: str, other: str) -> float:
    """Shared words count for more than shared letters: 'Pro plan' is like 'Basic plan', not like 'Program'."""
    mine, theirs = _words(one), _words(other)
    shared = len(mine & theirs) / max(1, min(len(mine), len(theirs)))
    return max(shared * 0.9, SequenceMatcher(None, normalised(one), normalised(other)).ratio())


@lru_cache(maxsize=20_000)
def _words(text: str) -> frozenset[str]:
    """The telling words of a name; currencies, periods and very short words tell nothing."""
    return frozenset(word for word in normalised(text).split() if len(word) > 2 and word not in _DULL)


_DULL = frozenset(
    "usd eur gbp jpy kwd chf monthly yearly weekly daily quarterly annual month year and for the price".split()  # noqa: SIM905
)

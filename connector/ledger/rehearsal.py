"""What keeping customers the same would do, counted before anything is written."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from connector.chargebee.records import Customer
from connector.ledger import identity
from connector.ledger.identity import Identity, Index
from connector.ledger.merging import Rule, decide
from connector.ledger.party_fields import Values, of_chargebee
from connector.ledger.projecting import Projection

LINKED, MATCHED, TO_QAD, TO_CHARGEBEE = "linked", "matched", "would create in QAD", "would create in Chargebee"
AMBIGUOUS, BLOCKED, SKIPPED = "ambiguous", "blocked", "skipped"
BUCKETS = (LINKED, MATCHED, TO_QAD, TO_CHARGEBEE, AMBIGUOUS, BLOCKED, SKIPPED)
SHOWN = 20  # examples of each


@dataclass(frozen=True, slots=True)
class Party:
    """A QAD customer. `is_shared`: the tenant's rule says that he belongs in Chargebee; `why_not`: why he cannot be."""

    identity: Identity
    values: Values
    is_shared: bool
    why_not: str = ""


@dataclass(slots=True)
class Rehearsal:
    """`counts` by bucket, `how` matches were found, `fields` that would be written as (side, field), and examples."""

    counts: Counter[str] = field(default_factory=Counter)
    how: Counter[str] = field(default_factory=Counter)
    fields: Counter[tuple[str, str]] = field(default_factory=Counter)
    lost: int = 0  # values that would not be kept
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def tell(self, bucket: str, text: str) -> None:
        self.counts[bucket] += 1
        if len(self.examples[bucket]) < SHOWN:
            self.examples[bucket].append(text)


@dataclass(frozen=True, slots=True)
class Stage:
    """`links` are Chargebee id -> QAD code; `blocks` says why a Chargebee customer cannot be taken, '' if he can;
    `may_create` what the policies allow on each side."""

    rules: Sequence[Rule]
    projection: Projection
    links: Mapping[str, str]
    apart: Sequence[tuple[str, str]]
    blocks: Callable[[Customer], str]
    may_create_in_qad: bool
    may_create_in_chargebee: bool


def rehearse(customers: Iterable[Customer], parties: Iterable[Party], stage: Stage) -> Rehearsal:
    """Both systems as they are now; the rows of a pair are compared as a first pass would compare them."""
    told, there = Rehearsal(), {one.identity.key: one for one in parties}
    taken = {code: key for key, code in stage.links.items()}
    index = Index((one.identity for one in there.values()), stage.projection, taken, stage.apart)
    known, met = [], set(taken)
    for customer in customers:
        known.append(identity.of_customer(customer, stage.projection))
        code = _chargebee(customer, index, stage, told)
        if code in there:
            met.add(code)
            _compare(of_chargebee(customer), there[code].values, stage, told)
    _left_in_qad([one for key, one in there.items() if key not in met], known, stage, told)
    return told


def _chargebee(customer: Customer, index: Index, stage: Stage, told: Rehearsal) -> str:
    """Tells what becomes of one Chargebee customer; returns the QAD customer that he is."""
    if customer.id in stage.links:
        told.tell(LINKED, f"{customer.id} is {stage.links[customer.id]}")
        return stage.links[customer.id]
    why = stage.blocks(customer)
    if why:
        told.tell(BLOCKED, f"{customer.id}: {why}")
        return ""
    match = index.match(customer)
    if match.code:
        told.how[match.how] += 1
        told.tell(MATCHED, f"{customer.id} is {match.code}, by {match.how}")
        return match.code
    if match.candidates:
        told.tell(AMBIGUOUS, f"{customer.id} may be " + ", ".join(f"{code} ({why})" for code, why in match.candidates))
    elif stage.may_create_in_qad:
        told.tell(TO_QAD, customer.id)
    else:
        told.tell(BLOCKED, f"{customer.id}: QAD does not have him, and policy create_customers says hold")
    return ""


def _left_in_qad(left: Iterable[Party], known: Sequence[Identity], stage: Stage, told: Rehearsal) -> None:
    index = Index(known, stage.projection, stage.links, stage.apart)
    for one in left:
        if not one.is_shared:
            told.counts[SKIPPED] += 1
            continue
        match = index.find(one.identity)
        if match.candidates:
            who = ", ".join(f"{key} ({why})" for key, why in match.candidates)
            told.tell(AMBIGUOUS, f"QAD's {one.identity.key} may be {who}")
        elif match.code:
            continue  # the Chargebee customer was told already
        elif one.why_not or not stage.may_create_in_chargebee:
            told.tell(BLOCKED, f"QAD's {one.identity.key}: {one.why_not or 'policy align_customers is not both'}")
        else:
            told.tell(TO_CHARGEBEE, one.identity.key)


def _compare(chargebee: Values, qad: Values, stage: Stage, told: Rehearsal) -> None:
    for rule in stage.rules:
        if rule.name in chargebee and rule.name in qad:
            verdict = decide(rule, None, chargebee[rule.name], qad[rule.name], stage.projection)
            if verdict.side:
                told.fields[verdict.side.value, rule.name] += 1
                told.lost += bool(verdict.lost)

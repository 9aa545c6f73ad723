"""One document in three books: Chargebee's, ours and QAD's. What differs, what explains it, and what is left over."""

from __future__ import annotations

import calendar
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from connector.money import Money, UnknownCurrency, plain
from connector.periods import year_and_period

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Period:
    """A calendar month of business dates, both ends included."""

    first: dt.date
    last: dt.date

    @classmethod
    def named(cls, text: str) -> Period:
        """From '2026-11'. Raises ValueError for anything else."""
        first = dt.datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a business date has no zone
        return cls(first, first.replace(day=calendar.monthrange(first.year, first.month)[1]))

    @property
    def name(self) -> str:
        return year_and_period(self.first)

    def __contains__(self, day: object) -> bool:
        return isinstance(day, dt.date) and self.first <= day <= self.last

    def moments(self, zone: str) -> tuple[dt.datetime, dt.datetime]:
        """When it begins in an accounting zone, and when the next one does."""
        midnight = dt.time(tzinfo=ZoneInfo(zone))
        return dt.datetime.combine(self.first, midnight), dt.datetime.combine(
            self.last + dt.timedelta(days=1), midnight
        )


@dataclass(frozen=True, slots=True)
class Sent:
    """What QAD was told. `total` has the sign in which QAD shows it, None where it shows none."""

    reference: str
    customer: str
    currency: str
    total: Decimal | None
    posting_date: dt.date
    number: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """What QAD shows under a reference; '' and None where it does not say."""

    reference: str
    number: str
    customer: str = ""
    currency: str = ""
    total: Decimal | None = None
    posting_date: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One property that is not the same in QAD."""

    name: str
    theirs: str
    ours: str

    def __str__(self) -> str:
        return f"its {self.name} is {self.theirs} and ours is {self.ours}"


def differences(sent: Sent, copy: Copy) -> list[Difference]:
    """What must be equal and is not: the reference byte for byte, customer, currency, and the total exactly."""
    found = []
    for name, theirs, ours in (
        ("reference", copy.reference, sent.reference),
        ("customer", copy.customer, sent.customer),
        ("currency", copy.currency, sent.currency),
    ):
        if theirs and theirs != ours:
            found.append(Difference(name, theirs, ours))
    if copy.total is not None and sent.total is not None and copy.total != sent.total:
        shown = amount_text(copy.total, copy.currency or sent.currency)
        found.append(Difference("total", shown, amount_text(sent.total, sent.currency)))
    return found


def shift(sent: Sent, copy: Copy) -> Difference | None:
    """QAD posted it on another date than it was told: with the period, where that is another one too."""
    theirs = copy.posting_date
    if theirs is None or theirs == sent.posting_date:
        return None
    name = "posting date"
    if year_and_period(theirs) != year_and_period(sent.posting_date):
        name = "posting date, in another period,"
    return Difference(name, theirs.isoformat(), sent.posting_date.isoformat())


class Verdict(StrEnum):
    SAME = "same"
    SHIFTED = "shifted"  # the same document on another date
    DIFFERENT = "different"
    TWICE = "twice"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Finding:
    """What reading back came to, and the sentence for a person ('' where nothing is amiss)."""

    verdict: Verdict
    sentence: str = ""
    copy: Copy | None = None


def judge(sent: Sent, copies: Sequence[Copy]) -> Finding:
    """All that QAD holds under the reference against what was sent."""
    if not copies:
        return Finding(Verdict.ABSENT, f"QAD does not have {sent.reference}, although it took it as {sent.number}.")
    if len(copies) > 1:
        numbers = ", ".join(sorted(copy.number for copy in copies))
        return Finding(Verdict.TWICE, f"QAD has reference {sent.reference} more than once: {numbers}.", copies[0])
    copy = copies[0]
    found = differences(sent, copy)
    if found:
        clauses = "; ".join(str(one) for one in found)
        return Finding(Verdict.DIFFERENT, f"QAD has reference {sent.reference} as {copy.number}, but {clauses}.", copy)
    moved = shift(sent, copy)
    if moved is not None:
        return Finding(Verdict.SHIFTED, f"QAD has {sent.reference} as {copy.number}, but {moved}.", copy)
    return Finding(Verdict.SAME, copy=copy)


@dataclass(frozen=True, slots=True)
class Variance:
    """One document that is not the same in the three books. An explained one needs nobody; the others do.

    Amounts are in `currency`, None where a book does not have it; `document` is the key of the source, if there is one.
    """

    code: str
    kind: str
    currency: str
    sentence: str
    fix: str = ""
    is_explained: bool = False
    source_id: str = ""
    reference: str = ""
    document: int | None = None
    chargebee: Decimal | None = None
    ours: Decimal | None = None
    qad: Decimal | None = None

    def as_dict(self) -> dict[str, Any]:
        amounts = {
            name: None if (amount := getattr(self, name)) is None else amount_text(amount, self.currency)
            for name in ("chargebee", "ours", "qad")
        }
        names = ("code", "kind", "currency", "sentence", "fix", "is_explained", "source_id", "reference", "document")
        return {**{name: getattr(self, name) for name in names}, **amounts}


@dataclass(slots=True)
class Figure:
    """One kind and currency. `chargebee` is None for documents that only we make, such as reversals.

    `qad` is what QAD has of these very documents; `moved_out` of it stands in other periods there, and `moved_in` are
    documents of other periods that stand in this one. `not_shown` of `qad` rests on our word: QAD shows no total.
    """

    kind: str
    currency: str
    chargebee: Decimal | None = None
    ours: Decimal = ZERO
    qad: Decimal = ZERO
    moved_out: Decimal = ZERO
    moved_in: Decimal = ZERO
    not_shown: Decimal = ZERO
    documents: int = 0
    explained: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @property
    def residual(self) -> Decimal:
        """What neither QAD nor any reason accounts for."""
        expected = self.ours if self.chargebee is None else self.chargebee
        return expected - sum(self.explained.values(), ZERO) - self.qad

    def as_dict(self) -> dict[str, Any]:
        def text(amount: Decimal) -> str:
            return amount_text(amount, self.currency)

        return {
            "kind": self.kind,
            "currency": self.currency,
            "documents": self.documents,
            "chargebee": None if self.chargebee is None else text(self.chargebee),
            "explained": {reason: text(amount) for reason, amount in sorted(self.explained.items()) if amount},
            "ours": text(self.ours),
            "qad": text(self.qad),
            "moved_out": text(self.moved_out),
            "moved_in": text(self.moved_in),
            "qad_in_period": text(self.qad - self.moved_out + self.moved_in),
            "not_shown": text(self.not_shown),
            "residual": text(self.residual),
        }


@dataclass(slots=True)
class Statement:
    """All figures of a period and the variances behind them: every one is counted, `cap` of each sort are kept."""

    cap: int = 500
    figures: dict[tuple[str, str], Figure] = field(default_factory=dict)
    variances: list[Variance] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    kept: Counter[bool] = field(default_factory=Counter)
    unexplained: int = 0

    def figure(self, kind: str, currency: str) -> Figure:
        return self.figures.setdefault((kind, currency), Figure(kind, currency))

    def tell(self, variance: Variance) -> None:
        self.counts[variance.code] += 1
        self.unexplained += not variance.is_explained
        if self.kept[variance.is_explained] < self.cap:
            self.kept[variance.is_explained] += 1
            self.variances.append(variance)

    def expect(
        self, kind: str, currency: str, *, chargebee: Decimal | None, ours: Decimal, qad: Decimal, reason: str = ""
    ) -> Decimal:
        """Count one document; what QAD lacks of it goes to `reason` if there is one. Returns what nothing explains."""
        figure = self.figure(kind, currency)
        figure.documents += 1
        figure.ours += ours
        figure.qad += qad
        if chargebee is not None:
            figure.chargebee = (figure.chargebee or ZERO) + chargebee
        lacking = (ours if chargebee is None else chargebee) - qad
        if lacking and reason:
            figure.explained[reason] += lacking
            return ZERO
        return lacking

    @property
    def is_balanced(self) -> bool:
        """Nothing is left over, and nothing stands against it."""
        return not self.unexplained and not any(figure.residual for figure in self.figures.values())

    def rows(self) -> list[dict[str, Any]]:
        return [self.figures[key].as_dict() for key in sorted(self.figures)]


def amount_text(amount: Decimal, currency: str) -> str:
    """With the currency's own number of places, or as it stands for a currency that nobody knows."""
    try:
        return plain(Money(amount, currency))
    except UnknownCurrency:
        return f"{amount:f}"

"""Counts and money by kind, currency and disposition, added up by the database; and what holds documents, by cause."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum

from syncs.admin import links, words
from syncs.models import Kind, Posting, SourceDocument
from syncs.states import Disposition, PostingState, SourceState, disposition
from tenants.models import Tenant

STUCK_SOURCES = (SourceState.HELD, SourceState.UNREADABLE)
STUCK_POSTINGS = tuple(
    state
    for state in PostingState
    if disposition(SourceState.CODED, state)
    in (Disposition.REJECTED, Disposition.UNCERTAIN, Disposition.CONFLICT, Disposition.PARKED, Disposition.HELD)
)
SAMPLED = 1000  # newest documents whose sentences are read to say what a cause is about

# A document's last posting: the one that its disposition is read from.
last_posting = Posting.objects.filter(source=OuterRef("pk")).order_by("-place")


@dataclass(frozen=True, slots=True)
class Figure:
    """How many documents of one kind and currency stand in one disposition, with their money in minor units."""

    kind: str
    currency: str
    disposition: str
    count: int
    minor: int


def breakdown(rows: QuerySet[SourceDocument]) -> list[Figure]:
    """Every document of `rows` counted once; a pair of states that the table does not know is `unknown`."""
    sums = {"n": Count("pk"), "minor": Sum("total_minor")}
    bare = rows.order_by()
    found: Counter[tuple[str, str, str]] = Counter()
    minor: Counter[tuple[str, str, str]] = Counter()
    plain = bare.exclude(state=SourceState.CODED).values_list("kind", "currency", "state").annotate(**sums)
    for kind, currency, state, count, amount in plain:
        _add(found, minor, (kind, currency, disposition(state, None)), count, amount)
    coded = bare.filter(state=SourceState.CODED).annotate(stage=Subquery(last_posting.values("state")[:1]))
    for kind, currency, stage, count, amount in coded.values_list("kind", "currency", "stage").annotate(**sums):
        _add(found, minor, (kind, currency, disposition(SourceState.CODED, stage)), count, amount)
    return [Figure(*key, count, minor[key]) for key, count in sorted(found.items())]


def _add(
    found: Counter[tuple[str, str, str]],
    minor: Counter[tuple[str, str, str]],
    key: tuple[str, str, Disposition | None],
    count: int,
    amount: int | None,
) -> None:
    kind, currency, name = key
    whole = (kind, currency, str(name or words.UNKNOWN))
    found[whole] += count
    minor[whole] += amount or 0


def in_disposition(rows: QuerySet[SourceDocument], name: str, tenant: Tenant | None) -> QuerySet[SourceDocument]:
    """The part of a tenant's `rows` that stands in one disposition."""
    sources = [state for state in SourceState if state != SourceState.CODED and disposition(state, None) == name]
    stages = [state for state in PostingState if disposition(SourceState.CODED, state) == name]
    wanted = Q(state__in=sources)
    if stages:
        later = Posting.objects.filter(source=OuterRef("source"), place__gt=OuterRef("place"))
        last = Posting.objects.filter(~Exists(later), state__in=stages)
        if name == Disposition.POSTED:  # most documents: the newest of them are found before a list of all is made
            wanted |= Q(Exists(last.filter(source=OuterRef("pk"))), state=SourceState.CODED)
        else:
            wanted |= Q(pk__in=last.filter(tenant=tenant).values("source_id"), state=SourceState.CODED)
    return rows.filter(wanted)


@dataclass(slots=True)
class Cause:
    """What one problem holds. `sentence` is an example; `subjects` are the things it is about, most frequent first."""

    code: str
    title: str
    query: dict[str, str]
    count: int = 0
    minor: Counter[str] = field(default_factory=Counter)
    problem: dict[str, str] = field(default_factory=dict)
    subjects: Counter[str] = field(default_factory=Counter)

    @property
    def sentence(self) -> str:
        return self.problem.get("message", "")

    @property
    def count_said(self) -> str:
        return words.counted(self.count, "document")

    @property
    def money(self) -> list[str]:
        return [words.money(amount, currency) for currency, amount in sorted(self.minor.items()) if currency]

    @property
    def named(self) -> list[str]:
        """The first few subjects with their counts, when there is more than one."""
        if len(self.subjects) < 2:
            return []
        shown = [f"{subject} ({count:,})" for subject, count in self.subjects.most_common(4)]
        more = len(self.subjects) - len(shown)
        return [*shown, f"and {more:,} more"] if more > 0 else shown


TITLES: dict[str, str] = {
    "item-not-mapped": "Lines without a GL account",
    "tax-not-mapped": "Taxes without an account or tax code",
    "role-not-mapped": "Account roles that are not set",
    "account-unknown": "Mapped to a GL account that QAD does not have",
    "account-inactive": "Mapped to an inactive GL account",
    "dimension-missing": "A GL account needs a dimension that its mapping does not give",
    "account-currency": "Mapped to a GL account of another currency",
    "customer-not-linked": "Customers without a customer in QAD",
    "customer-unknown": "Linked to a QAD customer that QAD does not have",
    "customer-inactive": "Linked to an inactive QAD customer",
    "customer-incomplete": "Linked to an incomplete QAD customer",
    "customer-has-candidates": "Customers that may be in QAD already",
    "customer-not-in-qad": "Customers that QAD does not have",
    "customer-linked-already": "Customers that are linked to another QAD customer already",
    "customer-code-taken": "QAD customer codes taken by somebody else",
    "rounding-too-large": "Rounding difference above the limit",
    "changed-after-posting": "Changed in Chargebee after posting",
    "voided-after-posting": "Voided or deleted in Chargebee after posting",
    "lines-missing": "Chargebee sent only some of the lines",
}
_POSTING_TITLES: dict[str, str] = {
    Disposition.REJECTED: "QAD said no",
    Disposition.UNCERTAIN: "No answer came: may be in QAD already, being looked up",
    Disposition.PARKED: "Could not be sent in the allowed number of attempts",
    Disposition.CONFLICT: "QAD has something else, or twice, under our reference",
    Disposition.HELD: "Withdrawn before it was sent",
}


def causes(tenant: Tenant) -> list[Cause]:
    """What needs a person, worst first: documents that QAD refused, then by the number of documents held."""
    postings = sorted(_posting_causes(tenant), key=lambda cause: -cause.count)
    return postings + sorted(_source_causes(tenant), key=lambda cause: -cause.count)


def _source_causes(tenant: Tenant) -> Iterable[Cause]:
    """By problem code. Counts and money are exact; a document with two problems counts under both."""
    stuck = SourceDocument.objects.filter(tenant=tenant, kind__in=Kind.values, state__in=STUCK_SOURCES)
    found: dict[str, Cause] = {}
    grouped = stuck.order_by().values_list("codes", "currency").annotate(n=Count("pk"), minor=Sum("total_minor"))
    for codes, currency, count, minor in grouped:
        for code in filter(None, codes.split("|")):
            cause = found.setdefault(code, Cause(code, TITLES.get(code, ""), {"code": code}))
            cause.count += count
            cause.minor[currency] += minor or 0
    _describe(found, stuck.order_by("-pk").values_list("problems", flat=True)[:SAMPLED])
    return found.values()


def _describe(found: dict[str, Cause], sample: Iterable[Sequence[dict[str, str]]]) -> None:
    for problems in sample:
        for problem in problems:
            cause = found.get(problem["code"])
            if cause is not None:
                cause.problem = cause.problem or problem
                cause.subjects[problem["subject"]] += 1
    for cause in found.values():
        cause.title = cause.title or cause.sentence or cause.code


def _posting_causes(tenant: Tenant) -> Iterable[Cause]:
    """By disposition; what QAD said is shown as the subjects."""
    stuck = Posting.objects.filter(tenant=tenant, state__in=STUCK_POSTINGS, source__state=SourceState.CODED)
    found: dict[str, Cause] = {}
    grouped = stuck.order_by().values_list("state", "source__currency")
    for state, currency, count, minor in grouped.annotate(n=Count("pk"), minor=Sum("source__total_minor")):
        name = str(disposition(SourceState.CODED, state))
        cause = found.setdefault(name, Cause(name, _POSTING_TITLES[name], {"disposition": name}))
        cause.count += count
        cause.minor[currency] += minor or 0
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for state, problems in stuck.order_by("-pk").values_list("state", "problems")[:SAMPLED]:
        known = found.get(str(disposition(SourceState.CODED, state)))
        if known is not None and problems:
            known.problem = known.problem or problems[0]
            said[known.code][problems[0]["message"]] += 1
    for name, messages in said.items():
        found[name].subjects = messages
    return found.values()


@dataclass(frozen=True, slots=True)
class Cell:
    count: str
    money: str
    url: str


def matrix(figures: Sequence[Figure]) -> dict[str, Any]:
    """Rows of kind and currency, columns of the dispositions that occur; cells lead to the filtered list."""
    used = [name for name in (*Disposition.values, words.UNKNOWN) if any(one.disposition == name for one in figures)]
    found: dict[tuple[str, str], dict[str, Figure]] = defaultdict(dict)
    for one in figures:
        found[(one.kind, one.currency)][one.disposition] = one
    rows = [
        {
            "kind": Kind(kind).label,
            "currency": currency,
            "cells": [_cell(found[(kind, currency)].get(name)) for name in used],
        }
        for kind, currency in sorted(found, key=lambda key: (kind_order(key[0]), key))
    ]
    return {"columns": used, "rows": rows}


def kind_order(kind: str) -> int:
    """Invoices first, then other documents, customers, and the catalogue last."""
    return 0 if kind == Kind.INVOICE else 1 if words.has_money(kind) else 2 if kind == Kind.CUSTOMER else 3


def _cell(figure: Figure | None) -> Cell | None:
    if figure is None:
        return None
    money = words.digits(figure.minor, figure.currency) if words.has_money(figure.kind) else ""
    query = {"kind__exact": figure.kind, "disposition": figure.disposition}
    query |= {"currency": figure.currency} if figure.currency else {}
    return Cell(f"{figure.count:,}", money, links.documents_url(**query))

"""Where everything stands: counts and money by kind, currency and disposition, and every held document's problems."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from syncs.completeness import money_text, standings
from syncs.models import Kind, Purpose, Run, SourceDocument
from syncs.states import SourceState
from tenants.models import Tenant

STUCK = (SourceState.HELD, SourceState.UNREADABLE)


@dataclass(slots=True)
class Group:
    """One kind and currency: how many documents, and how much of Chargebee's money, stand where."""

    kind: str
    currency: str
    counts: Counter[str] = field(default_factory=Counter)
    minor: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        money = (
            {name: money_text(amount, self.currency) for name, amount in self.minor.items()} if self.currency else {}
        )
        return {"kind": self.kind, "currency": self.currency, "counts": dict(self.counts), "money": money}


def groups(tenant: Tenant) -> list[Group]:
    """Every kind and currency that is stored."""
    found: dict[tuple[str, str], Group] = {}
    for kind in Kind.values:
        for _, standing in standings(tenant, kind):
            group = found.setdefault((kind, standing.currency), Group(kind, standing.currency))
            name = standing.disposition or "unknown"
            group.counts[name] += 1
            if standing.total is not None:
                group.minor[name] += standing.total
    return list(found.values())


def held(tenant: Tenant) -> Iterator[dict[str, Any]]:
    """Every document that a person must look at, with its problems: held, unreadable, rejected, uncertain, parked…"""
    rows = SourceDocument.objects.filter(tenant=tenant, state__in=STUCK).order_by("kind", "pk")
    for kind, source_id, state, problems in rows.values_list("kind", "source_id", "state", "problems").iterator():
        yield {"kind": kind, "id": source_id, "state": state, "problems": problems}
    stuck = tenant.postings.filter(source__state=SourceState.CODED).exclude(
        state__in=("ready", "sending", "posted", "verified", "reversed")
    )
    names = ("kind", "source__source_id", "state", "problems")
    for kind, source_id, state, problems in stuck.order_by("pk").values_list(*names).iterator():
        yield {"kind": kind, "id": source_id, "state": state, "problems": problems}


def causes(tenant: Tenant) -> list[tuple[str, str, int]]:
    """(code, one example sentence, how many documents) of what holds documents, most frequent first."""
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    by_document: dict[str, set[str]] = defaultdict(set)
    for row in held(tenant):
        for problem in row["problems"]:
            if row["id"] not in by_document[problem["code"]]:
                by_document[problem["code"]].add(row["id"])
                counts[problem["code"]] += 1
                examples.setdefault(problem["code"], f"{problem['message']} {problem['fix']}".strip())
    return [(code, examples[code], count) for code, count in counts.most_common()]


def status(tenant: Tenant) -> dict[str, Any]:
    """Everything of the above as plain values, for JSON and for text."""
    run = Run.objects.filter(tenant=tenant, purpose=Purpose.SYNC).first()
    return {
        "tenant": tenant.slug,
        "groups": [group.as_dict() for group in groups(tenant)],
        "last_run": None if run is None else run_facts(run),
        "held": list(held(tenant)),
    }


def run_facts(run: Run) -> dict[str, Any]:
    return {
        "id": run.pk,
        "state": run.state,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "sentence": run.sentence,
        "equation": run.equation,
        "holds": bool(run.equation) and all(one["holds"] for one in run.equation),
    }

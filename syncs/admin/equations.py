"""The completeness equation of a run as a table and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from syncs.admin import links, words
from syncs.admin.figures import kind_order
from syncs.models import Kind, Run, RunState, SourceDocument
from syncs.states import Disposition

_AMISS = {"missing": "listed in Chargebee, but not accounted for", "differing": "stored with another total"}
NAMED = 50  # missing ids that are named; the rest are counted


@dataclass(frozen=True, slots=True)
class Term:
    """One disposition of one row of the equation."""

    count: int
    money: str
    url: str


@dataclass(frozen=True, slots=True)
class Line:
    """One kind and currency. `terms` has one entry for each column, None where nothing stands there."""

    kind: str
    currency: str
    listed: int
    terms: list[Term | None]
    holds: bool
    missing: int


def shown(run: Run) -> dict[str, Any]:
    """Context of the run's page; also used by the dashboard."""
    columns = [name for name in Disposition.values if any(name in one["dispositions"] for one in run.equation)]
    return {
        "run": run,
        "tone": "wait" if run.state == RunState.RUNNING else ("good" if is_green(run) else "bad"),
        "says": sentence(run),
        "columns": [words.disposition_label(name) for name in columns],
        "lines": [_line(one, columns) for one in _ordered(run.equation)],
        "lost": _lost(run),
        "started": words.moment(run.started_at, run.tenant.time_zone),
        "finished": words.moment(run.finished_at, run.tenant.time_zone),
        "duration": duration(run),
    }


def is_green(run: Run) -> bool:
    """Only a run that came to its end and accounts for everything."""
    return run.state == RunState.COMPLETE and all(one["holds"] for one in run.equation)


def sentence(run: Run) -> str:
    """What the run says of itself, never success without an equation that holds."""
    listed = sum(one["listed"] for one in run.equation)
    if is_green(run):
        counted = words.counted(listed, "document was", "documents were")
        whole = f"{counted} listed in Chargebee, and each is accounted for."
        return f"{whole} Nothing was posted: {run.sentence}" if run.sentence else whole
    if run.state == RunState.RUNNING:
        return "It is running."
    if run.state == RunState.INTERRUPTED:
        return run.sentence or "It was interrupted before its end, so nothing is proved. Start the sync again."
    return run.sentence or "The equation does not hold."


def duration(run: Run) -> str:
    """'8 s', '3 min 20 s'; so far, if it is running."""
    if run.finished_at is None and run.state != RunState.RUNNING:
        return words.NONE
    seconds = round(((run.finished_at or timezone.now()) - run.started_at).total_seconds())
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60:,} min {seconds % 60} s"


def _ordered(equation: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(equation, key=lambda one: (kind_order(one["kind"]), one["kind"], one["currency"]))


def _line(one: dict[str, Any], columns: list[str]) -> Line:
    kind, currency = one["kind"], one["currency"]
    return Line(
        kind=Kind(kind).label,
        currency=currency,
        listed=one["listed"],
        terms=[_term(one, name, kind, currency) for name in columns],
        holds=one["holds"],
        missing=len(one["missing"]) + len(one["differing"]),
    )


def _term(one: dict[str, Any], name: str, kind: str, currency: str) -> Term | None:
    count = one["dispositions"].get(name, 0)
    if not count:
        return None
    money = words.digits(one["money_minor"].get(name, 0), currency) if words.has_money(kind) else ""
    query = {"kind__exact": kind, "disposition": name} | ({"currency": currency} if currency else {})
    return Term(count, money, links.documents_url(**query))


def _lost(run: Run) -> list[dict[str, Any]]:
    """The ids that make a run red, each with its page if the document is stored at all."""
    found = []
    for one in run.equation:
        for name, what in _AMISS.items():
            if one[name]:
                money = words.money(one.get("amiss_minor", {}).get(name), one["currency"])
                found.append(_named(run, one["kind"], one[name], what if money == words.NONE else f"{what}: {money}"))
    return found


def _named(run: Run, kind: str, ids: list[str], what: str) -> dict[str, Any]:
    stored = SourceDocument.objects.filter(tenant=run.tenant_id, kind=kind, source_id__in=ids[:NAMED])
    pages = {source_id: links.document_url(pk) for pk, source_id in stored.values_list("pk", "source_id")}
    return {
        "what": f"{words.counted(len(ids), Kind(kind).label.lower())} {what}",
        "ids": [links.Button(pages.get(source_id, ""), source_id) for source_id in ids[:NAMED]],
        "more": max(0, len(ids) - NAMED),
    }

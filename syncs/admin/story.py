"""The whole story of one document in order: versions read, journals prepared, sendings, look-ups, decisions, notes."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from syncs.admin import journals, links
from syncs.admin.jsontext import indented
from syncs.models import Attempt, Kind, Posting, Remark, Run, SourceDocument
from tenants.models import AuditEntry, Tenant

ENTRIES_SHOWN, ATTEMPTS_SHOWN, VERSIONS_SHOWN = 400, 60, 50
LONGEST_JSON = 200_000  # characters of a source document that are shown
READ = ("listed", "changed-in-chargebee")
MADE = ("prepared", "rebuilt")
OF_ITS_CUSTOMER = ("creating-customer", "linked")


@dataclass(slots=True)
class Event:
    """One line of the story; `about` is the posting that it concerns, '' for the document itself."""

    at: dt.datetime
    entry: AuditEntry | None = None
    title: str = ""
    about: str = ""
    text: str = ""
    buttons: list[links.Button] = field(default_factory=list)
    attempt: dict[str, Any] | None = None
    json: str = ""


def story(tenant: Tenant, row: SourceDocument, chain: Sequence[Posting]) -> list[Event]:
    """Oldest first; a fixed number of queries."""
    entries = _entries(tenant, row, chain)
    versions = _versions(row)
    reads = [entry for entry in entries if entry.action in READ and entry.subject == _subject(row)]
    contents = dict(zip((entry.pk for entry in reversed(reads)), reversed(versions), strict=False))
    attempts = _attempts(tenant, chain)
    notes = {remark.pk: remark.text for remark in Remark.objects.filter(tenant=tenant, source=row)}
    runs = _runs(tenant, [entry.at for entry in reads])
    used = {posting.reference: _mappings(tenant, posting) for posting in chain}
    settled = {key for entry in entries if entry.action != "sending" and (key := _key(entry)) in attempts}
    made = {entry.at for entry in entries if entry.action in MADE}
    events = []
    for entry in entries:
        if entry.action == "coded" and entry.at in made:
            continue  # the lines of what was made of it say the same
        about = _about(entry, row)
        event = Event(entry.at, entry, about=about, json=contents.get(entry.pk, ""))
        key = _key(entry)
        if key in attempts and (entry.action != "sending" or key not in settled):
            event.attempt = attempts.pop(key)
        if entry.action in MADE:
            event.buttons = used.get(about, [])
        if entry.action in READ:
            event.buttons = _run_of(runs, entry.at)
        if entry.action == "noted" and isinstance(entry.after, dict):
            event.text = notes.get(entry.after.get("note") or 0, "")
        events.append(event)
    events += [_lone(one) for one in attempts.values()]
    return sorted(events, key=lambda event: event.at)


def _about(entry: AuditEntry, row: SourceDocument) -> str:
    """What a line concerns beside the document itself: a posting, or its customer."""
    kind, _, name = entry.subject.partition(":")
    return name if kind == "posting" else f"customer {name}" if kind != row.kind else ""


def _subject(row: SourceDocument) -> str:
    return f"{row.kind}:{row.source_id}"[:160]


def _entries(tenant: Tenant, row: SourceDocument, chain: Sequence[Posting]) -> list[AuditEntry]:
    """The newest audit lines of the document, its postings, and its customer's way into QAD; oldest first."""
    subjects = [_subject(row), *(f"posting:{posting.reference}" for posting in chain)]
    wanted = Q(subject__in=subjects)
    if row.kind != Kind.CUSTOMER and row.customer_id:
        wanted |= Q(subject=f"customer:{row.customer_id}", action__in=OF_ITS_CUSTOMER)
    newest = AuditEntry.objects.filter(wanted, tenant=tenant).order_by("-pk")[:ENTRIES_SHOWN]
    return list(newest)[::-1]


def _versions(row: SourceDocument) -> list[str]:
    """Every content that is kept, the latest last."""
    earlier = list(row.versions.order_by("-pk").values_list("raw", flat=True)[:VERSIONS_SHOWN])[::-1]
    return [shown_json(raw) for raw in (*earlier, row.raw)]


def shown_json(raw: bytes | memoryview) -> str:
    return indented(zlib.decompress(raw).decode("utf-8", "replace")[:LONGEST_JSON])


def _attempts(tenant: Tenant, chain: Sequence[Posting]) -> dict[tuple[str, int], dict[str, Any]]:
    """Reference and number -> the newest attempts, each with its redacted request and reply."""
    names = {posting.pk: posting.reference for posting in chain}
    rows = Attempt.objects.filter(tenant=tenant, posting__in=chain).order_by("-pk")[:ATTEMPTS_SHOWN]
    return {
        (names[attempt.posting_id], attempt.number): {"row": attempt, "exchange": _exchange(attempt)}
        for attempt in rows
    }


def _key(entry: AuditEntry) -> tuple[str, int]:
    number = entry.after.get("attempt") if isinstance(entry.after, dict) else None
    return entry.subject.removeprefix("posting:"), number if isinstance(number, int) else -1


def _exchange(attempt: Attempt) -> dict[str, Any] | None:
    stored = attempt.request_and_reply
    if stored is None:
        return None
    bodies = {name: indented(stored.get(name, "")) for name in ("request_body", "reply_body")}
    return {**stored, **bodies, "milliseconds": round(float(stored.get("elapsed", 0)) * 1000)}


def _lone(attempt: dict[str, Any]) -> Event:
    """An attempt that no line of the trail tells of."""
    row: Attempt = attempt["row"]
    return Event(row.claimed_at, title="Sending", about=str(row.posting), attempt=attempt)


def _mappings(tenant: Tenant, posting: Posting) -> list[links.Button]:
    """The mapping rows that gave a posting its accounts, each with the version that was used."""
    sources = {str(line) for line in _sources(posting.document)}
    found = journals.mappings(tenant, sources)
    used = []
    for source, (button, note) in sorted(found.items()):
        version = source.rpartition("@")[2]
        used.append(links.Button(button.url, f"{button.label}, version {version}{f' ({note})' if note else ''}"))
    return used


def _sources(value: Any) -> Iterable[str]:
    """Every 'item:12@3' in a stored document."""
    if isinstance(value, dict):
        if isinstance(value.get("source"), str) and value["source"]:
            yield value["source"]
        for inner in value.values():
            yield from _sources(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _sources(inner)


def _runs(tenant: Tenant, moments: Sequence[dt.datetime]) -> list[Run]:
    if not moments:
        return []
    first, last = min(moments), max(moments)
    over = Q(finished_at=None) | Q(finished_at__gte=first)
    return list(Run.objects.filter(over, tenant=tenant, started_at__lte=last).order_by("-pk")[:200])


def _run_of(runs: Sequence[Run], at: dt.datetime) -> list[links.Button]:
    """The run that was reading at that moment."""
    for run in runs:
        if run.started_at <= at and (run.finished_at is None or at <= run.finished_at):
            return [links.Button(links.url("admin:syncs_run_change", run.pk), str(run))]
    return []

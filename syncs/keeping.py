"""The inbox: new documents in, later states over earlier ones, and what contradicts itself is said."""

from __future__ import annotations

import datetime as dt
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max

from connector.chargebee.versions import Verdict, Version, judge
from syncs.models import Cursor, Kind, SourceDocument, SourceVersion
from syncs.notices import notice
from syncs.rows import COLUMNS, Row, is_quiet, tombstone
from syncs.states import SourceState
from tenants import audit
from tenants.appending import append
from tenants.models import Tenant

# A deleted credit note may be told under its id with digits behind it.
_SUFFIXED = re.compile(r"(.+)_\d{6,}")
_NEW = {"state": SourceState.NEW.value}
_OURS = ("tenant_id", "kind", "source_id", "first_seen_at", "changed_at")
_WINS = (Verdict.NEWER, Verdict.REBORN, Verdict.DISPUTED)


@dataclass(slots=True)
class Kept:
    """What storing rows did: what nobody had seen, what took the place of an earlier state, and the rest."""

    fresh: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    older: list[Row] = field(default_factory=list)  # left alone: something later is stored

    @property
    def news(self) -> list[Row]:
        return self.fresh + self.changed


def keep(
    tenant: Tenant,
    kind: str,
    rows: Sequence[Row],
    *,
    now: dt.datetime,
    seen: Mapping[str, str] | None = None,
) -> Kept:
    """Insert new documents, replace earlier states, leave the rest. Call it inside a transaction.

    `seen` tells the content hash that was stored before a document was asked for by id (which shows no old state):
    while that is still stored, the answer wins whatever its version says. Of one id in `rows` the last wins ties.
    """
    _alone(tenant, kind)
    newest = _newest([*rows, *_ended_originals(tenant, kind, rows)])
    known = {
        document.source_id: document
        for document in SourceDocument.objects.defer("raw").filter(tenant=tenant, kind=kind, source_id__in=newest)
    }
    kept, lines, inserts = Kept(), list[audit.Line](), list[tuple[Any, ...]]()
    replaced = list[tuple[SourceDocument, Row, Verdict]]()
    for row in newest.values():
        stored = known.get(row.source_id)
        if stored is None:
            kept.fresh.append(row)
            inserts.append((tenant.pk, kind, row.source_id, now, now, *row.values))
            lines.append(audit.Line("listed", f"{kind}:{row.source_id}", after={**row.facts, **_NEW}))
            continue
        verdict = _verdict(row, stored, seen or {})
        if verdict in _WINS:
            replaced.append((stored, row, verdict))
            kept.changed.append(row)
        elif verdict is Verdict.OLDER:
            kept.older.append(row)
    append(SourceDocument, (*_OURS, *COLUMNS), inserts)
    _keep_versions(tenant, [stored for stored, _, _ in replaced], now)
    lines += [_replace(tenant, stored, row, verdict, now) for stored, row, verdict in replaced]
    audit.record(tenant.pk, lines, actor="sync", now=now)
    return kept


def version_of(stored: SourceDocument) -> Version:
    return Version(stored.updated_at, stored.resource_version, stored.is_deleted, stored.content_hash)


def _alone(tenant: Tenant, kind: str) -> None:
    """One writer of a kind at a time, so that what is judged is what is replaced."""
    Cursor.objects.get_or_create(tenant=tenant, kind=kind)
    Cursor.objects.select_for_update().get(tenant=tenant, kind=kind)


def _newest(rows: Sequence[Row]) -> dict[str, Row]:
    newest: dict[str, Row] = {}
    for row in rows:
        other = newest.get(row.source_id)
        if other is None or judge(row.version, other.version) is not Verdict.OLDER:
            newest[row.source_id] = row
    return newest


def _ended_originals(tenant: Tenant, kind: str, rows: Sequence[Row]) -> list[Row]:
    """For a deleted credit note under a longer id: the end of the note that is stored under its own."""
    if kind != Kind.CREDIT_NOTE:
        return []
    ended = {match[1]: row for row in rows if row.is_deleted and (match := _SUFFIXED.fullmatch(row.source_id))}
    if not ended:
        return []
    stored = SourceDocument.objects.filter(tenant=tenant, kind=kind, source_id__in=ended, is_deleted=False)
    names = ("source_id", "parent_id", "total_minor", "currency")
    return [
        tombstone(ended[source_id], source_id)
        for source_id, *facts in stored.values_list(*names)
        if facts == [ended[source_id].parent_id, ended[source_id].total, ended[source_id].currency]
    ]


def _verdict(row: Row, stored: SourceDocument, seen: Mapping[str, str]) -> Verdict:
    verdict = judge(row.version, version_of(stored))
    if verdict is Verdict.OLDER and seen.get(row.source_id) == stored.content_hash:
        return Verdict.REBORN if stored.is_deleted and not row.is_deleted else Verdict.NEWER
    return verdict


def _replace(tenant: Tenant, stored: SourceDocument, row: Row, verdict: Verdict, now: dt.datetime) -> audit.Line:
    if verdict is Verdict.DISPUTED and not is_quiet(_content(stored), row.content):
        _say_disputed(tenant, stored, row, now)
    generation = stored.generation + (verdict is Verdict.REBORN)
    SourceDocument.objects.filter(pk=stored.pk).update(
        **row.columns,
        generation=generation,
        vanished_at=None,
        state=SourceState.NEW,
        codes="",
        problems=[],
        changed_at=now,
    )
    after = {**row.facts, **_NEW}
    return audit.Line("changed-in-chargebee", f"{stored.kind}:{row.source_id}", before=_facts(stored), after=after)


def _keep_versions(tenant: Tenant, documents: Sequence[SourceDocument], now: dt.datetime) -> None:
    """What these documents were until now, before they are replaced."""
    if not documents:
        return
    keys = [document.pk for document in documents]
    raw = dict(SourceDocument.objects.filter(pk__in=keys).values_list("pk", "raw"))
    earlier = SourceVersion.objects.filter(source__in=keys).order_by().values_list("source_id")
    since = dict(earlier.annotate(last=Max("replaced_at")))
    SourceVersion.objects.bulk_create(
        SourceVersion(
            tenant=tenant,
            source=document,
            raw=raw[document.pk],
            content_hash=document.content_hash,
            resource_version=document.resource_version,
            seen_at=since.get(document.pk, document.first_seen_at),
            replaced_at=now,
        )
        for document in documents
    )


def _content(stored: SourceDocument) -> bytes:
    raw = SourceDocument.objects.values_list("raw", flat=True).get(pk=stored.pk)
    return zlib.decompress(raw)


def _say_disputed(tenant: Tenant, stored: SourceDocument, row: Row, now: dt.datetime) -> None:
    subject = f"{stored.get_kind_display()} {row.source_id}"
    notice(
        tenant,
        "same-version-other-content",
        subject,
        f"{subject} came with other content under the same version {row.resource_version}; the later one is stored.",
        "Compare it with Chargebee on its page; nothing that is posted changes by itself.",
        now=now,
    )


def _facts(stored: SourceDocument) -> dict[str, Any]:
    facts = {"version": stored.resource_version, "status": stored.status}
    return {**facts, "total": stored.total_minor, "currency": stored.currency, "state": stored.state}

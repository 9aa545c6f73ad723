"""Give unsealed audit entries their place in their tenant's hash chain: a minute task, outside every hot path.

Harmless to run twice or at once: a place is unique, so of two sealers one gets it and the other looks again. An entry
that was committed late, below one that is sealed already, gets the next free place: the chain follows places, not ids.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, F, Max, Min, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from tenants.chain import Head, canonical, moment, next_digest, text_of
from tenants.models import AuditEntry, AuditSeal

PAGE = 5_000  # entries looked at, and places given, in one transaction
TURN = 100_000  # entries of one chain sealed in one call
LOOK_BACK = 20_000  # ids below the head that are looked at again, for entries that were committed late
STRETCH = 100_000  # ids of the history that are looked at again each minute, a stretch a minute
TRIES = 5

# The columns of an entry that are hashed.
COLUMNS = (
    *("id", "tenant_id", "at", "actor", "action", "subject", "reason"),
    *("before_text", "after_text", "personal_digest"),
)
# Written out, since model objects would take most of the time; each engine has its own fast way.
_INTO = 'INSERT INTO "tenants_auditseal" ("entry_id", "tenant_id", "position", "digest")'
_INSERT = f"{_INTO} VALUES (%s, %s, %s, %s)"
_INSERT_ARRAYS = (
    f"{_INTO} SELECT entry_id, %s::bigint, position, digest "  # noqa: S608 - our own words
    "FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS links(entry_id, position, digest)"
)


def seal_all(now: dt.datetime, limit: int = TURN) -> dict[str, int]:
    """Seal what is unsealed, up to `limit` entries of each chain. Call it once a minute, in no transaction."""
    sealed = sum(seal(tenant_id, limit) for tenant_id in chains())
    return {"sealed": sealed, "late": _seal_late(now)}


def chains() -> list[int | None]:
    """The tenants that have entries; None stands for entries of no tenant."""
    found: list[int | None] = [None] if AuditEntry.objects.filter(tenant=None).exists() else []
    following = _next_tenant(0)
    while following is not None:
        found.append(following)
        following = _next_tenant(following)
    return found


def seal(tenant_id: int | None, limit: int = TURN) -> int:
    """Seal up to `limit` entries of one chain in order of their ids; returns how many."""
    sealed, tries = 0, TRIES
    above = max(head_of(tenant_id).entry_id - LOOK_BACK, 0)
    while sealed < limit and tries:
        up_to = _end_of_page(tenant_id, above, min(PAGE, limit - sealed))
        if up_to is None:
            break
        done = _seal_page(tenant_id, above, up_to)
        if done is None:  # another process was first: look at the same page again
            tries -= 1
            continue
        sealed, above = sealed + done, up_to
    return sealed


def head_of(tenant_id: int | None) -> Head:
    """The end of a chain."""
    places = AuditSeal.objects.filter(of_chain(tenant_id)).order_by("-position")
    row = places.values_list("position", "digest", "entry_id").first()
    return Head(*row) if row else Head()


def of_chain(tenant_id: int | None) -> Q:
    """Rows of one chain; None stands for what belongs to no tenant."""
    return Q(tenant=None) if tenant_id is None else Q(tenant_id=tenant_id)


def without_seal(above: int, up_to: int) -> QuerySet[AuditEntry]:
    """Entries of a stretch of ids (above, up_to] that have no place. The bounds stand on both sides of the join, since
    PostgreSQL would read all seals otherwise."""
    seals = AuditSeal.objects.filter(entry_id=OuterRef("pk"), entry_id__gt=above, entry_id__lte=up_to)
    return AuditEntry.objects.filter(~Exists(seals), pk__gt=above, pk__lte=up_to)


def hashed_columns(entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry, Any]:
    """Rows of COLUMNS. JSON comes as text, so that a value that is no JSON can be shown instead of failing."""
    texts = {"before_text": Cast(F("before"), TextField()), "after_text": Cast(F("after"), TextField())}
    return entries.annotate(**texts).values_list(*COLUMNS)


def facts_of(row: Sequence[Any]) -> dict[str, Any]:
    """What is hashed of an entry, from its COLUMNS."""
    entry_id, tenant_id, at, actor, action, subject, reason, before, after, personal_digest = row
    return {
        "id": entry_id,
        "tenant": tenant_id,
        "at": moment(at),
        "actor": actor,
        "action": action,
        "subject": subject,
        "reason": reason,
        "before": canonical(before),
        "after": canonical(after),
        "personal_digest": personal_digest,
    }


def append(tenant_id: int | None, links: Sequence[Head]) -> bool:
    """Store places; False, and nothing stored, if one of them or of their entries is taken."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                columns = zip(*((link.entry_id, link.position, link.digest) for link in links), strict=True)
                cursor.execute(_INSERT_ARRAYS, [tenant_id, *map(list, columns)])
            else:
                cursor.executemany(_INSERT, [(link.entry_id, tenant_id, link.position, link.digest) for link in links])
    except IntegrityError:
        return False
    return True


def next_links(head: Head, rows: QuerySet[AuditEntry, Any]) -> Iterator[Head]:
    """The links that follow a head, one for each row of COLUMNS."""
    position, digest = head.position, head.digest
    for row in rows:
        position += 1
        digest = next_digest(digest, text_of(facts_of(row)))
        yield Head(position, digest, row[0])


def _seal_page(tenant_id: int | None, above: int, up_to: int) -> int | None:
    """How many entries got a place; None if another process took one of the places."""
    head = head_of(tenant_id)
    entries = without_seal(above, up_to).filter(of_chain(tenant_id)).order_by("pk")[:PAGE]
    links = list(next_links(head, hashed_columns(entries)))
    return len(links) if not links or append(tenant_id, links) else None


def _end_of_page(tenant_id: int | None, above: int, size: int) -> int | None:
    """The id of the last of the next entries of a chain; None if there are no more."""
    ids = AuditEntry.objects.filter(of_chain(tenant_id), pk__gt=above).order_by("pk").values_list("pk", flat=True)
    return max(ids[:size], default=None)


def _next_tenant(after: int) -> int | None:
    """Tenant by tenant along the index: a plain DISTINCT would read every entry."""
    found: int | None = AuditEntry.objects.filter(tenant_id__gt=after).aggregate(found=Min("tenant_id"))["found"]
    return found


def _seal_late(now: dt.datetime) -> int:
    """Look again at one stretch of the whole history, another one each minute."""
    last = AuditEntry.objects.aggregate(found=Max("pk"))["found"] or 0
    start = int(now.timestamp()) // 60 % (last // STRETCH + 1) * STRETCH
    late = without_seal(start, start + STRETCH).order_by()
    tenants = set(late.values_list("tenant_id", flat=True).distinct())
    return sum(_seal_page(tenant_id, start, start + STRETCH) or 0 for tenant_id in tenants)

"""The audit trail against the rows: replayed from its first line, it ends where each row stands."""

from __future__ import annotations

import itertools
from typing import Any

from syncs.models import Posting, SourceDocument
from syncs.states import may_move
from tenants.models import AuditEntry


def assert_the_trail_tells_all(tenant: Any) -> int:
    """Every posting and document of a tenant; returns how many moves were told."""
    moves = 0
    for posting in Posting.objects.filter(tenant=tenant):
        states = walked(tenant, f"posting:{posting.reference}")
        assert states[-1] == posting.state, (posting.reference, states, posting.state)
        for old, new in itertools.pairwise(states):
            assert may_move(old, new), f"{posting.reference}: {old} -> {new} is no move"
        moves += len(states)
    for source in SourceDocument.objects.filter(tenant=tenant).defer("raw"):
        states = walked(tenant, f"{source.kind}:{source.source_id}")
        assert states[-1] == source.state, (str(source), states, source.state)
        moves += len(states)
    return moves


def walked(tenant: Any, subject: str) -> list[str]:
    """The states in order. Each line begins where the last one ended; one that stays where it was is no move."""
    states: list[str] = []
    for entry in AuditEntry.objects.filter(tenant=tenant, subject=subject).order_by("pk"):
        after = entry.after.get("state") if isinstance(entry.after, dict) else None
        if after is None:
            continue
        before = entry.before.get("state") if isinstance(entry.before, dict) else None
        assert before == (states[-1] if states else None), (subject, entry.action, states, before, after)
        if not states or after != states[-1]:
            states.append(after)
    return states

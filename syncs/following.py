"""What is prepared and not sent yet follows the mappings: coded anew where it comes out differently, before it is sent.

A mapping that is saved moves `Tenant.mapping_revision` in its own transaction. A claim compares that number with the
one that was followed last, under the tenant's turn, and takes nothing while they differ. So it does not matter which
process follows, or which one died in between: the pass goes on behind its last batch.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from connector.ledger.stored import content_hash, to_json
from mappings import revision
from syncs.batch import REBUILDABLE
from syncs.desk import Desk, open_desk, up_to_date
from syncs.foresight import Rehearsed, rehearse
from syncs.models import Attempt, FollowUp, Posting, SourceDocument
from syncs.models.follow_up import NONE
from syncs.preparing import BATCH, POSTED_KINDS, decide
from syncs.states import PostingState, SourceState
from syncs.turns import in_turn
from tenants.models import Tenant

# A document may stand still, or wait to be looked at again, while something of it is ready.
_LIVING = (SourceState.CODED, SourceState.NEW, SourceState.WAITING, SourceState.HELD)


def unsent(tenant: Tenant) -> QuerySet[SourceDocument]:
    """Documents of which something is prepared that QAD provably does not have."""
    postings = Posting.objects.filter(tenant=tenant, state__in=REBUILDABLE).exclude(state=PostingState.HELD)
    return SourceDocument.objects.filter(
        tenant=tenant, kind__in=POSTED_KINDS, state__in=_LIVING, pk__in=postings.values("source_id")
    )


def is_followed(tenant_id: int) -> bool:
    """Whether all that is unsent is coded by the mappings as they are. A tenant without any change needs nothing."""
    followed = Coalesce("follow_up__followed", 0)
    return Tenant.objects.filter(pk=tenant_id, mapping_revision=followed).exists()


def start_over(tenant: Tenant) -> None:
    """Have all that is unsent looked at again, also where no mapping was saved: a policy may have changed."""
    fresh = {"followed": NONE, "following": NONE, "after": 0}
    FollowUp.objects.update_or_create(tenant=tenant, defaults=fresh)


def catch_up(tenant: Tenant, *, now: dt.datetime, actor: str, until: float = float("inf")) -> int:
    """Code anew what comes out differently, batch by batch until all is followed or `until` (monotonic) has passed.

    Returns how many documents changed. Raises as `open_desk` does.
    """
    done, desk = 0, None
    while not is_followed(tenant.pk) and time.monotonic() < until:
        with transaction.atomic():
            in_turn(tenant.pk)
            desk = open_desk(tenant.pk) if desk is None else up_to_date(desk)
            done += _follow_batch(desk, now, actor)
    return done


def _follow_batch(desk: Desk, now: dt.datetime, actor: str) -> int:
    """One batch and how far it came, in one transaction; the last one finds nothing more."""
    FollowUp.objects.get_or_create(tenant=desk.tenant)
    mine = FollowUp.objects.select_for_update().get(tenant=desk.tenant)
    after = mine.after if mine.following == desk.revision else 0
    rows = _locked(unsent(desk.tenant).filter(pk__gt=after))
    mine.following, mine.after = desk.revision, rows[-1].pk if rows else after
    if not rows:
        mine.followed = desk.revision
    mine.save()
    return _code_anew(desk, rows, now, actor)


def _locked(rows: QuerySet[SourceDocument]) -> list[SourceDocument]:
    """Whoever holds one of them is waited for: none may be passed over."""
    return list(rows.select_for_update(of=("self",)).order_by("pk")[:BATCH])


def recode_returned(tenant: Tenant, attempts: Iterable[Attempt], *, now: dt.datetime, actor: str) -> None:
    """What is ready again after an attempt, and what stands beside it, if a mapping was saved since the claim: while
    something of a document is on its way, no follow-up touches it.

    Inside the caller's transaction, in the tenant's turn.
    """
    current = revision.current(tenant.pk)
    late = [attempt.posting_id for attempt in attempts if attempt.mapping_revision != current]
    if late:
        recode(tenant, Posting.objects.filter(pk__in=late).values_list("source_id", flat=True), now=now, actor=actor)


def recode(tenant: Tenant, sources: Iterable[int], *, now: dt.datetime, actor: str) -> None:
    """These documents (a batch at most), where something of them is ready. In the caller's transaction and turn."""
    rows = _locked(unsent(tenant).filter(pk__in=list(sources)))
    if rows:
        _code_anew(open_desk(tenant.pk), rows, now, actor)


def _code_anew(desk: Desk, rows: Sequence[SourceDocument], now: dt.datetime, actor: str) -> int:
    """Prepare again those of the documents that come out differently; the others are not touched."""
    postings = Posting.objects.filter(source__in=rows, state__in=REBUILDABLE)
    stored = dict(postings.values_list("reference", "document_hash"))
    moved = [one.row for one in rehearse(desk, rows, now=now) if _comes_out_differently(one, stored)]
    was_prepared = sum(row.state == SourceState.CODED for row in moved)
    for kind in POSTED_KINDS:
        decide(desk, [row for row in moved if row.kind == kind], now=now, actor=actor)
    return was_prepared


def _comes_out_differently(one: Rehearsed, stored: dict[str, str]) -> bool:
    if one.is_held or one.state == SourceState.SKIPPED:
        return True
    return any(stored.get(made.reference) not in (None, content_hash(to_json(made))) for made in one.documents)

"""Two customers that may be one: asked once, answered by a person, remembered for good."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q, QuerySet

from connector.errors import Problem
from mappings.models import CustomerKind
from mappings.workbooks import Table
from syncs.customers import link
from syncs.models import Kind, MatchReview, ReviewState, SourceDocument
from syncs.states import SourceState
from tenants import audit
from tenants.models import Tenant


def matches(tenant: Tenant) -> Table:
    """Every open question as a row of customer mappings, so that many are answered in a spreadsheet."""
    rows = MatchReview.objects.filter(tenant=tenant, state=ReviewState.OPEN).order_by("chargebee_id", "qad_code")
    found = [[one.chargebee_id, one.qad_code, CustomerKind.DIRECT.value, f"By {one.why}"[:200]] for one in rows]
    return Table("customers", ("chargebee_id", "qad_code", "link", "note"), found)


def join(review: MatchReview, *, actor: str, now: dt.datetime) -> list[Problem]:
    """They are one: link them. Other questions about either of them are over. [] or why it may not be stored."""
    with transaction.atomic():
        refused = link(
            review.tenant, [(review.chargebee_id, review.qad_code)], note="Linked by hand", now=now, actor=actor
        )
        if refused:
            return refused[review.chargebee_id]
        _decide(review, ReviewState.LINKED, actor, now)
        _others(review).update(state=ReviewState.OVER, decided_at=now, decided_by=actor)
        _release(review, now)
    return []


def keep_apart(review: MatchReview, *, actor: str, now: dt.datetime) -> None:
    """They are two. The next pass looks again without this pair, and creates nobody while another candidate is left."""
    with transaction.atomic():
        _decide(review, ReviewState.APART, actor, now)
        _release(review, now)


def create(review: MatchReview, *, actor: str, now: dt.datetime) -> int:
    """None of the candidates is it: all questions of this customer are answered with no, so a new one is made."""
    same = _same_question(review)
    with transaction.atomic():
        _record(review, ReviewState.CREATED, actor, now)
        done = same.update(state=ReviewState.CREATED, decided_at=now, decided_by=actor)
        _release(review, now)
    return done


def _decide(review: MatchReview, state: ReviewState, actor: str, now: dt.datetime) -> None:
    _record(review, state, actor, now)
    MatchReview.objects.filter(pk=review.pk).update(state=state, decided_at=now, decided_by=actor)


def _record(review: MatchReview, state: ReviewState, actor: str, now: dt.datetime) -> None:
    line = audit.Line(
        f"customers-{state.value}",
        f"customer:{review.chargebee_id}",
        after={"qad": review.qad_code},
        reason=f"Found by {review.why}",
    )
    audit.record(review.tenant_id, [line], actor=actor, now=now)


def _same_question(review: MatchReview) -> QuerySet[MatchReview]:
    rows = MatchReview.objects.filter(tenant=review.tenant, state=ReviewState.OPEN, found_from=review.found_from)
    if review.found_from == "qad":
        return rows.filter(qad_code=review.qad_code)
    return rows.filter(chargebee_id=review.chargebee_id)


def _others(review: MatchReview) -> QuerySet[MatchReview]:
    """Questions that the link answers: those asked for one of the two. Somebody else's candidate is taken now."""
    rows = MatchReview.objects.filter(tenant=review.tenant, state=ReviewState.OPEN).exclude(pk=review.pk)
    mine = Q(found_from="chargebee", chargebee_id=review.chargebee_id) | Q(found_from="qad", qad_code=review.qad_code)
    return rows.filter(mine)


def _release(review: MatchReview, now: dt.datetime) -> None:
    """The customer is decided anew."""
    rows = SourceDocument.objects.filter(
        tenant=review.tenant, kind=Kind.CUSTOMER, source_id=review.chargebee_id, state=SourceState.HELD
    )
    rows.update(state=SourceState.NEW, codes="", problems=[], changed_at=now)

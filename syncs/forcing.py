"""Sending again what QAD may have: asked for by one person, approved by another, and only after a proof of absence.

An approval sends nothing. It makes the posting uncertain, so that the sweep looks it up in QAD; what is found is
adopted, and only what two look-ups prove absent goes out again, after one more look. Where no known document can prove
that the look-up works, the word of the two people stands for that.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from syncs.models import Edge, ForceRequest, ForceState, Posting
from syncs.states import PostingState
from tenants import access, audit
from tenants.access import Action
from tenants.models import Tenant

LASTS = dt.timedelta(days=3)
FORCEABLE = (PostingState.UNCERTAIN, PostingState.POSTED, PostingState.VERIFIED)
MAIN = ("invoice", "credit_note", "payment", "refund", "journal")


def why_not(posting: Posting) -> str:
    """One sentence why nobody may ask for this posting to be sent again, '' if somebody may."""
    if posting.state in (PostingState.REJECTED, PostingState.PARKED, PostingState.HELD, PostingState.READY):
        return f"QAD does not have {posting.reference}. Press Replay; no second person is needed."
    if posting.state not in FORCEABLE:
        return f"{posting.reference} is '{posting.get_state_display().lower()}' and cannot be sent again."
    if posting.is_by_hand:
        return f"{posting.reference} was entered in QAD by hand and cannot be sent from here. Enter it there again."
    if posting.state == PostingState.UNCERTAIN:
        return ""
    if posting.kind not in MAIN:
        return f"{posting.reference} is a {posting.kind}, which QAD has taken; undo it in QAD instead."
    source = posting.source
    edges = Edge.objects.filter(tenant=posting.tenant_id).exclude(applied_minor=0)
    touched = edges.filter(owner=source) | edges.filter(invoice_id=source.source_id if source.kind == "invoice" else "")
    if touched.exists() or posting.document.get("applications"):
        return (
            f"{posting.reference} settles something or is settled. Take that off first, else it would be applied twice."
        )
    return ""


def ask(tenant: Tenant, posting: Posting, user: Any, *, reason: str, now: dt.datetime) -> str:
    """Write down a request; returns '' or why that may not be."""
    if len(reason.strip()) < 10:
        return "Say in a sentence why QAD does not have it; the second person decides by it."
    if not access.may(user, Action.REQUEST_FORCE, tenant):
        return "Only an accountant may ask for this."
    name = audit.actor_name(user)
    try:
        with transaction.atomic():
            fresh = Posting.objects.filter(tenant=tenant, pk=posting.pk).select_for_update().get()
            wrong = why_not(fresh)
            if wrong:
                return wrong
            request = ForceRequest.objects.create(
                tenant=tenant,
                posting=fresh,
                reason=reason.strip(),
                requested_by=user,
                requested_name=name,
                requested_at=now,
                expires_at=now + LASTS,
            )
            _record(request, "force-asked", now, name, reason=request.reason)
    except IntegrityError:
        return f"Somebody has asked for {posting.reference} to be sent again already."
    return ""


def approve(tenant: Tenant, request: ForceRequest, user: Any, *, now: dt.datetime) -> str:
    """The second person's yes: the posting is looked up, and sent again only if it is proved absent."""
    wrong = _why_not_answer(tenant, request, user, now)
    if wrong:
        return wrong
    name = audit.actor_name(user)
    try:
        with transaction.atomic():
            if not _answer(request, ForceState.APPROVED, name, now):
                return "Somebody has answered this request already."
            posting = Posting.objects.filter(tenant=tenant, pk=request.posting_id).select_for_update().get()
            wrong = why_not(posting)
            if wrong:
                transaction.set_rollback(True)
                return wrong
            _record(request, "force-approved", now, name, reason=request.reason)
            _doubt(posting, name, now)
    except IntegrityError:
        return "Another document of this customer is on its way to QAD. Approve it in a minute."
    return ""


def refuse(tenant: Tenant, request: ForceRequest, user: Any, *, now: dt.datetime) -> str:
    """Anybody who may approve may refuse; who asked may withdraw."""
    name = audit.actor_name(user)
    own = request.requested_by_id == user.pk
    if not own and not access.may(user, Action.APPROVE_FORCE, tenant):
        return "Only an accountant or an integration admin may answer this."
    with transaction.atomic():
        if not _answer(request, ForceState.WITHDRAWN if own else ForceState.REFUSED, name, now):
            return "Somebody has answered this request already."
        _record(request, "force-withdrawn" if own else "force-refused", now, name)
    return ""


def _why_not_answer(tenant: Tenant, request: ForceRequest, user: Any, now: dt.datetime) -> str:
    if not access.may(user, Action.APPROVE_FORCE, tenant):
        return "Only another accountant or an integration admin of this tenant may approve this."
    if request.requested_by_id == user.pk or request.requested_name == audit.actor_name(user):
        return "Who asks may not approve, in whatever role. Somebody else has to look at it."
    if request.expires_at <= now:
        return "The request is too old. Ask anew, so that the reason is looked at again."
    return ""


def _answer(request: ForceRequest, state: ForceState, name: str, now: dt.datetime) -> bool:
    still_open = ForceRequest.objects.filter(pk=request.pk, state=ForceState.OPEN)
    return still_open.update(state=state, answered_name=name, answered_at=now) == 1


def _doubt(posting: Posting, actor: str, now: dt.datetime) -> None:
    """We no longer say that QAD has it: the sweep finds out. A window that is still open stays open."""
    values: dict[str, Any] = {"look_up_asked_at": now, "absences": 0}
    if posting.state != PostingState.UNCERTAIN:
        values |= {"state": PostingState.UNCERTAIN, "settle_at": now, "changed_at": now, "qad_number": ""}
        line = audit.Line(
            "uncertain",
            f"posting:{posting.reference}",
            before={"state": posting.state, "qad": posting.qad_number},
            after={"state": "uncertain"},
            reason="Two people say that QAD does not have it any more; it is looked up.",
        )
        audit.record(posting.tenant_id, [line], actor=actor, now=now)
    Posting.objects.filter(pk=posting.pk).update(**values)


def is_approved(posting: Posting, now: dt.datetime) -> bool:
    """Whether two people stand for it that the look-up of this posting tells the truth."""
    return posting.force_requests.filter(state=ForceState.APPROVED, expires_at__gt=now).exists()


def use_up(posting: Posting, now: dt.datetime) -> None:
    """An approval ends with the outcome that it led to."""
    posting.force_requests.filter(state=ForceState.APPROVED, expires_at__gt=now).update(expires_at=now)


def overdue(tenant: Tenant, now: dt.datetime) -> QuerySet[ForceRequest]:
    return ForceRequest.objects.filter(tenant=tenant, state=ForceState.OPEN, expires_at__lte=now).order_by("pk")


def has_work(tenant: Tenant, now: dt.datetime) -> bool:
    return overdue(tenant, now).exists()


def expire(tenant: Tenant, *, now: dt.datetime) -> int:
    """Close requests that nobody answered in time; returns how many."""
    expired = 0
    for request in overdue(tenant, now).select_related("posting")[:500]:
        with transaction.atomic():
            if _answer(request, ForceState.EXPIRED, "schedule", now):
                _record(request, "force-expired", now, "schedule", reason="Nobody answered in time.")
                expired += 1
    return expired


def _record(request: ForceRequest, action: str, now: dt.datetime, actor: str, *, reason: str = "") -> None:
    line = audit.Line(action, f"posting:{request.posting.reference}", after={"request": request.pk}, reason=reason)
    audit.record(request.tenant_id, [line], actor=actor, now=now)

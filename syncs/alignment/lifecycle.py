"""Customers that end, move or come back on one side: the other side is told, never emptied; a person hears of it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef

from connector.errors import Rejected, Transient, Uncertain
from connector.qad.updating import update
from mappings.models import CustomerMapping, QadCustomer
from syncs.alignment import journal
from syncs.alignment.desk import MOST_IN_A_ROW, PUT_OFF, Desk
from syncs.alignment.sides import live_qad, refresh_mirror_row, stored_chargebee
from syncs.alignment.standing import standing
from syncs.models import AlignedCustomer, ConflictKind, ConflictState, Kind, LinkState, Posting, SourceDocument
from syncs.states import PostingState
from tenants import audit

_ALIVE = (LinkState.ALIGNED, LinkState.BLOCKED, LinkState.FROZEN)
_ON_ITS_WAY = (
    *(PostingState.READY, PostingState.SENDING, PostingState.UNCERTAIN, PostingState.HELD),
    *(PostingState.REJECTED, PostingState.PARKED),
)
BATCH = 500


def follow(desk: Desk) -> Counter[str]:
    """Bring the state of every pair up to what the two lists show; returns how many changed to which state.

    One that QAD does not answer for stays as it is until the next pass and holds up no other. Raises Transient when it
    answers for none of several in a row.
    """
    counts: Counter[str] = Counter()
    in_a_row = 0
    for follow_one in _news(desk):
        try:
            counts[follow_one()] += 1
            in_a_row = 0
        except (Transient, Uncertain) as error:
            counts[PUT_OFF] += 1
            in_a_row += 1
            if in_a_row == MOST_IN_A_ROW:
                said = f"{in_a_row} customers in a row could not be followed. {error.message}"
                raise Transient(said) from error
    counts.pop("", None)
    return counts


def _news(desk: Desk) -> Iterator[Callable[[], str]]:
    for link, state in [*_ended_in_chargebee(desk), *_came_back(desk)]:
        yield partial(_to, desk, link, state)
    for link in _missing_in_qad(desk):
        yield partial(_look_in_qad, desk, link)


def _sources(
    desk: Desk, states: Iterable[LinkState], is_news: Callable[[AlignedCustomer, int | None, bool], bool]
) -> Iterable[tuple[AlignedCustomer, SourceDocument]]:
    """Pairs in these states whose Chargebee document has news."""
    links = AlignedCustomer.objects.filter(tenant=desk.setting.tenant, state__in=states).order_by("pk")
    after = 0
    while batch := list(links.filter(pk__gt=after)[:BATCH]):
        after = batch[-1].pk
        rows = SourceDocument.objects.filter(
            tenant=desk.setting.tenant, kind=Kind.CUSTOMER, source_id__in=[link.chargebee_id for link in batch]
        )
        brief = {row[0]: row[1:] for row in rows.values_list("source_id", "pk", "resource_version", "is_deleted")}
        chosen = {
            link.chargebee_id: link
            for link in batch
            if link.chargebee_id in brief and is_news(link, *brief[link.chargebee_id][1:])
        }
        for source in SourceDocument.objects.filter(pk__in=[brief[key][0] for key in chosen]):
            yield chosen[source.source_id], source


def _may_have_ended(link: AlignedCustomer, count: int | None, is_deleted: bool) -> bool:
    return is_deleted or count is None or str(count) != link.chargebee_version


def _may_be_back(link: AlignedCustomer, count: int | None, is_deleted: bool) -> bool:
    return not is_deleted and (count is None or str(count) != link.chargebee_version)


def _ended_in_chargebee(desk: Desk) -> list[tuple[AlignedCustomer, LinkState]]:
    found = []
    for link, source in _sources(desk, _ALIVE, _may_have_ended):
        there = stored_chargebee(desk.setting, source)
        state = standing(desk.setting.tenant, there.customer) if there else None
        if state is not None:
            found.append((link, state))
    return found


def _came_back(desk: Desk) -> list[tuple[AlignedCustomer, LinkState]]:
    """A moved customer is ours again; a deleted one that is there again may be another person."""
    found = []
    for link, source in _sources(desk, (LinkState.MOVED, LinkState.DELETED, LinkState.MERGED), _may_be_back):
        there = stored_chargebee(desk.setting, source)
        if there is None or standing(desk.setting.tenant, there.customer) is not None:
            continue
        if link.state == LinkState.MOVED:
            found.append((link, LinkState.ALIGNED))
        else:
            text = (
                f"Chargebee has '{link.chargebee_id}' again, which was deleted. Look whether it is the same customer."
            )
            with transaction.atomic():
                journal.open_line(link, ConflictKind.RECREATED, text, now=desk.clock())
                AlignedCustomer.objects.filter(pk=link.pk).update(chargebee_version=there.version)  # said once
    return found


def _to(desk: Desk, link: AlignedCustomer, state: LinkState) -> str:
    if state == LinkState.DELETED:
        return _delete(desk, link)
    now = desk.clock()
    text = {
        LinkState.CLEARED: "Chargebee cleared the personal details of this customer. QAD keeps what it has.",
        LinkState.MOVED: "The customer belongs to another business entity now. QAD keeps what it has.",
    }.get(state, "The customer is one of ours again.")
    kind = {LinkState.CLEARED: ConflictKind.CLEARED, LinkState.MOVED: ConflictKind.MOVED}.get(state)
    with transaction.atomic():
        _move(desk, link, state, text, now)
        if kind:
            journal.open_line(link, kind, text, now=now, state=ConflictState.APPLIED)
    return state.value


def _delete(desk: Desk, link: AlignedCustomer) -> str:
    """Never deleted in QAD: set inactive there, unless others use it, documents are on their way, or it was merged."""
    now, survivor = desk.clock(), survivor_of(link)
    if survivor:
        text = (
            f"Chargebee deleted '{link.chargebee_id}', and its documents belong to '{survivor}' now: it was probably "
            f"merged. QAD customer {link.qad_code} stays as it is. Confirm it under Customers > Conflicts."
        )
        with transaction.atomic():
            _move(desk, link, LinkState.DELETED, text, now)
            journal.open_line(link, ConflictKind.DELETED, text, now=now)
        return LinkState.DELETED.value
    others = CustomerMapping.objects.filter(tenant=desk.setting.tenant, qad_code=link.qad_code)
    is_shared = others.exclude(chargebee_id=link.chargebee_id).exists()
    if not is_shared and _has_documents_on_their_way(desk, link):
        return ""  # an inactive customer would refuse them; the next pass looks again
    said = "is used by others and stays active" if is_shared else _inactivate(desk, link)
    text = f"Chargebee deleted '{link.chargebee_id}'. QAD customer {link.qad_code} {said}."
    with transaction.atomic():
        _move(desk, link, LinkState.DELETED, text, now)
        journal.open_line(link, ConflictKind.DELETED, text, now=now, state=ConflictState.APPLIED)
    return LinkState.DELETED.value


def survivor_of(link: AlignedCustomer) -> str:
    """To whom the posted documents of a deleted customer belong now, '' if to nobody else."""
    moved = Posting.objects.filter(tenant=link.tenant_id, customer_code=link.qad_code)
    owners = moved.exclude(source__customer_id__in=("", link.chargebee_id)).order_by("source__customer_id")
    own = CustomerMapping.objects.filter(
        tenant=link.tenant_id, chargebee_id=OuterRef("source__customer_id"), qad_code=link.qad_code
    )
    return owners.filter(~Exists(own)).values_list("source__customer_id", flat=True).first() or ""


def _has_documents_on_their_way(desk: Desk, link: AlignedCustomer) -> bool:
    rows = Posting.objects.filter(tenant=desk.setting.tenant, customer_code=link.qad_code, state__in=_ON_ITS_WAY)
    return rows.exists()


def _inactivate(desk: Desk, link: AlignedCustomer) -> str:
    """Set the flag, if it is not set; doing so twice does no harm."""
    there = live_qad(desk.qad, link.qad_code)
    if there is None:
        return "is not there either"
    if there.values.get("is_active") == "false":
        return "was inactive already"
    request = update(desk.qad.profile, "customer", dict(there.raw), {"is_active": False}, keys={"code": link.qad_code})
    try:
        desk.qad.send(request, desk.deadline)
    except Rejected as error:
        return f"could not be set inactive: {error.message}"
    told = live_qad(desk.qad, link.qad_code)
    if told is not None:
        refresh_mirror_row(desk.setting.tenant, link.qad_code, told)
    return "is inactive now"


def _missing_in_qad(desk: Desk) -> list[AlignedCustomer]:
    """Pairs whose QAD customer is in no list any more, and gone ones that are back."""
    tenant = desk.setting.tenant
    listed = QadCustomer.objects.filter(tenant=tenant, code=OuterRef("qad_code"))
    rows = AlignedCustomer.objects.filter(tenant=tenant)
    lost = rows.filter(Exists(listed.filter(is_gone=True)), state__in=_ALIVE)
    back = rows.filter(Exists(listed.filter(is_gone=False)), state=LinkState.GONE)
    return [*lost.order_by("pk")[:BATCH], *back.order_by("pk")[:BATCH]]


def _look_in_qad(desk: Desk, link: AlignedCustomer) -> str:
    """A list may leave out what is there: only the record itself proves that it is gone."""
    now, is_there = desk.clock(), live_qad(desk.qad, link.qad_code) is not None
    if is_there == (link.state != LinkState.GONE):
        return ""
    with transaction.atomic():
        if is_there:
            journal.close(link, (ConflictKind.GONE,), now)
            _move(desk, link, LinkState.ALIGNED, "QAD has the customer again.", now)
            return LinkState.ALIGNED.value
        text = (
            f"QAD has no customer {link.qad_code} any more. Chargebee keeps '{link.chargebee_id}'; its documents wait "
            "until it is linked to another QAD customer."
        )
        _move(desk, link, LinkState.GONE, text, now)
        journal.open_line(link, ConflictKind.GONE, text, now=now)
    return LinkState.GONE.value


def _move(desk: Desk, link: AlignedCustomer, state: LinkState, reason: str, now: dt.datetime) -> None:
    mine = AlignedCustomer.objects.filter(pk=link.pk, state=link.state)
    mine.update(state=state, reason=reason, changed_at=now, pending=None, is_asked=False)
    line = audit.Line(
        "customer-link",
        f"customer:{link.chargebee_id}",
        before={"state": link.state},
        after={"state": state.value, "qad": link.qad_code},
        reason=reason,
    )
    audit.record(link.tenant_id, [line], actor=desk.actor, now=now)

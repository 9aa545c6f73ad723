"""One pass over all pairs of a tenant: what did not change costs a comparison of versions and no call."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db.models import Q

from connector.chargebee.client import ChargebeeClient
from connector.chargebee.customer_writes import CustomerWrites
from connector.errors import ConnectorError
from connector.qad.client import QadClient
from mappings.models import QadCustomer
from syncs.alignment import lifecycle, links, sharing
from syncs.alignment.desk import MOST_IN_A_ROW, PUT_OFF, Desk
from syncs.alignment.setting import OFF, days_of_terms, mode_of, setting_of
from syncs.alignment.sides import There, chargebee_version, stored_chargebee, stored_qad
from syncs.alignment.standing import standing
from syncs.alignment.weighing import weigh
from syncs.alignment.writing import TakenOver, bring_together, settle
from syncs.models import AlignedCustomer, Kind, LinkState, SourceDocument
from tenants import policies
from tenants.models import Tenant

BATCH = 500
NEWS = dt.timedelta(minutes=15)
AT_WORK = (LinkState.ALIGNED, LinkState.BLOCKED)


@dataclass(slots=True)
class Outcome:
    """What a pass did: pairs by how they ended, and why it stopped early, if it did."""

    counts: Counter[str] = field(default_factory=Counter)
    stopped: str = ""

    @property
    def said(self) -> str:
        """'3 written, 297 unchanged.' and why it stopped; '' if there was nothing to do at all."""
        counts = ", ".join(f"{count:,} {name}" for name, count in sorted(self.counts.items()) if count)
        return " ".join(filter(None, [f"{counts}." if counts else "", self.stopped]))


Tell = Callable[[int], None]


def align(
    tenant: Tenant,
    qad: QadClient,
    chargebee: ChargebeeClient,
    *,
    clock: Callable[[], dt.datetime],
    until: float = float("inf"),
    actor: str = "sync",
    tell: Tell = lambda done: None,
) -> Outcome:
    """Bring every pair together as far as its sides were read. `until` is monotonic: after it no pair is begun.

    A broken connection ends the pass with its sentence; it never stops what else a sync does.
    """
    outcome = Outcome()
    if mode_of(tenant) == OFF:
        return outcome
    try:
        desk = _desk(tenant, qad, chargebee, clock, actor)
        links.tie(tenant, now=clock())
        outcome.counts.update(lifecycle.follow(desk))
        outcome.counts.update(sharing.share(desk, until=until))
        _work_through(desk, outcome, until, tell)
    except ConnectorError as error:
        outcome.stopped = error.message
    return outcome


def _work_through(desk: Desk, outcome: Outcome, until: float, tell: Tell) -> None:
    """One pair that cannot be read is put off and holds up no other; many in a row are a connection that is down."""
    in_a_row = 0
    for link in _due(desk, outcome):
        if time.monotonic() >= until:
            return
        ended = bring_together(desk, link)
        outcome.counts[ended] += 1
        tell(outcome.counts.total())
        in_a_row = in_a_row + 1 if ended == PUT_OFF else 0
        if in_a_row == MOST_IN_A_ROW:
            outcome.stopped = f"{in_a_row} customers in a row could not be brought together. {link.reason}"
            return


def has_work(tenant: Tenant, now: dt.datetime) -> bool:
    """Whether something of an earlier pass or of a person waits for its turn."""
    if mode_of(tenant) == OFF:
        return False
    due = Q(not_before=None) | Q(not_before__lte=now)
    asked = Q(is_asked=True, state__in=AT_WORK) | Q(state=LinkState.CREATING)
    return AlignedCustomer.objects.filter(due, asked, tenant=tenant).exists() or _has_news(tenant, now)


def _has_news(tenant: Tenant, now: dt.datetime) -> bool:
    """Whether a customer that was read in the last minutes is not as he was settled: a webhook brought him."""
    read = SourceDocument.objects.filter(tenant=tenant, kind=Kind.CUSTOMER, changed_at__gte=now - NEWS)
    counts = {key: str(count) for key, count in read.values_list("source_id", "resource_version")[:BATCH]}
    links = AlignedCustomer.objects.filter(tenant=tenant, state__in=AT_WORK, chargebee_id__in=counts)
    settled = links.values_list("chargebee_id", "chargebee_version")
    return any(counts[key] != version and not _is_older(counts[key], version) for key, version in settled)


def _desk(
    tenant: Tenant, qad: QadClient, chargebee: ChargebeeClient, clock: Callable[[], dt.datetime], actor: str
) -> Desk:
    days = days_of_terms(qad)
    settle = dt.timedelta(seconds=policies.read(tenant)["settle_seconds"])
    deadline = float(tenant.qad.deadline_seconds)
    return Desk(setting_of(tenant, qad.profile, days), qad, CustomerWrites(chargebee), clock, settle, deadline, actor)


def _due(desk: Desk, outcome: Outcome) -> Iterator[AlignedCustomer]:
    """Pairs that need the network. Those that changed and need none are settled here; the rest is only compared."""
    tenant, now, after = desk.setting.tenant, desk.clock(), 0
    while True:
        rows = AlignedCustomer.objects.filter(tenant=tenant, state__in=AT_WORK, pk__gt=after)
        rows = rows.filter(Q(not_before=None) | Q(not_before__lte=now)).order_by("pk")
        batch = list(rows[:BATCH])
        if not batch:
            return
        after = batch[-1].pk
        changed = _changed(desk, batch)
        outcome.counts["unchanged"] += len(batch) - len(changed)
        for link, chargebee, qad in _read(desk, changed):
            if chargebee is None:
                outcome.counts["unreadable"] += 1
            elif _needs_network(desk, link, chargebee, qad):
                yield link
            else:
                outcome.counts["settled"] += 1


def _changed(desk: Desk, batch: list[AlignedCustomer]) -> list[tuple[AlignedCustomer, int]]:
    """Pairs whose versions or rules are not those that were settled, with the key of the Chargebee document."""
    tenant = desk.setting.tenant
    sources = SourceDocument.objects.filter(
        tenant=tenant, kind=Kind.CUSTOMER, source_id__in=[link.chargebee_id for link in batch]
    )
    here = {row[0]: row[1:] for row in sources.values_list("source_id", "pk", "resource_version", "content_hash")}
    mirrors = QadCustomer.objects.filter(tenant=tenant, code__in=[link.qad_code for link in batch], is_gone=False)
    there = dict(mirrors.values_list("code", "version"))
    found = []
    for link in batch:
        if link.chargebee_id not in here or link.qad_code not in there:
            continue
        pk, count, digest = here[link.chargebee_id]
        version = chargebee_version(count, digest)
        if _is_older(version, link.chargebee_version):
            version = link.chargebee_version  # a copy from before our own write; the next reading brings today's
        marks = (version, there[link.qad_code], desk.setting.version)
        known = (link.chargebee_version, link.qad_version, link.rules_version)
        if link.is_asked or link.pending or marks != known:
            found.append((link, pk))
    return found


def _read(
    desk: Desk, changed: list[tuple[AlignedCustomer, int]]
) -> Iterator[tuple[AlignedCustomer, There | None, There]]:
    """The changed pairs as both sides were read last."""
    sources = SourceDocument.objects.in_bulk([pk for _, pk in changed])
    codes = [link.qad_code for link, _ in changed]
    mirrors = {row.code: row for row in QadCustomer.objects.filter(tenant=desk.setting.tenant, code__in=codes)}
    for link, pk in changed:
        yield link, stored_chargebee(desk.setting, sources[pk]), stored_qad(mirrors[link.qad_code])


def _needs_network(desk: Desk, link: AlignedCustomer, chargebee: There, qad: There) -> bool:
    """False where what was read is enough: the same, or left as it is."""
    if standing(desk.setting.tenant, chargebee.customer):
        return False
    if link.is_asked or link.pending or _is_older(chargebee.version, link.chargebee_version):
        return True
    pair = weigh(desk.setting, link.base, chargebee.values, qad.values, wanted=link.wanted)
    if pair.has_writes:
        return True
    with contextlib.suppress(TakenOver):  # another worker is at it
        settle(desk, link, pair, chargebee, qad)
    return False


def _is_older(stored: str, settled: str) -> bool:
    """A copy from before our own write says nothing about today."""
    return stored.isdecimal() and settled.isdecimal() and int(stored) < int(settled)

"""Creating customers in QAD in two steps, each claimed before it is sent and looked at before it is repeated.

The customer's code is ours and was stored first, so QAD itself refuses a second customer: an unknown outcome is settled
by reading that code back.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence

from django.db import transaction
from django.db.models import F, Q

from connector.errors import ConnectorError, Problem
from connector.ledger import problems as say
from connector.ledger.documents import QadCustomer as CustomerDocument
from connector.ledger.names import normalised
from connector.qad.client import QadClient
from connector.qad.payloads import WriteRequest, render, steps
from mappings.models import QadCustomer
from syncs.batch import as_json, codes
from syncs.customers import link
from syncs.models import CustomerCreation, SourceDocument
from syncs.models.attempt import Outcome
from syncs.models.creation import Step
from syncs.permission import assert_guarded, may_claim
from syncs.sending import Result, Sending, send_all
from syncs.settling import BACKOFF_BASE, Pace
from syncs.states import SourceState
from tenants import audit
from tenants.models import Tenant

LEASE_MARGIN = dt.timedelta(seconds=30)
SENDING_SECONDS = 40
ENTITY = {Step.CUSTOMER: "customer", Step.DOMAIN: "customer_domain"}
AFTER_UNCERTAIN = {Step.CUSTOMER: Step.UNCERTAIN_CUSTOMER, Step.DOMAIN: Step.UNCERTAIN_DOMAIN}
BEFORE_UNCERTAIN = {Step.UNCERTAIN_CUSTOMER: Step.CUSTOMER, Step.UNCERTAIN_DOMAIN: Step.DOMAIN}

STATE_AFTER = {Step.DONE: {"state": SourceState.LINKED.value}, Step.REJECTED: {"state": SourceState.HELD.value}}


def create_customers(
    tenant: Tenant,
    client: QadClient,
    pace: Pace,
    *,
    clock: Callable[[], dt.datetime],
    until: float,
    actor: str = "sync",
) -> Counter[str]:
    """Move every planned creation as far as it goes now; returns how many reached which step."""
    counts: Counter[str] = Counter()
    _expire(tenant, clock())
    while time.monotonic() < until:
        looked = _look(tenant, client, pace, clock(), actor, counts)
        claimed = _claim(tenant, pace, clock())
        if not claimed:
            if not looked:
                return counts
            continue
        if _send(tenant, client, pace, claimed, clock, actor, counts):
            return counts
    return counts


def _expire(tenant: Tenant, now: dt.datetime) -> None:
    """Claims whose lease is over: the step may have happened."""
    for step, uncertain in AFTER_UNCERTAIN.items():
        dead = CustomerCreation.objects.filter(tenant=tenant, step=step, lease_until__lt=now)
        dead.update(step=uncertain, claim_key=None, lease_until=None, changed_at=now)


def _claim(tenant: Tenant, pace: Pace, now: dt.datetime) -> list[CustomerCreation]:
    if not may_claim(tenant):
        return []
    key = uuid.uuid4()
    free = CustomerCreation.objects.filter(tenant=tenant, step__in=ENTITY, claim_key=None)
    free = free.filter(Q(not_before=None) | Q(not_before__lte=now))
    chosen = list(free.order_by("pk").values_list("pk", flat=True)[: pace.batch])
    lease = now + dt.timedelta(seconds=SENDING_SECONDS + pace.deadline) + LEASE_MARGIN
    with transaction.atomic(durable=True):
        CustomerCreation.objects.filter(pk__in=chosen, step__in=ENTITY, claim_key=None).update(
            claim_key=key, lease_until=lease, attempts=F("attempts") + 1, changed_at=now
        )
        assert_guarded()
    return list(CustomerCreation.objects.filter(claim_key=key).select_related("source").order_by("pk"))


def _send(
    tenant: Tenant,
    client: QadClient,
    pace: Pace,
    claimed: list[CustomerCreation],
    clock: Callable[[], dt.datetime],
    actor: str,
    counts: Counter[str],
) -> bool:
    """Send one step of each; True if the connection should be left alone for now."""
    until = time.monotonic() + SENDING_SECONDS
    results: list[Result] = []
    sendings = []
    for creation in claimed:
        write = render(CustomerDocument(**creation.document), client.profile, ENTITY[Step(creation.step)])
        if isinstance(write, WriteRequest):
            sendings.append(Sending(creation.pk, write, creation.code))
        else:
            results.append(Result(creation.pk, Outcome.REJECTED, str(write[0]), problems=tuple(write)))
    results += send_all(client, sendings, pool_size=pace.pool_size, send_until=until, deadline=pace.deadline)
    rows = {creation.pk: creation for creation in claimed}
    done = [result for result in results if result.outcome == Outcome.POSTED]
    counts.update(_advance(tenant, client, [rows[result.key] for result in done], clock(), actor))
    for result in results:
        if result.outcome != Outcome.POSTED:
            counts[_settle(rows[result.key], result, pace, clock(), actor)] += 1
    return any(result.stops for result in results)


def _settle(creation: CustomerCreation, result: Result, pace: Pace, now: dt.datetime, actor: str) -> str:
    """A step that was not plainly done."""
    step = Step(creation.step)
    if result.outcome == Outcome.NOT_SENT:
        wait = result.retry_after or BACKOFF_BASE * 2 ** min(creation.attempts, 6)
        return _put([creation], step, now, actor, not_before=now + dt.timedelta(seconds=wait), why=result.sentence)
    if result.outcome == Outcome.REJECTED:
        said = Problem("qad-said-no", creation.code, result.sentence, "Mend the cause, then press Replay.")
        return _refuse(creation, list(result.problems) or [said], now, actor)
    return _put([creation], AFTER_UNCERTAIN[step], now, actor, not_before=now + pace.settle, why=result.sentence)


def _advance(
    tenant: Tenant, client: QadClient, creations: Sequence[CustomerCreation], now: dt.datetime, actor: str
) -> Counter[str]:
    """A step is done: on to the domain data where this instance has it, else linked."""
    counts: Counter[str] = Counter()
    has_domain = "customer_domain" in steps(client.profile, CustomerDocument)
    first = [one for one in creations if has_domain and one.step in (Step.CUSTOMER, Step.UNCERTAIN_CUSTOMER)]
    last = [one for one in creations if one not in first]
    if first:
        counts[_put(first, Step.DOMAIN, now, actor)] += len(first)
    if last:
        counts.update(_complete(tenant, last, now, actor))
    return counts


def _complete(tenant: Tenant, creations: Sequence[CustomerCreation], now: dt.datetime, actor: str) -> Counter[str]:
    """QAD has them with all their data: the mirror, the link and the source learn it together."""
    with transaction.atomic():
        _mirror(tenant, creations, now)
        pairs = [(one.source.source_id, one.code) for one in creations]
        refused = link(tenant, pairs, note="Created by the connector", now=now, actor=actor)
        fine = [one for one in creations if one.source.source_id not in refused]
        SourceDocument.objects.filter(pk__in=[one.source_id for one in fine]).update(
            state=SourceState.LINKED, codes="", problems=[], changed_at=now
        )
        if fine:
            _put(fine, Step.DONE, now, actor)
        for one in creations:
            if one not in fine:
                _refuse(one, refused[one.source.source_id], now, actor)
    return Counter({Step.DONE.value: len(fine), Step.REJECTED.value: len(creations) - len(fine)})


def _mirror(tenant: Tenant, creations: Sequence[CustomerCreation], now: dt.datetime) -> None:
    """The mirror learns at once what the next refresh would show."""
    rows = []
    for creation in creations:
        document = CustomerDocument(**creation.document)
        rows.append(
            QadCustomer(
                tenant=tenant,
                code=creation.code,
                name=document.name[:200],
                search_key=normalised(document.name)[:200],
                tax_id=document.tax_id,
                external_reference=document.external_reference,
                country=document.country,
                currency=document.currency,
                seen_at=now,
            )
        )
    fresh = ["name", "search_key", "tax_id", "external_reference", "country", "currency", "seen_at"]
    QadCustomer.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["tenant", "code"],
        update_fields=[*fresh, "is_active", "is_complete", "is_gone"],
    )


def _look(tenant: Tenant, client: QadClient, pace: Pace, now: dt.datetime, actor: str, counts: Counter[str]) -> int:
    """Read back what is uncertain and due: ours goes on, absent is sent again, another's is refused."""
    due = CustomerCreation.objects.filter(tenant=tenant, step__in=BEFORE_UNCERTAIN)
    due = due.filter(Q(not_before=None) | Q(not_before__lte=now)).select_related("source").order_by("pk")
    rows = list(due[: pace.batch])
    for creation in rows:
        counts[_look_at(tenant, client, creation, now, actor)] += 1
    return len(rows)


def _look_at(tenant: Tenant, client: QadClient, creation: CustomerCreation, now: dt.datetime, actor: str) -> str:
    step = Step(creation.step)
    try:
        there = client.read("customer", {"code": creation.code})
    except ConnectorError as error:
        again = now + dt.timedelta(seconds=30)
        return _put([creation], step, now, actor, not_before=again, why=error.message)
    if there is None or step == Step.UNCERTAIN_DOMAIN:
        return _put([creation], BEFORE_UNCERTAIN[step], now, actor)
    if _is_ours(creation, there):
        return next(iter(_advance(tenant, client, [creation], now, actor)))
    return _refuse(creation, [say.customer_code_taken(creation.source.source_id, creation.code)], now, actor)


def _is_ours(creation: CustomerCreation, there: dict[str, object]) -> bool:
    """By our reference where the instance keeps one, else by the name that we sent."""
    reference = there.get("external_reference")
    if reference:
        return reference == creation.document["external_reference"]
    return normalised(str(there.get("name", ""))) == normalised(creation.document["name"])


def _put(
    creations: Sequence[CustomerCreation],
    step: Step,
    now: dt.datetime,
    actor: str,
    *,
    not_before: dt.datetime | None = None,
    why: str = "",
) -> str:
    """Move creations to a step, each only while it is still where it was read."""
    with transaction.atomic():
        for old in {one.step for one in creations}:
            mine = CustomerCreation.objects.filter(pk__in=[one.pk for one in creations], step=old)
            mine.update(step=step, claim_key=None, lease_until=None, not_before=not_before, changed_at=now)
        lines = [
            audit.Line(
                "creating-customer",
                f"customer:{one.source.source_id}",
                before={"step": one.step, **({"state": one.source.state} if step in STATE_AFTER else {})},
                after={"step": step.value, "code": one.code, **STATE_AFTER.get(step, {})},
                reason=why,
            )
            for one in creations
        ]
        audit.record(creations[0].tenant_id, lines, actor=actor, now=now)
    return step.value


def _refuse(creation: CustomerCreation, found: list[Problem], now: dt.datetime, actor: str) -> str:
    told = [as_json(problem) for problem in found]
    with transaction.atomic():
        CustomerCreation.objects.filter(pk=creation.pk).update(problems=told)
        SourceDocument.objects.filter(pk=creation.source_id).update(
            state=SourceState.HELD, codes=codes(found), problems=told, changed_at=now
        )
        return _put([creation], Step.REJECTED, now, actor)

"""Try a profile in a test workspace: post, find, pay, credit, apply, refund and reverse, and measure what it does.

Each step is written down before it is sent, so one that is killed shows how far it came. It is never taken up again:
the next certification has references of its own.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from connector.errors import Configuration, ConnectorError, Uncertain, clause
from connector.ledger.compare import Sent, Verdict, judge
from connector.ledger.documents import LedgerDocument
from connector.qad.client import Found, QadClient
from connector.qad.fingerprint import fingerprint
from connector.qad.payloads import WriteRequest, render
from connector.qad.replies import Receipt
from syncs import certified
from syncs.certification_plan import Codes, Done, steps
from syncs.models import Certification, CertificationState
from syncs.reading_back import of_found
from syncs.restoring import CERTIFIED
from syncs.sending import assert_no_transaction
from tenants import audit, connections
from tenants.models import Tenant

DEAD_AFTER = dt.timedelta(minutes=30)
LOOK_EVERY, LOOK_FOR = 0.5, 90.0  # seconds between look-ups, and how long a document may take to be shown
PASSES = ("ok", "warning", "not configured")  # answers that do not stand against a profile


@dataclass(slots=True)
class StepDone:
    """One step as it is stored: ok, warning, not configured, failed, or sending while nobody knows yet."""

    name: str
    what: str
    answer: str
    sentence: str
    reference: str = ""
    number: str = ""
    lag_seconds: float | None = None


@dataclass(slots=True)
class _Trial:
    """What a certification holds while it runs."""

    row: Certification
    tenant: Tenant
    client: QadClient
    codes: Codes
    look_for: float
    tell: Callable[[StepDone], None]
    steps: list[StepDone] = field(default_factory=list)
    made: dict[str, Done] = field(default_factory=dict)
    sent: dict[str, WriteRequest] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)


def certify(
    tenant: Tenant,
    client: QadClient,
    *,
    customer: str = "",
    actor: str,
    tell: Callable[[StepDone], None] = lambda step: None,
    look_for: float = LOOK_FOR,
) -> Certification:
    """Run every step and store what came of it. Raises Configuration where it may not run or has no codes to use."""
    assert_no_transaction()
    certified.check_place(tenant)
    codes = certified.codes_of(tenant, customer)
    row = _begin(tenant, client, actor)
    named = Codes(f"{tenant.qad.reference_prefix}-{CERTIFIED}{row.pk}-", **codes)
    trial = _Trial(row, tenant, client, named, look_for, tell)
    for name, what, document_of in steps():
        _step(trial, name, what, document_of)
    _duplicate(trial)
    return _finish(trial, actor)


def task(tenant_id: int, actor: str) -> dict[str, Any]:
    """For the queue."""
    tenant = Tenant.objects.get(pk=tenant_id)
    try:
        with connections.qad_client(tenant) as client:
            row = certify(tenant, client, actor=actor)
    except ConnectorError as error:
        return {"stopped": error.message[:200]}
    return {"certification": row.pk, "state": row.state}


def _begin(tenant: Tenant, client: QadClient, actor: str) -> Certification:
    now = timezone.now()
    dead = Certification.objects.filter(tenant=tenant, state=CertificationState.RUNNING)
    dead.filter(started_at__lt=now - DEAD_AFTER).update(
        state=CertificationState.INTERRUPTED, finished_at=now, sentence="It was interrupted before its end."
    )
    try:
        with transaction.atomic():
            return Certification.objects.create(
                tenant=tenant,
                profile_hash=fingerprint(client.profile),
                profile_version=tenant.qad.profile_version,
                preset=tenant.qad.preset,
                workspace=f"{tenant.qad.base_url} {tenant.qad.domain} > {tenant.qad.entity}",
                actor=actor,
                started_at=now,
            )
    except IntegrityError:
        raise Configuration(
            f"A certification of {tenant} is running already. Wait for its end, or half an hour if it was interrupted."
        ) from None


def _step(trial: _Trial, name: str, what: str, document_of: Callable[[Codes, Any], LedgerDocument]) -> None:
    try:
        document = document_of(trial.codes, trial.made)
    except KeyError as missing:
        _note(trial, StepDone(name, what, "failed", f"It needs step {missing.args[0]}, which QAD did not take."))
        return
    write = render(document, trial.client.profile)
    if not isinstance(write, WriteRequest):
        _note(trial, StepDone(name, what, "not configured", f"{write[0]} Such documents are held."))
        return
    step = StepDone(name, what, "sending", "Sent, and no answer was written down.", document.reference)
    _note(trial, step)
    try:
        receipt = trial.client.send(write, float(trial.tenant.qad.deadline_seconds))
    except ConnectorError as error:
        step.answer, step.sentence = "failed", error.message
    else:
        trial.made[name], trial.sent[name] = Done(document, receipt.number), write
        step.number = receipt.number
        _read_back(trial, step, document, write, receipt)
    _save(trial)
    trial.tell(step)


def _read_back(trial: _Trial, step: StepDone, document: LedgerDocument, write: WriteRequest, receipt: Receipt) -> None:
    """Look the document up until it is shown, and compare it with what was meant."""
    try:
        found, step.lag_seconds = _found(trial, write)
    except (Configuration, Uncertain) as error:
        step.answer = "warning"
        step.sentence = (
            f"Posted as {receipt.number}, but it cannot be looked up: {error.message} "
            "An answer that gets lost must then be settled by a person."
        )
        return
    except ConnectorError as error:
        step.answer, step.sentence = "failed", error.message
        return
    if not found:
        step.answer = "failed"
        step.sentence = f"Posted as {receipt.number}, and not shown under its reference after {trial.look_for:.0f} s."
        return
    sent = Sent(
        document.reference, document.customer, document.currency, write.total, document.posting_date, receipt.number
    )
    finding = judge(sent, [of_found(one) for one in found])
    step.answer = {Verdict.SAME: "ok", Verdict.SHIFTED: "warning"}.get(finding.verdict, "failed")
    step.sentence = finding.sentence or (
        f"Posted as {receipt.number}, found after {step.lag_seconds:.1f} s, and the same to the last digit."
    )


def _found(trial: _Trial, write: WriteRequest) -> tuple[tuple[Found, ...], float]:
    began = time.monotonic()
    while True:
        found = trial.client.look_up(write.entity, write.reference)
        waited = time.monotonic() - began
        if found or waited >= trial.look_for:
            return found, round(waited, 2)
        time.sleep(min(LOOK_EVERY, trial.look_for))


def _duplicate(trial: _Trial) -> None:
    """What this instance does when the same document is sent to it twice."""
    what = "Send the second invoice once more"
    write = trial.sent.get("INV-B")
    if write is None:
        _note(trial, StepDone("DUPLICATE", what, "failed", "It needs step INV-B, which QAD did not take."))
        return
    step = StepDone("DUPLICATE", what, "sending", "Sent, and no answer was written down.", write.reference)
    _note(trial, step)
    try:
        receipt = trial.client.send(write, float(trial.tenant.qad.deadline_seconds))
    except ConnectorError as error:
        _refused(trial, step, write, error)
    else:
        trial.figures["duplicate"] = "accepted with a warning" if receipt.warnings else "accepted"
        said = f" and says: {clause(receipt.warnings[0])}" if receipt.warnings else ""
        step.answer, step.number = "warning", receipt.number
        step.sentence = (
            f"QAD posts a second document under the same reference ({receipt.number}){said}. "
            "Switch its duplicate check on if it has one; else the settle window and the daily reading must do."
        )
    _save(trial)
    trial.tell(step)


def _refused(trial: _Trial, step: StepDone, write: WriteRequest, error: ConnectorError) -> None:
    """Whether the refusal is one: QAD then shows the document once."""
    try:
        copies = len(trial.client.look_up(write.entity, write.reference))
    except ConnectorError as unanswered:
        step.answer, step.sentence = "failed", unanswered.message
        return
    is_rejected = copies == 1
    trial.figures["duplicate"] = "rejected" if is_rejected else "unclear"
    step.answer = "ok" if is_rejected else "failed"
    step.sentence = f"QAD refuses a second document under the same reference. {error.message}"
    if not is_rejected:
        step.sentence = f"QAD shows it {copies} times after a second send. {error.message}"


def _note(trial: _Trial, step: StepDone) -> None:
    trial.steps.append(step)
    _save(trial)
    if step.answer != "sending":
        trial.tell(step)


def _save(trial: _Trial) -> None:
    Certification.objects.filter(pk=trial.row.pk).update(steps=[asdict(step) for step in trial.steps])


def _finish(trial: _Trial, actor: str) -> Certification:
    failed = [step for step in trial.steps if step.answer not in PASSES]
    has_invoice = any(step.name == "INV-A" and step.answer in ("ok", "warning") for step in trial.steps)
    is_passed = not failed and has_invoice
    lags = [step.lag_seconds for step in trial.steps if step.lag_seconds is not None]
    trial.figures |= {"look_up_lag_seconds": max(lags, default=None), "documents": len(trial.made)}
    state = CertificationState.PASSED if is_passed else CertificationState.FAILED
    if is_passed:
        sentence = f"Certified: {len(trial.made)} documents were posted, found and compared."
    elif failed:
        sentence = f"Not certified: {len(failed)} of {len(trial.steps)} steps failed. {failed[0].sentence}"
    else:
        sentence = "Not certified: the profile does not say how an invoice is written."
    now = timezone.now()
    with transaction.atomic():
        mine = Certification.objects.filter(pk=trial.row.pk, state=CertificationState.RUNNING)
        if mine.update(state=state, sentence=sentence, figures=trial.figures, finished_at=now):
            after = {"state": state.value, "profile": trial.row.profile_hash, **trial.figures}
            line = audit.Line("certified", f"certification:{trial.row.pk}", after=after, reason=sentence)
            audit.record(trial.tenant.pk, [line], actor=actor, now=now)
    trial.row.refresh_from_db()
    return trial.row

"""Test connection: read-only questions to both sides of a tenant, step by step; the answers are stored and shown."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

from django.db import transaction

from connector.chargebee.client import ChargebeeClient, Patience, try_host
from connector.chargebee.site import Outcome, Tried, hosts, key_warnings, pin
from connector.errors import Authentication, Configuration, ConnectorError
from connector.qad import certificate
from connector.qad import probes as qad_probes
from tenants import audit, certificates, connections
from tenants.models import ChargebeeConnection, ProbeResult, Side, Tenant

LISTS = (
    *("customers", "item_families", "items", "item_prices"),
    *("invoices", "credit_notes", "transactions", "events"),
)
_ONCE = Patience(attempts=1)
_DEADLINE = 15.0


@dataclass(frozen=True, slots=True)
class Step:
    """One question and its answer. `answer` is 'ok', 'empty', 'forbidden', 'wrong_path', 'not_configured'…"""

    side: Side
    subject: str
    answer: str
    seconds: float
    sentence: str


Tell = Callable[[Step], None]


def test_connection(
    tenant: Tenant, now: dt.datetime, *, actor: str = "test", tell: Tell | None = None
) -> list[ProbeResult]:
    """Ask both sides, store each answer, pin Chargebee's host, close mended circuits. Never a POST but to sign in.

    Not to be called inside a transaction: it talks to both systems.
    """
    steps: list[Step] = []
    for step in (*_told(_chargebee(tenant, now, actor), tell), *_told(_qad(tenant, now), tell)):
        steps.append(step)
    return _store(tenant, steps, now)


test_connection.__test__ = False  # type: ignore[attr-defined]  # no test case, whatever its name says


def _told(steps: Iterator[Step], tell: Tell | None) -> Iterator[Step]:
    for step in steps:
        if tell is not None:
            tell(step)
        yield step


def _store(tenant: Tenant, steps: list[Step], now: dt.datetime) -> list[ProbeResult]:
    with transaction.atomic():
        for step in steps:
            ProbeResult.objects.update_or_create(
                tenant=tenant,
                side=step.side,
                subject=step.subject,
                defaults={
                    "answer": step.answer,
                    "sentence": step.sentence,
                    "seconds": step.seconds,
                    "probed_at": now,
                    **({"overridden_reason": ""} if step.answer == "ok" else {}),
                },
            )
        for side, subject in ((Side.CHARGEBEE, "host"), (Side.QAD, "sign-in")):
            if any(step.side == side and step.subject == subject and step.answer == "ok" for step in steps):
                connections.resume(tenant, side)
    asked = {(step.side.value, step.subject) for step in steps}
    rows = ProbeResult.objects.filter(tenant=tenant)
    return [row for row in rows if (row.side, row.subject) in asked]


def _qad(tenant: Tenant, now: dt.datetime) -> Iterator[Step]:
    is_in = True
    try:
        with connections.qad_client(tenant) as client:
            for probe in qad_probes.run(client):
                subject = probe.subject.removeprefix("entity ")
                yield Step(Side.QAD, subject, probe.answer, probe.seconds, probe.sentence)
                is_in = is_in and (probe.subject not in ("sign-in", "workspace") or probe.answer in ("ok", "empty"))
            for probe in certificate.run(client, certificates.wanted(tenant, now)) if is_in else ():
                yield Step(Side.QAD, probe.subject, probe.answer, probe.seconds, probe.sentence)
    except ConnectorError as error:
        yield Step(Side.QAD, "sign-in", "not_configured", 0.0, error.message)


def _chargebee(tenant: Tenant, now: dt.datetime, actor: str) -> Iterator[Step]:
    began = time.monotonic()
    with ExitStack() as stack:
        try:
            row = connections.chargebee_connection(tenant)
            host, tried = _found_host(tenant, row, stack)
        except ConnectorError as error:
            yield Step(Side.CHARGEBEE, "host", "not_configured", _since(began), error.message)
            return
        yield Step(Side.CHARGEBEE, "host", _host_answer(tried), _since(began), _host_sentence(row, tried))
        if not host:
            return
        client = stack.enter_context(_client(tenant, row, host))
        site = _asked("site", lambda: _site(row, client))
        yield from (_asked("key", lambda: _key(tenant)), site)
        if site.answer == "wrong_path":
            return
        _pin(row, host, now, actor)
        for name in LISTS:
            yield _asked(f"list {name}", lambda name=name: _list(name, client))  # type: ignore[misc]


def _found_host(tenant: Tenant, row: ChargebeeConnection, stack: ExitStack) -> tuple[str, tuple[Tried, ...]]:
    """The host that answers: the pinned one and no other, else the first of the region's that knows the site."""
    candidates = (row.base_url or row.pinned_host,) if row.base_url or row.pinned_host else hosts(row.site, row.region)
    found = pin(candidates, lambda host: try_host(stack.enter_context(_client(tenant, row, host)), host))
    return found.host, found.tried


def _client(tenant: Tenant, row: ChargebeeConnection, host: str) -> AbstractContextManager[ChargebeeClient]:
    url = row.base_url or f"https://{host}"
    return connections.chargebee_at(tenant, row, url, deadline=_DEADLINE, patience=_ONCE)


def _host_answer(tried: tuple[Tried, ...]) -> str:
    last = tried[-1]
    if last.outcome is Outcome.ANSWERED:
        return "ok"
    if last.outcome is Outcome.STOP:
        return "refused_credentials" if "key" in last.message.lower() else "unreachable"
    return "wrong_path"


def _host_sentence(row: ChargebeeConnection, tried: tuple[Tried, ...]) -> str:
    said = " ".join(step.message for step in tried)
    if tried[-1].outcome in (Outcome.NO_SUCH_NAME, Outcome.SITE_NOT_FOUND) and row.pinned_host:
        return f"{said} If the site has moved, choose 'Look for the host again' in the Chargebee connection."
    return said


def _pin(row: ChargebeeConnection, host: str, now: dt.datetime, actor: str) -> None:
    """Store the host, once: a pinned host is never replaced here."""
    if row.base_url or row.pinned_host:
        return
    with transaction.atomic():
        if ChargebeeConnection.objects.filter(pk=row.pk, site=row.site, pinned_host="").update(pinned_host=host):
            row.pinned_host = host
            line = audit.Line(
                "chargebeeconnection.pinned", f"chargebeeconnection:{row.pk}", after={"pinned_host": host}
            )
            audit.record(row.tenant_id, [line], actor=actor, now=now)


def _asked(subject: str, ask: Callable[[], tuple[str, str]]) -> Step:
    began = time.monotonic()
    try:
        answer, sentence = ask()
    except ConnectorError as error:
        answer, sentence = _failed(error), error.message
    return Step(Side.CHARGEBEE, subject, answer, _since(began), sentence)


def _failed(error: ConnectorError) -> str:
    if isinstance(error, Authentication):
        return "forbidden"
    return "wrong_path" if isinstance(error, Configuration) else "unreachable"


def _key(tenant: Tenant) -> tuple[str, str]:
    warnings = connections.with_api_key(tenant, lambda key: key_warnings(mode=tenant.mode, api_key=key))
    return ("warning", str(warnings[0])) if warnings else ("ok", f"The key is one of a {tenant.mode} site.")


def _site(row: ChargebeeConnection, client: ChargebeeClient) -> tuple[str, str]:
    told = {str(entry.get("product_catalog_version")) for entry in client.configurations()}
    if "v1" in told:
        return "wrong_path", (
            f"Site '{row.site}' is on Product Catalog 1.0, and the connector reads sites on 2.0 only. "
            "Have Chargebee migrate the site, or name another one."
        )
    return "ok", f"Site '{row.site}' is on Product Catalog 2.0."


def _list(name: str, client: ChargebeeClient) -> tuple[str, str]:
    words = name.replace("_", " ")
    if client.list(name, {"limit": 1}).rows:
        return "ok", f"Chargebee's list of {words} answers with rows."
    return "empty", f"Chargebee's list of {words} answers, but is empty. That is right if nothing exists yet."


def _since(began: float) -> float:
    return round(time.monotonic() - began, 4)

"""The real clients of a tenant, built from its rows: the only place where credentials are revealed."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from connector.chargebee.ahead import Ahead
from connector.chargebee.client import ChargebeeClient, Patience
from connector.chargebee.plans import calls_a_minute
from connector.chargebee.site import hosts, site_problems
from connector.errors import Configuration, ConnectorError, Transient
from connector.http.session import Http
from connector.qad import presets
from connector.qad.auth import Credentials, MemoryTokens
from connector.qad.client import QadClient
from connector.qad.profile import load, merge
from connector.qad.profile_shape import Profile
from tenants import audit
from tenants.callbudget import Clock, Leave, SharedPace, SharedPlace
from tenants.models import (
    ChargebeeConnection,
    ChargebeeCredential,
    Circuit,
    Mode,
    QadConnection,
    QadCredential,
    Side,
    Tenant,
)
from tenants.origins import chargebee_origin, qad_origin, web_origin
from tenants.sandbox import is_sandbox_url

Answer = TypeVar("Answer")
_PATIENCE = Patience()
FIRST_PAUSE, LONGEST_PAUSE = dt.timedelta(seconds=30), dt.timedelta(minutes=15)
MOST_FAILURES = 30
_tokens: dict[tuple[Any, ...], MemoryTokens] = {}
_tokens_lock = threading.Lock()


@contextmanager
def chargebee_client(tenant: Tenant, *, clock: Clock = timezone.now) -> Iterator[ChargebeeClient]:
    """A client of the tenant's pinned host. Raises Configuration where the set-up does not allow one."""
    row = chargebee_connection(tenant)
    with chargebee_at(tenant, row, host_url(row), clock=clock) as client:
        yield client


@contextmanager
def chargebee_at(
    tenant: Tenant,
    row: ChargebeeConnection,
    url: str,
    *,
    deadline: float = 30.0,
    patience: Patience = _PATIENCE,
    clock: Clock = timezone.now,
) -> Iterator[ChargebeeClient]:
    """A client of one host of the tenant's site; for the connection test, which looks for the host to pin.

    The pauses that it keeps and leaves go by `clock`, as those of the rows that its caller puts off do.
    """
    key = _api_key(tenant, _origin_of_call(row, url))
    host = call_host(row)
    leave = Leave(SharedPlace(host, row.concurrency, clock=clock), SharedPace(host, site_limit(row), clock=clock))
    with Http(allow=settings.OUTBOUND_ALLOW) as http, closing(leave), closing(Ahead(http)) as ahead:
        yield ChargebeeClient(
            http,
            url,
            key,
            pace=leave,
            hold=leave.hold,
            report=_Pulse(tenant, clock),
            deadline=deadline,
            patience=patience,
            ahead=ahead,
        )


class _Pulse:
    """Opens the circuit of Chargebee on what only time or a person heals, closes it on the first good answer."""

    def __init__(self, tenant: Tenant, clock: Clock = timezone.now) -> None:
        self._tenant, self._clock = tenant, clock
        self._is_known_good = False

    def __call__(self, error: ConnectorError | None) -> None:
        if error is not None:
            self._is_known_good = False
            heals = isinstance(error, Transient)
            at_least = error.retry_after or 0.0 if isinstance(error, Transient) else 0.0
            stop(self._tenant, Side.CHARGEBEE, error.message, now=self._clock(), heals=heals, at_least=at_least)
        elif not self._is_known_good:
            self._is_known_good = True
            resume(self._tenant, Side.CHARGEBEE, now=self._clock())


def chargebee_connection(tenant: Tenant) -> ChargebeeConnection:
    """The row, if tenant, site and address fit together."""
    row = ChargebeeConnection.objects.filter(tenant=tenant).first()
    if row is None:
        raise Configuration(f"{tenant} has no Chargebee connection. Enter one under Tenants & connections > Chargebee.")
    problems = site_problems(site=row.site, region=row.region, mode=tenant.mode)
    if problems:
        raise Configuration(" ".join(str(problem) for problem in problems))
    if row.base_url and tenant.mode == Mode.LIVE:
        raise Configuration(f"{tenant} is live, and its Chargebee address is a sandbox's. Empty the address.")
    if row.base_url and not is_sandbox_url(row.base_url):
        raise Configuration(
            f"The Chargebee address '{row.base_url}' is not inside OUTBOUND_ALLOW. Empty it: only a sandbox has one."
        )
    return row


def host_url(row: ChargebeeConnection) -> str:
    """Where calls go: the sandbox's address, or the pinned host and no other."""
    if row.base_url:
        return row.base_url
    if not row.pinned_host:
        raise Configuration(f"The host of Chargebee site '{row.site}' is not pinned yet. Press Test connection first.")
    return f"https://{row.pinned_host}"


def call_host(row: ChargebeeConnection) -> str:
    """Under which name the calls to a site are counted."""
    return row.base_url or row.site


def site_limit(row: ChargebeeConnection) -> float:
    """Calls a minute. Tenants on one site share one limit: the lowest that any of them sets."""
    same = ChargebeeConnection.objects.filter(site=row.site, base_url=row.base_url)
    return min((_limit(one) for one in same), default=_limit(row))


def _limit(row: ChargebeeConnection) -> float:
    is_test = row.site.endswith("-test")
    return calls_a_minute(row.plan, is_test=is_test, share_percent=row.share_percent, custom=row.calls_per_minute)


def _origin_of_call(row: ChargebeeConnection, url: str) -> str:
    """The address for which the key must have been entered before it goes to `url`."""
    own = (
        (web_origin(row.base_url),) if row.base_url else [f"https://{host}:443" for host in hosts(row.site, row.region)]
    )
    if web_origin(url) not in own:
        raise Configuration(
            f"'{url}' is not an address of Chargebee site '{row.site}' in region '{row.region}'. "
            "Choose 'Look for the host again' in the Chargebee connection, then press Test connection."
        )
    return chargebee_origin(row)


@sensitive_variables()
def _api_key(tenant: Tenant, origin: str) -> str:
    row = ChargebeeCredential.objects.filter(tenant=tenant).first()
    if row is None or row.api_key is None:
        raise Configuration(f"{tenant} has no Chargebee API key. Enter it under Tenants & connections > Chargebee.")
    key: str = row.api_key.reveal(origin)
    return key


def with_api_key(tenant: Tenant, ask: Callable[[str], Answer]) -> Answer:
    """What `ask` says of the key; the key itself does not leave this module."""
    return ask(_api_key(tenant, chargebee_origin(chargebee_connection(tenant))))


@contextmanager
def qad_client(tenant: Tenant) -> Iterator[QadClient]:
    """A client of the tenant's QAD workspace. Raises Configuration where the set-up does not allow one."""
    row = qad_connection(tenant)
    profile = qad_profile(tenant)
    with Http(allow=settings.OUTBOUND_ALLOW, pool_size=max(4, row.concurrency + 1)) as http:
        yield QadClient(
            http,
            row.base_url,
            _credentials(tenant, qad_origin(row)),
            row.workspace,
            profile,
            tokens=_token_store(row),
            deadline=float(row.deadline_seconds),
        )


def qad_connection(tenant: Tenant) -> QadConnection:
    row = QadConnection.objects.filter(tenant=tenant).first()
    if row is None:
        raise Configuration(f"{tenant} has no QAD connection. Enter one under Tenants & connections > QAD.")
    return row


def qad_profile(tenant: Tenant) -> Profile:
    """The tenant's profile: the preset with what differs, and the company that the connection names."""
    row = qad_connection(tenant)
    return _profile(
        row.preset, json.dumps(row.profile_override, sort_keys=True), row.domain, row.entity, row.shared_set
    )


def profile_of(preset: str, override: dict[str, Any], *, domain: str, entity: str, shared_set: str) -> Profile:
    """The profile that a set-up describes. Raises ProfileError with every problem, or Configuration for the preset."""
    context = {"context": {"domain": domain, "entity": entity, "shared_set": shared_set}}
    return load(merge(merge(presets.preset(preset), context), override))


@lru_cache(maxsize=64)
def _profile(preset: str, override: str, domain: str, entity: str, shared_set: str) -> Profile:
    return profile_of(preset, json.loads(override), domain=domain, entity=entity, shared_set=shared_set)


@sensitive_variables()
def _credentials(tenant: Tenant, origin: str) -> Credentials:
    row = QadCredential.objects.filter(tenant=tenant).first()
    if row is None:
        raise Configuration(f"{tenant} has no QAD credentials. Enter them under Tenants & connections > QAD.")
    return Credentials(
        username=row.username,
        password=row.password.reveal(origin) if row.password else "",
        token=row.token.reveal(origin) if row.token else "",
        client_id=row.client_id,
    )


def _token_store(row: QadConnection) -> MemoryTokens:
    """Sessions of this process, so that each drain does not sign in anew; other credentials start another one."""
    changed_at = QadCredential.objects.filter(tenant=row.tenant_id).values_list("changed_at", flat=True).first()
    with _tokens_lock:
        return _tokens.setdefault((row.tenant_id, row.base_url, row.preset, changed_at), MemoryTokens())


def stop(
    tenant: Tenant, side: Side, reason: str, *, now: dt.datetime, heals: bool = False, at_least: float = 0.0
) -> None:
    """Open the circuit of a side: nothing is sent until a test of the connection succeeds.

    One that `heals` is tried again by itself, each time in a row after a longer pause, of `at_least` so many seconds.
    """
    with transaction.atomic():
        row = Circuit.objects.filter(tenant=tenant, side=side).first()
        failures = min(row.failures + 1, MOST_FAILURES) if row else 1
        pause = max(pause_after(failures), dt.timedelta(seconds=at_least))
        given = {"reason": reason, "failures": failures, "try_again_at": now + pause if heals else None}
        Circuit.objects.update_or_create(
            tenant=tenant, side=side, defaults=given, create_defaults={**given, "opened_at": now}
        )
        if row is None or (row.try_again_at is None) == heals:
            line = audit.Line("stopped", f"connection:{side}", after={"heals": heals}, reason=reason)
            audit.record(tenant.pk, [line], actor="connection", now=now)


def pause_after(failures: int) -> dt.timedelta:
    """How long a connection that heals by itself is left alone after so many failures in a row."""
    return min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE)


def resume(tenant: Tenant, side: Side, *, now: dt.datetime | None = None) -> bool:
    """Close the circuit of a side; True if it was open."""
    with transaction.atomic():
        row = Circuit.objects.filter(tenant=tenant, side=side).first()
        if row is None or not Circuit.objects.filter(pk=row.pk).delete()[0]:
            return False
        line = audit.Line("resumed", f"connection:{side}", before={"reason": row.reason})
        audit.record(tenant.pk, [line], actor="connection", now=now or timezone.now())
    return True


def circuit(tenant: Tenant, side: Side) -> Circuit | None:
    """The open circuit of a side, also one whose time to try again has come."""
    return Circuit.objects.filter(tenant=tenant, side=side).first()


def is_stopped(tenant: Tenant, side: Side, *, now: dt.datetime | None = None) -> bool:
    moment = now or timezone.now()
    row = circuit(tenant, side)
    return row is not None and (row.try_again_at is None or row.try_again_at > moment)


def why_stopped(tenant: Tenant, side: Side, now: dt.datetime) -> str:
    """'' while a side may be used; else why not and what ends it."""
    row = circuit(tenant, side)
    if row is None or not is_stopped(tenant, side, now=now):
        return ""
    if row.try_again_at is None:
        return f"The connection to {side.label} is stopped: {row.reason} Press Test connection when it is mended."
    left = max(1, round((row.try_again_at - now).total_seconds()))
    said = f"{left} seconds" if left < 120 else f"{round(left / 60)} minutes"
    return f"The connection to {side.label} is stopped: {row.reason} It is tried again by itself in {said}."

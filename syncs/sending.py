"""A batch of writes through a small thread pool: no database in here, one outcome for each, none may escape."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from django.db import connection

from connector.errors import (
    Authentication,
    Configuration,
    Conflict,
    ConnectorError,
    Problem,
    Rejected,
    Transient,
    Uncertain,
)
from connector.http.exchange import Exchange
from connector.qad.client import Found, QadClient
from connector.qad.payloads import WriteRequest
from connector.qad.replies import Receipt
from syncs.models.attempt import Outcome

DOUBTS_IN_A_ROW = 5  # then QAD is left alone for a while: every further document would have to be looked up


@dataclass(frozen=True, slots=True)
class Sending:
    """One write of a batch; `look_up` asks first whether QAD has the reference already."""

    key: int
    write: WriteRequest
    reference: str
    look_up: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a write. `stops` says that the connection should not be used further for now."""

    key: int
    outcome: Outcome
    sentence: str
    receipt: Receipt | None = None
    found: tuple[Found, ...] = ()
    problems: tuple[Problem, ...] = ()
    exchange: Exchange | None = None
    retry_after: float | None = None
    stops: bool = False


def send_all(
    client: QadClient, sendings: Sequence[Sending], *, pool_size: int, send_until: float, deadline: float
) -> list[Result]:
    """Send every write, `pool_size` at a time; `send_until` is monotonic: after it nothing more is sent.

    The caller's claim is committed: to wait for the network inside a transaction would undo that.
    """
    assert_no_transaction()
    if not sendings:
        return []
    try:
        client.sign_in()
    except ConnectorError as error:
        return [_not_sent(sending.key, error) for sending in sendings]
    fuse = _Fuse()
    if len(sendings) == 1 or pool_size == 1:
        return [_send(client, sending, send_until, deadline, fuse) for sending in sendings]
    with ThreadPoolExecutor(max_workers=min(pool_size, len(sendings)), thread_name_prefix="post") as pool:
        return list(pool.map(lambda sending: _send(client, sending, send_until, deadline, fuse), sendings))


def assert_no_transaction() -> None:
    """Raises RuntimeError when the main thread holds a transaction while the network is about to be used."""
    if connection.in_atomic_block:
        raise RuntimeError("The network may not be used inside a database transaction.")


class _Fuse:
    """Of one batch: blows after so many doubtful outcomes in a row, or when QAD refuses who we are."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._doubts = 0
        self._is_refused = False

    def note(self, result: Result) -> Result:
        with self._lock:
            self._is_refused = self._is_refused or result.stops
            if result.outcome == Outcome.UNCERTAIN:
                self._doubts += 1
            elif result.outcome in (Outcome.POSTED, Outcome.REJECTED, Outcome.ADOPTED):
                self._doubts = 0
        return result

    @property
    def is_blown(self) -> bool:
        return self._is_refused or self._doubts >= DOUBTS_IN_A_ROW


def _send(client: QadClient, sending: Sending, send_until: float, deadline: float, fuse: _Fuse) -> Result:
    if fuse.is_blown:
        return Result(sending.key, Outcome.NOT_SENT, "It was not sent: those before it in the batch failed.")
    return fuse.note(_sent(client, sending, send_until, deadline))


def _sent(client: QadClient, sending: Sending, send_until: float, deadline: float) -> Result:
    if time.monotonic() >= send_until:
        return Result(sending.key, Outcome.NOT_SENT, "Its turn came too late in the batch.")
    try:
        if sending.look_up and (found := client.look_up(sending.write.entity, sending.reference)):
            return Result(sending.key, Outcome.ADOPTED, "QAD has it already.", found=found)
    except ConnectorError as error:
        return _not_sent(sending.key, error)
    try:
        receipt = client.send(sending.write, deadline)
    except ConnectorError as error:
        return _failure(sending.key, error)
    except Exception as error:  # noqa: BLE001 - bytes may have left: whatever broke, the outcome is unknown
        return Result(sending.key, Outcome.UNCERTAIN, f"The connector failed while sending: {type(error).__name__}.")
    return Result(
        sending.key, Outcome.POSTED, f"Posted as {receipt.number}.", receipt=receipt, exchange=_kept(receipt.exchange)
    )


def _not_sent(key: int, error: ConnectorError) -> Result:
    return Result(
        key,
        Outcome.NOT_SENT,
        error.message,
        exchange=_exchange(error),
        retry_after=getattr(error, "retry_after", None),
        stops=isinstance(error, Authentication | Configuration),
    )


_OUTCOMES: dict[type[ConnectorError], Callable[[int, Any], Result]] = {
    Transient: _not_sent,
    Authentication: _not_sent,
    Configuration: _not_sent,
    Rejected: lambda key, error: Result(
        key, Outcome.REJECTED, error.message, problems=tuple(error.problems), exchange=_exchange(error)
    ),
    Conflict: lambda key, error: Result(key, Outcome.CONFLICT, error.message, exchange=_exchange(error)),
    Uncertain: lambda key, error: Result(key, Outcome.UNCERTAIN, error.message, exchange=_exchange(error)),
}


def _failure(key: int, error: ConnectorError) -> Result:
    kind = next((kind for kind in type(error).__mro__ if kind in _OUTCOMES), Uncertain)
    return _OUTCOMES[kind](key, error)


def _exchange(error: ConnectorError) -> Exchange | None:
    return _kept(error.exchange)


def _kept(exchange: object) -> Exchange | None:
    return exchange if isinstance(exchange, Exchange) else None

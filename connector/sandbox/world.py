"""Both halves on one clock, behind one door."""

from __future__ import annotations

import calendar
import datetime as dt
import traceback
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any, Protocol

from connector.sandbox.chargebee.site import ChargebeeSite
from connector.sandbox.clock import Clock
from connector.sandbox.control import CONTROL, Control
from connector.sandbox.faults import Faults
from connector.sandbox.qad.instance import QadInstance
from connector.sandbox.wire import Request, Response, reply_json

_REMEMBERED = 20_000


class Qad(Protocol):
    """What the world needs of its QAD half."""

    faults: Faults

    def handle(self, request: Request) -> Response: ...

    def ledger(self) -> dict[str, Any]: ...

    def reset(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in, for tests that judge what a client does."""

    at: dt.datetime
    request: Request


class World:
    """A Chargebee site and a QAD instance that know the same people; deterministic for a seed and a frozen clock.

    `qad` takes the place of the QAD half in tests of the Chargebee half.
    """

    def __init__(self, seed: int = 7, customers: int = 300, clock: Clock | None = None, qad: Any = None) -> None:
        self.seed = seed
        self.clock = clock or Clock()
        self.chargebee = ChargebeeSite(self.clock, seed, customers)
        self.qad = qad or QadInstance(self.clock, seed, customers)
        self.requests: Counter[str] = Counter()
        self.asked: deque[Asked] = deque(maxlen=_REMEMBERED)
        self._control = Control(self)

    def handle(self, request: Request) -> Response:
        """Never raises: a mistake of the sandbox is a 500 that shows where."""
        try:
            if request.path.startswith(CONTROL):
                return self._control.answer(request)
            self.requests[f"{request.method} {request.path}"] += 1
            self.asked.append(Asked(self.clock.now(), request))
            if request.path.startswith("/api/"):
                return self.chargebee.handle(request)
            return self._qad(request)
        except Exception:  # noqa: BLE001 - the last line of a test server
            return reply_json(500, {"sandbox_error": traceback.format_exc()})

    def _qad(self, request: Request) -> Response:
        half: Qad = self.qad
        return half.handle(request)

    def time(self) -> float:
        return self.clock.time()

    def release(self) -> int:
        """Lets every held reply go."""
        return self.chargebee.faults.release() + int(self.qad.faults.release())

    def faults(self, side: str) -> Faults:
        """side: chargebee or qad."""
        found: Faults = {"chargebee": self.chargebee, "qad": self.qad}[side].faults
        return found

    def bill_cycle(self, *, kinds: str = "invoices", months: int = 0) -> dict[str, int]:
        """Bills every subscription, after moving the clock on by whole months."""
        if months:
            self.clock.set(_months_later(self.clock.now(), months))
        return self.chargebee.bill_cycle(kinds=kinds)

    def ledger(self) -> dict[str, Any]:
        return dict(self.qad.ledger())

    def reset(self) -> None:
        """Back to the first day on both sides, with no fault and the clock as it was made."""
        self.clock.reset()
        self.qad.faults.clear()
        self.chargebee.reset()
        self.qad.reset()
        self.requests.clear()
        self.asked.clear()


def _months_later(moment: dt.datetime, months: int) -> dt.datetime:
    """The same day of a later month, or its last day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)

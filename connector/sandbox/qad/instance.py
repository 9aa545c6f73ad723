"""The QAD instance as the rest of the sandbox and the tests see it: one door, one ledger, a user's hands."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from typing import Any

from connector.sandbox.clock import Clock
from connector.sandbox.faults import Faults
from connector.sandbox.population import customers as population
from connector.sandbox.qad.calendar import Calendar
from connector.sandbox.qad.clouderp import Clouderp
from connector.sandbox.qad.company import Company, Modes
from connector.sandbox.qad.finrest import Finrest
from connector.sandbox.qad.hands import Hands
from connector.sandbox.qad.parties import people
from connector.sandbox.qad.report import ledger
from connector.sandbox.transport import answer
from connector.sandbox.wire import Request, Response, reply_html

_SAFE = ("GET", "HEAD", "OPTIONS")


class QadInstance(Hands):
    """`/clouderp` and `/finrest` over the same books. Faults of the line: `transport`; of QAD itself:

    late (delay; status of the reply, without one the line is dropped), unauthorized, forbidden, browse_empty,
    lookup_lag (delay), date_shift, customer_domain_fails.
    """

    def __init__(self, clock: Clock, seed: int, customers: int = 300, faults: Faults | None = None) -> None:
        self.clock, self.seed, self.size = clock, seed, customers
        self.faults = faults or Faults()
        self._lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Back to the first day; modes too, faults are left as they are."""
        with self._lock:
            now = self.clock.now()
            self.company = Company(self.clock, Calendar(now.date()))
            people(self.company.parties, population(self.seed, self.size), now)
            self.clouderp = Clouderp(self.company, self.faults)
            self.finrest = Finrest(self.company, self.faults)
            self.requests: Counter[str] = Counter()  # "POST /clouderp/api/erp/customerInvoices"
            self._late: list[tuple[dt.datetime, Request]] = []

    @property
    def modes(self) -> Modes:
        return self.company.modes

    def handle(self, request: Request) -> Response:
        return answer(self.faults, self.clock, request, self._work)

    def ledger(self) -> dict[str, Any]:
        """What a test compares with one literal; shapes: `report.ledger`."""
        with self._lock:
            self._apply_late()
            return ledger(self.company)

    def _work(self, request: Request) -> Response:
        with self._lock:
            self._apply_late()
            self.requests[f"{request.method} {request.path}"] += 1
            if self.faults.is_quiet or request.method in _SAFE or request.path.endswith("/oauth/token"):
                return self._route(request)
            return self._write(request)

    def _write(self, request: Request) -> Response:
        late = self.faults.take("late", request)
        if late:
            due = self.clock.now() + dt.timedelta(seconds=float(late.get("delay", 30.0)))
            self._late.append((due, request))
            status = late.get("status")
            return reply_html(int(status), "<h1>Gateway timeout</h1>") if status else Response(200, fault="drop")
        return self._with_modes(request)

    def _with_modes(self, request: Request) -> Response:
        """One write under another setting of the instance."""
        modes, before = self.company.modes, (self.company.modes.lookup_lag, self.company.modes.shifts_dates)
        lag, shift = self.faults.take("lookup_lag", request), self.faults.take("date_shift", request)
        if lag:
            modes.lookup_lag = float(lag.get("delay", 30.0))
        modes.shifts_dates = modes.shifts_dates or shift is not None
        try:
            return self._route(request)
        finally:
            modes.lookup_lag, modes.shifts_dates = before

    def _apply_late(self) -> None:
        """What was on its way when its caller gave up arrives now, whether anybody still waits or not."""
        if not self._late:
            return
        now = self.clock.now()
        due = [request for at, request in self._late if at <= now]
        self._late = [(at, request) for at, request in self._late if at > now]
        for request in due:
            door = self.finrest if request.path.startswith("/finrest/") else self.clouderp
            door.apply(request)

    def _route(self, request: Request) -> Response:
        if request.path.startswith("/clouderp/"):
            return self.clouderp.answer(request)
        if request.path.startswith("/finrest/"):
            return self.finrest.answer(request)
        return reply_html(404, "<html><body><h1>HTTP Status 404</h1></body></html>")

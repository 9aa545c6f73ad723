"""The page that will be asked for next, fetched while the one before it is stored."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait

from connector.http.session import Call, Http, Reply


class Ahead:
    """At most one call in a thread that does nothing else: leave, retries and what an answer means stay outside.

    Its owner has one call on the line at a time, as the site was promised: whatever he calls next waits for this one.
    """

    def __init__(self, http: Http) -> None:
        self._http = http
        self._pool = ThreadPoolExecutor(1, "chargebee-ahead")
        self._begun: tuple[Call, Future[Reply]] | None = None

    def begin(self, call: Call) -> None:
        self.forget()
        self._begun = call, self._pool.submit(self._http.call, call)

    def take(self, call: Call) -> Future[Reply] | None:
        """The outcome of this very call, None if it was not begun. Nothing is on the line when this returns."""
        if self._begun is None:
            return None
        begun, flight = self._begun
        wait([flight])
        if begun != call:
            return None
        self._begun = None
        return flight

    def forget(self) -> None:
        """A page of a list that nobody reads on must not turn up in a later reading of it."""
        if self._begun is not None:
            wait([self._begun[1]])
            self._begun = None

    def close(self) -> None:
        """Returns when the thread has ended: at the latest after the deadline of one call."""
        self._pool.shutdown(cancel_futures=True)
        self._begun = None

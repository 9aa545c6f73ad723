"""Faults switched on by name: what goes wrong, how often, for which requests."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Any

from connector.sandbox.wire import Request

LONGEST_HOLD = 120.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One switch. It counts only requests that match; `settings` are the fault's own (status, delay, text…)."""

    name: str
    times: int | None = 1  # None: until it is switched off
    every: int = 1  # the n-th matching request of each n
    after: int = 0  # so many matching requests pass first
    method: str = ""
    path: str = ""  # regular expression, searched
    body: str = ""  # regular expression, searched in the request's body
    settings: tuple[tuple[str, Any], ...] = ()

    def get(self, key: str, default: Any = None) -> Any:
        return dict(self.settings).get(key, default)

    def matches(self, request: Request | None) -> bool:
        if request is None:
            return not (self.method or self.path or self.body)
        return (
            self.method in ("", request.method)
            and re.search(self.path, request.path) is not None
            and (not self.body or re.search(self.body, request.body.decode("utf-8", "replace")) is not None)
        )


class _Switch:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.seen = 0
        self.fired = 0

    def fires(self, request: Request | None) -> bool:
        if self.fault.times is not None and self.fired >= self.fault.times:
            return False
        if not self.fault.matches(request):
            return False
        self.seen += 1
        beyond = self.seen - self.fault.after
        if beyond <= 0 or beyond % self.fault.every:
            return False
        self.fired += 1
        return True


class Faults:
    """The switches of one half. `take` is asked at each fault point and answers at most one fault."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._switches: list[_Switch] = []
        self._gates: list[threading.Event] = []

    def add(
        self,
        name: str,
        *,
        times: int | None = 1,
        every: int = 1,
        after: int = 0,
        method: str = "",
        path: str = "",
        body: str = "",
        **settings: Any,
    ) -> Fault:
        fault = Fault(name, times, max(1, every), after, method, path, body, tuple(settings.items()))
        with self._lock:
            self._switches = [*self._switches, _Switch(fault)]
        return fault

    def take(self, name: str, request: Request | None) -> Fault | None:
        if not self._switches:
            return None
        with self._lock:
            for switch in self._switches:
                if switch.fault.name == name and switch.fires(request):
                    return switch.fault
        return None

    @property
    def is_quiet(self) -> bool:
        return not self._switches

    def clear(self, name: str = "") -> None:
        """Switches off one name, or all; held replies go on."""
        with self._lock:
            self._switches = [switch for switch in self._switches if name and switch.fault.name != name]
        if not name or name.startswith("hold"):
            self.release()

    def hold(self) -> None:
        """Blocks the calling thread until `release`, never longer than LONGEST_HOLD seconds."""
        gate = threading.Event()
        with self._lock:
            self._gates.append(gate)
        gate.wait(LONGEST_HOLD)
        with self._lock:
            self._gates = [other for other in self._gates if other is not gate]

    def release(self) -> int:
        """Lets every held reply go; says how many there were."""
        with self._lock:
            gates, self._gates = self._gates, []
        for gate in gates:
            gate.set()
        return len(gates)

    @property
    def held(self) -> int:
        return len(self._gates)

    def report(self) -> list[dict[str, Any]]:
        return [
            {"name": switch.fault.name, "times": switch.fault.times, "seen": switch.seen, "fired": switch.fired}
            for switch in self._switches
        ]

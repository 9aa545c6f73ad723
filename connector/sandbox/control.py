"""The control side, `/_sandbox/…`: JSON in, JSON out, for those who have no Python at hand.

GET health, ledger, faults, requests, chargebee/{kind}[/{id}];
POST bill-cycle, clock, settings, reset, release, faults, chargebee/{action}, qad/{action} (the site's and the
instance's own methods, arguments by name); DELETE faults, requests.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connector.sandbox.chargebee.documents import Charge
from connector.sandbox.chargebee.failures import Refused
from connector.sandbox.chargebee.resources import BY_KIND
from connector.sandbox.wire import Request, Response

if TYPE_CHECKING:
    from connector.sandbox.world import World

CONTROL = "/_sandbox/"

CHARGEBEE_ACTIONS = (
    *("add_customer", "add_item_price", "add_invoice", "edit", "delete", "put_raw"),
    *("void_invoice", "close_invoice", "change_line", "pay", "change_payment", "reverse_payment", "refund_payment"),
    *("refund_note", "credit", "write_off", "apply_note", "void_note", "merge_customers", "change_afterwards"),
)
QAD_ACTIONS = (
    *("lock_period", "unlock_period", "lock_daybook", "unlock_daybook", "set_duplicate_mode", "add_account"),
    *("deactivate_account", "add_master", "deactivate_master", "add_customer", "change_customer", "enter_invoice"),
    *("change_relation", "delete_customer", "set_stamps", "set_capitals", "set_shared_names"),
)


class Control:
    def __init__(self, world: World) -> None:
        self._world = world
        self._doors: dict[tuple[str, str], Callable[[Request, Any], Any]] = {
            ("GET", "health"): self._health,
            ("GET", "ledger"): lambda request, body: self._world.ledger(),
            ("GET", "requests"): lambda request, body: dict(self._world.requests),
            ("DELETE", "requests"): self._forget_requests,
            ("GET", "faults"): lambda request, body: self._faults(),
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "release"): lambda request, body: {"released": self._world.release()},
            ("POST", "bill-cycle"): lambda request, body: self._world.bill_cycle(**body),
            ("POST", "clock"): self._clock,
            ("POST", "settings"): self._settings,
            ("POST", "reset"): self._reset,
        }

    def answer(self, request: Request) -> Response:
        path = request.path.removeprefix(CONTROL).strip("/")
        try:
            body = request.json() if request.body else {}
            door = self._doors.get((request.method, path))
            return _json(200, door(request, body) if door else self._by_path(request, path.split("/"), body))
        except Refused as refused:
            return refused.response()
        except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
            return _json(400, {"error": f"{type(error).__name__}: {error}"})

    def _by_path(self, request: Request, parts: list[str], body: Any) -> Any:
        match request.method, *parts:
            case "GET", "chargebee", kind if kind in BY_KIND:
                return self._world.chargebee.all(kind)
            case "GET", "chargebee", kind, key if kind in BY_KIND:
                return self._world.chargebee.get(kind, key)
            case "POST", "chargebee", action if action in CHARGEBEE_ACTIONS:
                if "charges" in body:
                    body["charges"] = tuple(_charge(charge) for charge in body["charges"])
                return getattr(self._world.chargebee, action)(**body)
            case "POST", "qad", action if action in QAD_ACTIONS:
                return getattr(self._world.qad, action)(**body)
        raise ValueError(f"The sandbox has no {request.method} {request.path}")

    def _health(self, request: Request, body: Any) -> Any:
        site = self._world.chargebee
        return {
            "status": "ok",
            "seed": self._world.seed,
            "now": self._world.clock.now(),
            "documents": {kind: site.core.store.count(kind) for kind in BY_KIND},
            **site.summary(),
        }

    def _forget_requests(self, request: Request, body: Any) -> Any:
        self._world.requests.clear()
        self._world.asked.clear()
        return {}

    def _faults(self) -> Any:
        sides = {side: self._world.faults(side) for side in ("chargebee", "qad")}
        return {side: {"switches": faults.report(), "held": faults.held} for side, faults in sides.items()}

    def _add_fault(self, request: Request, body: Any) -> Any:
        self._world.faults(body.pop("side")).add(body.pop("name"), **body)
        return self._faults()

    def _clear_faults(self, request: Request, body: Any) -> Any:
        for side in [request.first("side")] if request.first("side") else ["chargebee", "qad"]:
            self._world.faults(side).clear(request.first("name"))
        return self._faults()

    def _clock(self, request: Request, body: Any) -> Any:
        """freeze, run: true; set: ISO moment with its zone; advance: seconds."""
        clock = self._world.clock
        if body.get("freeze"):
            clock.freeze()
        if body.get("run"):
            clock.run()
        if body.get("set"):
            clock.set(dt.datetime.fromisoformat(body["set"]))
        clock.advance(float(body.get("advance", 0)))
        return {"now": clock.now()}

    def _settings(self, request: Request, body: Any) -> Any:
        """lag (s), rate_limit (per minute or null), expire_offsets, and the site's switches; `qad`: modes by name."""
        site = self._world.chargebee
        for name, value in body.items():
            match name:
                case "lag":
                    site.lag(float(value))
                case "rate_limit":
                    site.limit(value)
                case "expire_offsets":
                    site.expire_offsets()
                case "qad":
                    for mode, choice in value.items():
                        setattr(self._world.qad.modes, mode, choice)
                case _:
                    setattr(site.switches, name, value)
        return {}

    def _reset(self, request: Request, body: Any) -> Any:
        self._world.reset()
        return {}


def _charge(fields: dict[str, Any]) -> Charge:
    for name in ("taxes", "tiers"):
        if name in fields:
            fields[name] = tuple(tuple(row) if isinstance(row, list) else row for row in fields[name])
    return Charge(**fields)


def _json(status: int, value: Any) -> Response:
    return Response(status, json.dumps(value, default=_plain, ensure_ascii=False).encode())


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{value!r} has no JSON form")

"""Customers on a stage: a pair that both systems have, passes over it, and what each side has then."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from connector.sandbox.wire import Request, Response
from mappings.catalog import refresh_mirror
from mappings.models import CustomerMapping
from syncs import intake, running
from syncs.alignment.passing import Outcome, align
from syncs.creating import create_customers
from syncs.customers import prepare_customers
from syncs.models import CustomerConflict, Kind, RunState
from tenants import connections
from tests.flows.scene import Scene

ON = {"align_customers": "both"}


def keep_the_same(scene: Scene) -> Outcome:
    """What a sync does with customers, without its documents."""
    tenant, clock = scene.tenant, scene.clock
    with connections.qad_client(tenant) as qad, connections.chargebee_client(tenant) as chargebee:
        refresh_mirror(tenant, qad, "customers", clock())
        run = running.start(tenant, [Kind.CUSTOMER], trigger="test", now=clock())
        intake.pull(tenant, run, Kind.CUSTOMER, chargebee, clock=clock)
        running.finish(run, RunState.COMPLETE, "", now=clock())
        prepare_customers(tenant, clock=clock)
        create_customers(tenant, qad, running.pace_of(tenant), clock=clock, until=time.monotonic() + 30)
        return align(tenant, qad, chargebee, clock=clock)


def a_pair(scene: Scene, **fields: Any) -> tuple[str, str]:
    """A customer that both systems have with the same name, linked and settled; his two keys."""
    who = scene.customer(company="Acme Works", **fields)
    code = CustomerMapping.objects.get(chargebee_id=who).qad_code
    scene.world.qad.change_customer(code, name="Acme Works")
    keep_the_same(scene)
    return who, code


def writes(scene: Scene) -> dict[str, int]:
    """Customer writes that reached each side."""
    counts = {"chargebee": 0, "qad": 0}
    for asked, count in scene.world.requests.items():
        method, _, path = asked.partition(" ")
        if method == "POST" and path.startswith("/api/v2/customers"):
            counts["chargebee"] += count
        elif method == "POST" and ("ustomerV2s" in path or "/v1/customers" in path or "RelationV2s" in path):
            counts["qad"] += count
    return counts


def just_before(scene: Scene, side: str, method: str, path: str, edit: Callable[[], Any]) -> None:
    """Somebody edits at the very moment when the first such request has come in and is not yet worked on."""
    half = getattr(scene.world, side)
    answer, waiting = half.handle, [edit]

    def handle(request: Request) -> Response:
        if waiting and request.method == method and re.search(path, request.path):
            waiting.pop()()
        return answer(request)

    half.handle = handle


def in_qad(scene: Scene, code: str) -> dict[str, Any]:
    return scene.world.qad.company.parties.customers[code]


def in_chargebee(scene: Scene, who: str) -> dict[str, Any]:
    return scene.world.chargebee.get("customer", who)


def lines(**of: Any) -> list[tuple[str, str, str]]:
    """The conflict log: kind, field and state of each line."""
    rows = CustomerConflict.objects.filter(**of).order_by("pk")
    return list(rows.values_list("kind", "field", "state"))

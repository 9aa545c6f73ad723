"""Documents of which nothing could be made here, and the hands that enter them in QAD."""

from __future__ import annotations

import datetime as dt

from syncs import keyed
from tests.flows.scene import Scene


def code(scene: Scene, customer: str) -> str:
    return str(scene.tenant.customer_mappings.get(chargebee_id=customer).qad_code)


def today(scene: Scene, source_id: str, kind: str) -> dt.date:
    moment = scene.source(source_id, kind).dated_at
    assert moment is not None
    return moment.astimezone(dt.timezone(dt.timedelta(hours=-7))).date()  # Denver in winter


def keyed_in(scene: Scene, source_id: str, kind: str = "invoice", total: str = "100.00", *, as_kind: str = "") -> str:
    """Somebody enters it in QAD; its number."""
    day = today(scene, source_id, kind)
    who = code(scene, scene.source(source_id, kind).customer_id)
    found = scene.world.qad.enter(as_kind or kind, who, total, posting_date=day, document_date=day)
    return str(found["number"])


def mark(scene: Scene, source_id: str, number: str, kind: str = "invoice", *, is_applied: bool = False) -> str:
    row = scene.source(source_id, kind)
    with scene.qad() as client:
        return keyed.mark_posted(
            scene.tenant, client, row, number, now=scene.clock(), actor="ada", is_applied=is_applied
        )


def held(scene: Scene, customer: str = "", **broken: object) -> str:
    """An invoice over 100.00 whose figures contradict each other, unless told otherwise."""
    number = scene.invoice(customer, total=10_000)
    scene.world.chargebee.edit("invoice", number, **(broken or {"sub_total": 9_999}))
    scene.sync()
    return number

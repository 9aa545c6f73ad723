"""Scenes in which a person has to decide, and the hands that do it."""

from __future__ import annotations

from typing import Any

from syncs import resolving, running, verifying
from syncs.models import Posting
from tests.flows.scene import Scene


def books(scene: Scene) -> Any:
    return scene.world.qad.company.books


def keyed_in(scene: Scene, source_id: str, total: str = "", **values: Any) -> str:
    """Somebody enters the document in QAD at the screen; its number."""
    posting = scene.posting(source_id)
    given = {"posting_date": posting.posting_date, "document_date": posting.posting_date, **values}
    amount = total or str(posting.total.amount)
    return str(scene.world.qad.enter_invoice(posting.customer_code, amount, **given)["number"])


def taken_out(scene: Scene, number: str) -> None:
    """Somebody deletes a document in QAD, which nobody should be able to."""
    kept = books(scene)
    gone = kept.by_number[number]
    for documents in kept.documents.values():
        if gone in documents:
            documents.remove(gone)
    kept.by_reference[gone["reference"].lower()].remove(gone)
    del kept.by_number[number]


def refused(scene: Scene, **fields: Any) -> str:
    """An invoice that QAD rejected for its closed period, which is open again."""
    source_id = scene.invoice(**fields)
    scene.prepare()
    day = scene.posting(source_id).posting_date
    scene.world.qad.lock_period(day.year, day.month)
    scene.post()
    scene.world.qad.unlock_period(day.year, day.month)
    assert scene.posting(source_id).state == "rejected"
    return source_id


def a_conflict(scene: Scene, total: str = "99.00", times: int = 1) -> str:
    """An invoice of 100.00 whose answer was lost, while QAD has something else under its reference."""
    scene.invoice()
    scene.sync()
    source_id = scene.invoice(total=100_00)
    scene.prepare()
    scene.fault("drop")
    scene.post()
    for _ in range(times):
        keyed_in(scene, source_id, total, reference=scene.posting(source_id).reference)
    scene.clock.forward(200)
    scene.post()
    return source_id


def mark_posted(scene: Scene, source_id: str, number: str) -> str:
    with scene.qad() as client:
        return resolving.mark_posted(
            scene.tenant, client, scene.posting(source_id), number, now=scene.clock(), actor="ada"
        )


def adopt(scene: Scene, source_id: str, number: str, reason: str = "") -> str:
    with scene.qad() as client:
        return resolving.adopt(
            scene.tenant, client, scene.posting(source_id), number, reason=reason, now=scene.clock(), actor="ada"
        )


def look_again(scene: Scene, source_id: str) -> str:
    with scene.qad() as client:
        return resolving.look_again(scene.tenant, client, scene.posting(source_id), now=scene.clock(), actor="ada")


def read_back(scene: Scene) -> dict[str, int]:
    Posting.objects.filter(tenant=scene.tenant).update(settle_at=None)
    with scene.qad() as client:
        pace = running.pace_of(scene.tenant)
        found = verifying.verify(scene.tenant, client, pace, clock=scene.clock, until=float("inf"), actor="test")
    return dict(found)

"""A document that a webhook brought, and whose customer is missing, posts within minutes and not a day later."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from mappings.models import CustomerMapping, MirrorState
from syncs import seeking, tasks
from syncs.models import WebhookEvent
from tests.builders import a_tenant
from tests.flows.scene import Scene, a_scene
from tests.syncs.rows import a_document
from tests.syncs.webhook_desk import Sender

pytestmark = pytest.mark.django_db(transaction=True)
UNKNOWN = {"code": "customer-unknown", "subject": "QAD customer Q1", "message": "", "fix": "", "link": ""}
NOW = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)


def brought(scene: Scene, who: str, **fields: Any) -> str:
    """An invoice of which only its own webhook tells; the webhook lane has read it."""
    number = scene.invoice(who, **fields)
    (event,) = [
        one
        for one in scene.world.chargebee.all("event")
        if one["content"].get("invoice", {}).get("id") == number and "customer" not in one["content"]
    ]
    Sender(scene.tenant).send(event)
    tasks.work(scene.tenant.pk, "webhooks")
    return number


def lanes(scene: Scene, *names: str) -> None:
    for name in names or ("prepare", "customers", "seek", "prepare", "post"):
        if tasks.WORK[name](scene.tenant):
            tasks.work(scene.tenant.pk, name)


def some_minutes_pass() -> None:
    """Since QAD's customers were read last."""
    earlier = timezone.now() - seeking.PAUSE
    MirrorState.objects.filter(list_name="customers").update(asked_at=earlier, refreshed_at=earlier)


@pytest.mark.slow
def test_a_document_of_a_customer_who_is_new_in_qad_posts_without_waiting_for_the_lists_of_the_day():
    with a_scene() as scene:
        scene.sync()
        number = brought(scene, scene.customer(code="LATE0001"))
        lanes(scene)
        assert scene.source(number).codes == "|customer-unknown|"
        assert not tasks.WORK["seek"](scene.tenant)  # the list was read a moment ago

        some_minutes_pass()
        lanes(scene)

        assert scene.posting(number).state == "posted"
        assert not tasks.WORK["seek"](scene.tenant)


@pytest.mark.slow
def test_a_customer_whom_nobody_told_of_is_read_with_his_document_and_created():
    with a_scene() as scene:
        scene.sync()
        who = scene.world.chargebee.add_customer(company="Out Of Nowhere Inc")["id"]
        number = brought(scene, who)
        assert WebhookEvent.objects.get().documents == [["invoice", number, "new"], ["customer", who, "new"]]

        lanes(scene)

        assert scene.source(who, "customer").state == "linked"
        assert scene.posting(number).state == "posted"


@pytest.mark.slow
def test_a_customer_whom_people_make_in_qad_is_linked_and_his_document_posts():
    with a_scene(policies={"create_customers": "hold"}) as scene:
        scene.sync()
        who = scene.world.chargebee.add_customer(company="By Hand Inc")["id"]
        number = brought(scene, who)
        lanes(scene)
        assert scene.source(who, "customer").codes == "|customer-not-in-qad|"
        scene.world.qad.add_customer("HAND0001", "By Hand Inc", reference=who)

        some_minutes_pass()
        lanes(scene)

        assert CustomerMapping.objects.get(chargebee_id=who).qad_code == "HAND0001"
        assert scene.posting(number).state == "posted"


@pytest.mark.slow
def test_a_document_that_was_held_before_its_customer_came_is_released_when_he_is_linked():
    with a_scene() as scene:
        scene.sync()
        scene.world.qad.add_customer("KNOWN001", "Known Works")
        scene.sync("item")  # reads QAD's customers
        who = scene.world.chargebee.add_customer(meta_data={"qad_customer": "KNOWN001"})["id"]
        scene.world.chargebee.edit("customer", who, meta_data={})
        number = scene.invoice(who)
        scene.sync("invoice")
        assert scene.source(number).codes == "|customer-not-linked|"
        scene.world.chargebee.edit("customer", who, meta_data={"qad_customer": "KNOWN001"})
        event = max(
            (one for one in scene.world.chargebee.all("event") if one["content"].get("customer", {}).get("id") == who),
            key=lambda one: (one["occurred_at"], one["id"]),
        )
        Sender(scene.tenant).send(event)
        tasks.work(scene.tenant.pk, "webhooks")

        lanes(scene, "prepare", "post")

        assert scene.posting(number).state == "posted"


@pytest.mark.parametrize(
    ("arrived", "asked", "codes", "is_due"),
    [
        (30, 20, "customer-unknown", True),
        (30, 20, "customer-not-linked", True),
        (30, 20, "item-not-mapped", False),
        (10, 20, "customer-unknown", False),
        (30, 55, "customer-unknown", False),
    ],
    ids=["it came later", "no link", "held for something else", "it was there when they were read", "asked just now"],
)
def test_the_list_is_read_for_what_came_after_it_was_read_and_not_again_at_once(
    arrived: int, asked: int, codes: str, is_due: bool
):
    tenant = a_tenant()
    at = {name: NOW + dt.timedelta(minutes=minutes) for name, minutes in {"arrived": arrived, "asked": asked}.items()}
    row = a_document(tenant, "INV-1", state="held", problems=[{**UNKNOWN, "code": codes}])
    row.__class__.objects.update(first_seen_at=at["arrived"])
    read_at = NOW + dt.timedelta(minutes=20)
    MirrorState.objects.create(tenant=tenant, list_name="customers", asked_at=at["asked"], refreshed_at=read_at)

    assert seeking.is_due(tenant, NOW + dt.timedelta(minutes=60)) == is_due


@pytest.mark.parametrize(("minutes", "is_due"), [(59, False), (60, True)])
def test_a_list_that_could_not_be_read_is_left_alone_for_an_hour(minutes: int, is_due: bool):
    tenant = a_tenant()
    a_document(tenant, "INV-1", state="held", problems=[UNKNOWN]).__class__.objects.update(first_seen_at=NOW)
    given = {"answer": "failed", "asked_at": NOW, "refreshed_at": NOW - dt.timedelta(days=1)}
    MirrorState.objects.create(tenant=tenant, list_name="customers", **given)

    assert seeking.is_due(tenant, NOW + dt.timedelta(minutes=minutes)) == is_due


def test_a_list_that_was_never_read_or_is_not_there_is_left_to_the_schedule():
    tenant = a_tenant()
    a_document(tenant, "INV-1", state="held", problems=[UNKNOWN])
    assert not seeking.is_due(tenant, NOW)
    MirrorState.objects.create(tenant=tenant, list_name="customers", answer="not_configured", asked_at=None)
    assert not seeking.is_due(tenant, NOW)

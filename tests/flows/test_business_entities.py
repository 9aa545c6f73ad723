"""A tenant's business entities change: what was skipped is decided anew, what is in QAD stays there and is told."""

from __future__ import annotations

import html

import pytest
from django.test import Client

from syncs import posting, tasks
from syncs.models import CustomerCreation
from syncs.permission import why_not_posting
from tenants.models import AuditEntry, Tenant
from tests.builders import a_user
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)


def belongs(scene: Scene, *entities: str) -> None:
    """As the tenant's page or its file saves them."""
    Tenant.objects.filter(pk=scene.tenant.pk).update(business_entities=list(entities))


def told(scene: Scene, action: str) -> list[str]:
    return list(AuditEntry.objects.filter(tenant=scene.tenant, action=action).values_list("subject", flat=True))


@pytest.mark.slow
def test_what_was_skipped_is_posted_and_what_was_posted_stays_when_the_entities_change():
    with a_scene() as scene:
        belongs(scene, "ours")
        ours, theirs = (scene.invoice(business_entity_id=name) for name in ("ours", "theirs"))
        scene.sync()
        assert (scene.posting(ours).state, scene.source(theirs).state) == ("posted", "skipped")
        before = scene.posting(ours).changed_at

        belongs(scene, "theirs")
        scene.sync()

        assert (scene.source(theirs).state, scene.posting(theirs).state) == ("coded", "posted")
        assert (scene.posting(ours).state, scene.posting(ours).changed_at) == ("posted", before)
        assert told(scene, "looked-at-again") == [f"invoice:{theirs}"]
        assert told(scene, "posted-outside") == [f"invoice:{ours}"]
        page = Client()
        page.force_login(a_user({scene.tenant: "auditor"}))
        overview = html.unescape(page.get("/admin/").content.decode())
        assert "1 document in QAD is of a business entity that is not this tenant's any more: " in overview
        assert f"any more: Invoice {ours}. Nothing was taken back." in overview
        assert f"invoice:{ours}" in page.get("/admin/tenants/auditentry/?kind=entities").content.decode()

        lines = AuditEntry.objects.count()
        scene.sync()
        assert len(told(scene, "looked-at-again")) == len(told(scene, "posted-outside")) == 1
        assert len(scene.in_qad()) == 2
        assert AuditEntry.objects.count() == lines + 1  # the end of the run


@pytest.mark.slow
def test_nothing_goes_out_between_the_change_and_the_deciding_anew():
    with a_scene() as scene:
        belongs(scene, "ours")
        ready, held = scene.invoice(business_entity_id="ours"), scene.invoice(business_entity_id="ours")
        scene.prepare()
        assert scene.posting(ready).state == "ready"

        belongs(scene, "theirs")
        scene.post()

        assert scene.sent() == 0
        assert "business entities of Acme were changed" in why_not_posting(scene.tenant)

        tasks.LANES["prepare"](scene.tenant)
        scene.post()

        assert why_not_posting(scene.tenant) == ""
        assert [scene.source(name).state for name in (ready, held)] == ["skipped", "skipped"]
        assert (scene.posting(ready).state, scene.sent()) == ("held", 0)
        belongs(scene)
        scene.sync()
        assert [scene.posting(name).state for name in (ready, held)] == ["posted", "posted"]


@pytest.mark.slow
def test_a_customer_who_waits_for_his_creation_is_not_created_when_he_is_another_tenants():
    with a_scene() as scene:
        belongs(scene, "ours")
        who = scene.world.chargebee.add_customer(business_entity_id="ours", company="Moved Works")["id"]
        scene.prepare()
        assert scene.source(who, "customer").state == "creating"

        belongs(scene, "theirs")
        scene.sync()

        assert scene.source(who, "customer").state == "skipped"
        assert not CustomerCreation.objects.filter(source__source_id=who).exists()
        belongs(scene, "ours", "theirs")
        scene.sync()
        assert scene.source(who, "customer").state == "linked"


@pytest.mark.slow
def test_a_change_between_the_look_and_the_claim_is_seen_by_the_claim(monkeypatch):
    with a_scene() as scene:
        belongs(scene, "ours")
        number = scene.invoice(business_entity_id="ours")
        scene.prepare()
        found = posting._candidates

        def candidates(*given: object) -> list[int]:
            belongs(scene, "theirs")
            return found(*given)

        monkeypatch.setattr(posting, "_candidates", candidates)
        scene.post()

        assert (scene.posting(number).state, scene.sent()) == ("ready", 0)

"""A profile is certified in a test workspace before anything live is posted with it."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from connector.qad.fingerprint import fingerprint
from mappings.catalog import refresh_mirror
from syncs import certifying, newest
from syncs.models import Certification
from syncs.permission import why_not_posting
from tenants import connections
from tenants.models import AuditEntry, ChargebeeConnection, Mode, ProbeResult, QadConnection, Tenant
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)


def a_certification(scene: Scene, **options) -> Certification:
    with scene.qad() as client:
        refresh_mirror(scene.tenant, client, "customers", scene.clock())
        return certifying.certify(scene.tenant, client, actor="ada", look_for=0.0, **options)


def answers(row: Certification) -> dict[str, str]:
    return {step["name"]: step["answer"] for step in row.steps}


def a_live_tenant(like: Tenant, site: str = "acme") -> Tenant:
    """The same profile at another address, tested."""
    live = Tenant.objects.create(slug="acme-live", name="Acme live", mode=Mode.LIVE)
    ChargebeeConnection.objects.create(tenant=live, site=site)
    QadConnection.objects.create(
        tenant=live,
        base_url="https://acme.qad.example/clouderp",
        domain="20EUR",
        entity="20EURCO",
        preset=like.qad.preset,
        profile_override=like.qad.profile_override,
    )
    probe = ProbeResult.objects.filter(tenant=like, side="qad", subject="invoice").get()
    probe.pk, probe.tenant = None, live
    probe.save()
    return live


@pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])
def test_both_dialects_pass_and_every_step_is_kept(dialect):
    with a_scene(dialect=dialect) as scene:
        row = a_certification(scene)

        assert (row.state, row.actor) == ("passed", "ada"), row.steps
        assert set(answers(row).values()) <= {"ok", "warning"}, row.steps
        assert row.figures["duplicate"].startswith("accepted")
        assert row.figures["look_up_lag_seconds"] is not None
        assert row.profile_hash == fingerprint(connections.qad_profile(scene.tenant))
        ledger = scene.world.ledger()
        references = {one["reference"] for one in ledger["documents"]}
        assert references == {step["reference"] for step in row.steps}
        assert all(one.startswith(f"CB-CERT-{row.pk}-") for one in references)
        assert AuditEntry.objects.get(action="certified").after["state"] == "passed"


@pytest.mark.slow
def test_its_documents_are_no_strangers_to_the_reading_back():
    with a_scene() as scene:
        a_certification(scene)
        newest.forget()
        scene.invoice()

        story = scene.sync()

        assert (story.not_posting, scene.dispositions()) == ("", {"posted": 1})


@pytest.mark.parametrize("dialect", ["adaptive", "offset-rest"])
@pytest.mark.parametrize("duplicates", ["warn", "reject"])
@pytest.mark.slow
def test_qads_own_words_end_inside_our_sentences(dialect, duplicates):
    with a_scene(dialect=dialect) as scene:
        scene.world.qad.set_duplicate_mode(duplicates)

        row = a_certification(scene)

        sentences = [row.sentence, *(step["sentence"] for step in row.steps)]
        assert [one for one in sentences if ".." in one or not one.endswith(".")] == []


def test_it_says_that_an_instance_refuses_a_second_document():
    with a_scene() as scene:
        scene.world.qad.set_duplicate_mode("reject")

        row = a_certification(scene)

        assert (row.state, row.figures["duplicate"], answers(row)["DUPLICATE"]) == ("passed", "rejected", "ok")


def test_a_list_that_does_not_show_the_reference_does_not_pass():
    with a_scene() as scene:
        scene.world.qad.modes.lookup_lag = 3600.0

        row = a_certification(scene)

        assert row.state == "failed"
        assert "not shown under its reference" in row.sentence


def test_what_qad_refuses_is_told_in_its_words_and_the_steps_that_lean_on_it_say_so():
    with a_scene() as scene:
        scene.fault("forbidden", path="customerPayments", times=None)

        row = a_certification(scene)

        assert row.state == "failed"
        assert answers(row)["PAY"] == "failed"
        assert "needs step PAY" in next(step["sentence"] for step in row.steps if step["name"] == "REF")
        assert answers(row)["INV-A"] == "ok"


def test_live_posting_is_off_until_the_profile_in_use_is_certified():
    with a_scene() as scene:
        live = a_live_tenant(scene.tenant)
        assert why_not_posting(live).startswith("Live posting is off until the QAD profile of Acme live is certified")
        assert why_not_posting(scene.tenant) == ""

        a_certification(scene)

        assert why_not_posting(live) == ""
        live.qad.profile_override = {**live.qad.profile_override, "values": {"amounts": "string"}}
        live.qad.save()
        assert why_not_posting(live).startswith("Live posting is off")


def test_the_certification_of_another_company_does_not_count():
    with a_scene() as scene:
        live = a_live_tenant(scene.tenant, site="globex")

        a_certification(scene)

        assert why_not_posting(live).startswith("Live posting is off")


def test_it_never_runs_with_a_live_tenant_nor_in_its_workspace():
    with a_scene() as scene:
        live = a_live_tenant(scene.tenant)
        with pytest.raises(CommandError, match="is live"):
            call_command("certify", "acme-live")
        mine = QadConnection.objects.get(tenant=scene.tenant)
        QadConnection.objects.filter(tenant=live).update(
            base_url=mine.base_url, domain=mine.domain, entity=mine.entity, reference_prefix="LV"
        )
        sent = scene.sent()

        with pytest.raises(CommandError, match="posts into the workspace of the live tenant"):
            call_command("certify", "acme")

        assert (scene.sent(), Certification.objects.count()) == (sent, 0)


def test_the_command_prints_a_line_for_each_step_and_names_what_is_missing(capsys):
    with a_scene() as scene:
        with pytest.raises(CommandError, match="QAD has no active customer in USD"):
            call_command("certify", "acme")
        with scene.qad() as client:
            refresh_mirror(scene.tenant, client, "customers", scene.clock())
        with pytest.raises(CommandError, match="QAD has no customer 'NOBODY'"):
            call_command("certify", "acme", customer="NOBODY")
        capsys.readouterr()

        call_command("certify", "acme", patience=0)

        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith("ok             Post an invoice: Posted as ")
        assert any(line.startswith("duplicate: accepted") for line in lines)
        assert lines[-1].startswith("Certified: ")
        call_command("certify", "acme", patience=0, json=True)
        assert json.loads(capsys.readouterr().out)["state"] == "passed"


def test_one_that_was_killed_shows_how_far_it_came_and_the_next_has_references_of_its_own():
    with a_scene() as scene:
        scene.fault("drop_after_commit", path="customerPayments")
        first = a_certification(scene)
        assert answers(first)["PAY"] == "failed"  # no answer: the outcome is unknown, and nothing is sent again
        Certification.objects.filter(pk=first.pk).update(state="running", finished_at=None)

        with pytest.raises(CommandError, match="is running already"):
            call_command("certify", "acme", patience=0)
        Certification.objects.update(started_at=first.started_at - certifying.DEAD_AFTER * 2)
        second = a_certification(scene)

        first.refresh_from_db()
        assert (first.state, second.state) == ("interrupted", "passed")

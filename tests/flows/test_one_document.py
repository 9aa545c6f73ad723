"""One document, asked for by its id: the latest state, a tombstone for what is gone, and never an older state."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from syncs.models import Run, SourceDocument
from syncs.refetch import Outcome, Taken, take_in
from tenants import connections
from tenants.models import AuditEntry
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)


def take(scene: Scene, source_id: str, kind: str = "invoice") -> Taken:
    with connections.chargebee_client(scene.tenant) as client:
        return take_in(scene.tenant, kind, source_id, client, clock=scene.clock)


def test_it_takes_in_what_the_lists_do_not_show_yet():
    with a_scene() as scene:
        scene.world.chargebee.lag(300)
        source_id = scene.invoice(total=500)

        assert take(scene, source_id).outcome is Outcome.NEW
        assert take(scene, source_id).outcome is Outcome.SAME

        scene.world.chargebee.edit("invoice", source_id, po_number="PO-7")
        assert take(scene, source_id).outcome is Outcome.CHANGED
        assert scene.source(source_id).content["po_number"] == "PO-7"


def test_a_deleted_document_becomes_a_tombstone_with_its_content():
    with a_scene() as scene:
        source_id = scene.invoice()
        scene.prepare()
        scene.world.chargebee.delete("invoice", source_id)

        assert take(scene, source_id).outcome is Outcome.CHANGED

        row = scene.source(source_id)
        assert (row.is_deleted, row.vanished_at, row.content["deleted"]) == (True, None, True)


def test_a_document_that_chargebee_shows_nowhere_is_taken_for_deleted_and_says_so():
    with a_scene() as scene:
        source_id = scene.invoice(total=700)
        scene.prepare()
        scene.world.chargebee.core.store.forget("invoice", source_id)

        assert take(scene, source_id).outcome is Outcome.VANISHED
        assert take(scene, source_id).outcome is Outcome.SAME

        row = scene.source(source_id)
        assert row.is_deleted and row.vanished_at is not None and row.total_minor == 700
        assert AuditEntry.objects.get(action="vanished").subject == f"invoice:{source_id}"


def test_it_knows_an_id_that_nobody_has():
    with a_scene() as scene:
        assert take(scene, "nobody").outcome is Outcome.ABSENT
        assert not SourceDocument.objects.filter(source_id="nobody").exists()


@pytest.mark.parametrize("kind", ["customer", "item_family", "item", "item_price", "credit_note", "transaction"])
def test_it_takes_in_every_kind(kind: str):
    with a_scene(cycle=True) as scene:
        site = scene.world.chargebee
        if kind == "credit_note":
            site.credit(scene.invoice(total=900), 100)
        if kind == "transaction":
            site.pay({scene.invoice(total=900): 900})
        source_id = str(site.all(kind)[-1]["id"])

        assert take(scene, source_id, kind).outcome is Outcome.NEW
        assert scene.source(source_id, kind).state == "new"


def test_it_refuses_a_kind_that_is_none():
    with a_scene() as scene, pytest.raises(ValueError, match="supplier"):
        take(scene, "S-1", "supplier")


@pytest.mark.slow
def test_a_document_that_was_created_again_under_its_id_lives_even_in_the_second_of_its_deletion():
    with a_scene() as scene:
        site, source_id = scene.world.chargebee, scene.invoice(total=100)
        scene.world.clock.freeze()
        first = dict(site.get("invoice", source_id))
        site.delete("invoice", source_id)
        scene.prepare()
        assert scene.source(source_id).is_deleted
        again = {**first, "updated_at": scene.world.clock.seconds(), "resource_version": 1, "po_number": "again"}
        site.put_raw("invoice", again)

        assert take(scene, source_id).outcome is Outcome.CHANGED

        row = scene.source(source_id)
        assert (row.is_deleted, row.generation, row.content["po_number"]) == (False, 1, "again")


@pytest.mark.slow
def test_a_deleted_credit_note_that_is_told_under_a_longer_id_ends_the_note_it_was():
    with a_scene() as scene:
        site, invoice = scene.world.chargebee, scene.invoice(total=900)
        note = site.credit(invoice, 100)
        scene.prepare()
        site.core.store.forget("credit_note", note["id"])
        longer = f"{note['id']}_171000000014"
        gone = {**note, "id": longer, "deleted": True, "updated_at": note["updated_at"] + 1}
        site.put_raw("credit_note", gone)

        assert take(scene, note["id"], "credit_note").outcome in (Outcome.NEW, Outcome.CHANGED)

        assert scene.source(note["id"], "credit_note").is_deleted
        assert scene.source(longer, "credit_note").is_deleted
        story = scene.sync()
        assert story.run.state == "complete"
        assert scene.source(longer, "credit_note").state == "skipped"


def test_another_note_of_the_same_beginning_is_left_alone():
    with a_scene() as scene:
        site, invoice = scene.world.chargebee, scene.invoice(total=900)
        note = site.credit(invoice, 100)
        site.put_raw("credit_note", {**note, "id": f"{note['id']}_171000000014", "deleted": True, "total": 99})

        scene.prepare()

        assert not scene.source(note["id"], "credit_note").is_deleted


@pytest.mark.slow
def test_the_command_reads_prepares_and_posts_one_document():
    with a_scene() as scene:
        scene.sync()
        wanted, other = scene.invoice(), scene.invoice()
        out = io.StringIO()

        call_command("sync", scene.tenant.slug, kind=["customer"], stdout=out)
        call_command("sync", scene.tenant.slug, kind=["invoice"], id=[wanted], stdout=out)

        assert scene.posting(wanted).state == "posted"
        assert not SourceDocument.objects.filter(source_id=other).exists()
        run = Run.objects.first()
        assert [(one["kind"], one["listed"], one["holds"]) for one in run.equation] == [("invoice", 1, True)]


def test_the_command_says_when_there_is_no_such_document():
    with a_scene() as scene:
        with pytest.raises(CommandError, match="Chargebee has no invoice 'nobody'") as failed:
            call_command("sync", scene.tenant.slug, kind=["invoice"], id=["nobody"], stdout=io.StringIO())
        assert failed.value.returncode == 3
        with pytest.raises(CommandError, match="--kind invoice --id INV-1"):
            call_command("sync", scene.tenant.slug, id=["INV-1"], stdout=io.StringIO())

"""A copied or restored database: nothing is posted twice, restore mode comes by itself, and there is a way out."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import override_settings

from syncs import newest, recovering, restoring, running
from syncs.models import Posting, ReadBack
from syncs.permission import why_not_posting
from syncs.reading_back import lists
from tenants import installation
from tenants.models import AuditEntry, Installation, QadConnection
from tests.flows.ledgers import assert_books_agree
from tests.flows.scene import LOOKUPS, Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="It copies the SQLite file.")


def a_copy() -> Callable[[], None]:
    """Copies the whole database as it is now; the answer puts the copy in its place."""
    connection.ensure_connection()
    kept = sqlite3.connect(":memory:")
    connection.connection.backup(kept)
    return lambda: kept.backup(connection.connection)


@contextlib.contextmanager
def a_restored_scene(dialect: str = "adaptive") -> Iterator[tuple[Scene, list[str]]]:
    """Yesterday's copy runs again: one invoice was posted before it, one was ready in it, two came after it."""
    with a_scene(dialect=dialect) as scene:
        people = [scene.customer() for _ in range(4)]
        scene.invoice(people[0])
        scene.sync()
        ready = scene.invoice(people[1])
        scene.prepare()
        restore = a_copy()
        ids = [ready, scene.invoice(people[2]), scene.invoice(people[3])]
        scene.sync()
        assert scene.dispositions() == {"posted": 4}
        restore()
        assert scene.dispositions() == {"posted": 1, "waiting": 1}
        newest.forget()
        yield scene, ids


def worked(scene: Scene) -> None:
    """What the task queue does of restore mode once the settle window is over."""
    scene.clock.forward(70)
    with scene.qad() as client:
        pace = running.pace_of(scene.tenant)
        recovering.work(scene.tenant, client, pace, clock=scene.clock, until=float("inf"), actor="test")


def left(scene: Scene, *accepted: str) -> list[str]:
    worked(scene)
    still = restoring.leave(scene.tenant, reason="Restored.", accepted=accepted, now=scene.clock(), actor="ada")
    return [problem.code for problem in still]


@on_sqlite
@pytest.mark.slow
def test_yesterdays_copy_sends_nothing_and_says_why():
    with a_restored_scene() as (scene, ids):
        before, sent = scene.world.ledger(), scene.sent()

        story = scene.sync()

        assert (scene.world.ledger(), scene.sent()) == (before, sent)
        assert story.not_posting.startswith("Restore mode: QAD has CB-INV-")
        assert "leave_restore_mode acme" in why_not_posting(scene.tenant)
        assert all(scene.posting(source_id).state == "ready" for source_id in ids)  # reading and preparing go on
        line = AuditEntry.objects.get(action="restore-mode-on")
        assert (line.subject, line.after["unknown"]) == ("tenant:acme", 2)


@pytest.mark.slow
@on_sqlite
@pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])
def test_a_person_ends_it_and_everything_stands_once(dialect):
    with a_restored_scene(dialect) as (scene, ids):
        sent = scene.sent()
        scene.sync()

        assert left(scene) == []

        row = ReadBack.objects.get()
        assert (row.adopted, row.absent, row.restoring_since) == (3, 0, None)
        assert [scene.posting(source_id).state for source_id in ids] == ["posted"] * 3
        assert (why_not_posting(scene.tenant), scene.sent()) == ("", sent)
        assert_books_agree(scene)
        line = AuditEntry.objects.get(action="restore-mode-off")
        assert (line.actor, line.reason, line.after["adopted"]) == ("ada", "Restored.", 3)
        scene.invoice()
        scene.sync()
        assert scene.sent() == sent + 1
        assert_books_agree(scene)


@pytest.mark.slow
@on_sqlite
def test_it_notices_a_database_that_goes_back_while_the_process_runs_on():
    with a_scene() as scene:
        scene.invoice()
        scene.sync()
        restore = a_copy()
        scene.invoice()
        scene.sync()
        restore()
        sent = scene.sent()

        story = scene.sync()

        assert story.not_posting.startswith("Restore mode: ")
        assert scene.sent() == sent


@pytest.mark.slow
@on_sqlite
def test_it_stays_until_what_is_missing_has_been_read_from_chargebee():
    with a_restored_scene() as (scene, ids):
        scene.post()
        assert why_not_posting(scene.tenant).startswith("Restore mode: ")

        assert left(scene) == ["unknown-in-qad"] * 2

        assert {one["reference"] for one in ReadBack.objects.get().strangers} == {f"CB-INV-{one}" for one in ids[1:]}
        assert scene.posting(ids[0]).state == "posted"
        scene.sync()
        assert left(scene) == []
        assert_books_agree(scene)


@pytest.mark.slow
@on_sqlite
def test_what_a_person_answers_for_is_still_looked_up_before_it_is_ever_sent():
    with a_restored_scene() as (scene, ids):
        sent = scene.sent()
        scene.post()
        strangers = [f"CB-INV-{one}" for one in ids[1:]]
        assert left(scene) == ["unknown-in-qad"] * 2

        assert left(scene, *strangers) == []
        assert why_not_posting(scene.tenant) == ""
        scene.sync()

        assert scene.dispositions() == {"posted": 4}
        assert (scene.sent(), ReadBack.objects.get().accepted) == (sent, sorted(strangers))
        assert_books_agree(scene)


@pytest.mark.slow
@on_sqlite
def test_what_qad_does_not_have_is_sent_once_restore_mode_has_ended():
    with a_restored_scene() as (scene, _):
        fresh = scene.invoice()
        sent = scene.sent()
        scene.sync()

        assert left(scene) == []
        scene.sync()

        row = ReadBack.objects.get()
        assert (row.adopted, row.absent) == (3, 1)
        assert (scene.posting(fresh).state, scene.sent()) == ("posted", sent + 1)
        assert_books_agree(scene)


@pytest.mark.slow
@on_sqlite
def test_nothing_counts_as_absent_before_the_settle_window_is_over():
    with a_restored_scene() as (scene, _):
        scene.sync()
        with scene.qad() as client:
            pace = running.pace_of(scene.tenant)
            now = ReadBack.objects.get().restoring_since
            done = recovering.work(scene.tenant, client, pace, clock=lambda: now, until=float("inf"), actor="test")

        assert (done, ReadBack.objects.get().listed_at) == (0, None)
        assert {"not-read", "not-looked-up"} <= {
            problem.code for problem in restoring.open_points(scene.tenant, ReadBack.objects.get())
        }


@pytest.mark.slow
@on_sqlite
def test_the_command_ends_it_and_asks_for_a_reason(capsys):
    with a_restored_scene() as (scene, _):
        scene.post()
        with pytest.raises(CommandError, match="stays in restore mode"):
            call_command("leave_restore_mode", "acme", reason="Restored.")
        scene.sync()
        with pytest.raises(CommandError, match="Give a reason"):
            call_command("leave_restore_mode", "acme", reason=" ")
        worked(scene)

        call_command("leave_restore_mode", "acme", reason="Restored.")

        assert "may post again" in capsys.readouterr().out
        with pytest.raises(CommandError, match="is not in restore mode"):
            call_command("leave_restore_mode", "acme", reason="Again.")


@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["offset-rest", pytest.param("adaptive", marks=pytest.mark.slow)])
def test_another_installation_that_posts_under_the_same_prefix_stops_it(dialect):
    with a_scene(dialect=dialect) as scene:
        scene.invoice()
        scene.sync()
        customer = Posting.objects.get().customer_code
        scene.world.qad.enter_invoice(customer, "5.00", reference="CB-INV-theirs", posting_date=scene.clock().date())
        scene.invoice()
        newest.forget()
        sent = scene.sent()

        story = scene.sync()

        assert "CB-INV-theirs" in story.not_posting
        assert scene.sent() == sent


@pytest.mark.parametrize(
    "state", ["ready", *(pytest.param(state, marks=pytest.mark.slow) for state in ("held", "rejected", "parked"))]
)
@pytest.mark.slow
def test_a_document_that_qad_has_and_was_never_sent_from_here_stops_it(state):
    with a_scene() as scene:
        source_id, other = scene.invoice(), scene.invoice()
        scene.sync()
        Posting.objects.filter(source__source_id=source_id).update(state=state, attempts=0, qad_number="")
        scene.posting(source_id).tries.all().delete()
        scene.invoice()
        newest.forget()
        sent = scene.sent()

        scene.sync()

        assert (scene.sent(), scene.posting(other).state) == (sent, "posted")
        assert scene.posting(source_id).reference in why_not_posting(scene.tenant)
        assert scene.posting(source_id).must_look_up


@pytest.mark.slow
def test_a_document_that_was_sent_from_here_and_arrived_late_is_adopted_without_more_ado():
    with a_scene() as scene:
        source_id = scene.invoice()
        scene.sync()
        Posting.objects.update(state="ready", qad_number="")
        newest.forget()
        sent = scene.sent()

        scene.post()

        assert (scene.posting(source_id).state, scene.sent(), why_not_posting(scene.tenant)) == ("posted", sent, "")


@pytest.mark.slow
def test_an_ordinary_start_reads_a_page_of_each_list_and_then_nothing_for_a_while():
    with a_scene() as scene:
        for _ in range(3):
            scene.invoice()
        scene.prepare()
        before = scene.world.requests["GET /clouderp/api/qracore/browses"]
        with scene.qad() as client:
            of_documents = len(lists(client.profile))

        scene.post()
        assert scene.world.requests["GET /clouderp/api/qracore/browses"] == before + of_documents
        scene.invoice()
        scene.prepare()
        before = scene.world.requests["GET /clouderp/api/qracore/browses"]
        scene.post()

        assert scene.world.requests["GET /clouderp/api/qracore/browses"] == before
        assert scene.dispositions() == {"posted": 4}


@pytest.mark.slow
def test_it_sends_nothing_while_qads_lists_do_not_answer():
    with a_scene() as scene:
        scene.invoice()
        scene.sync()
        scene.invoice()
        scene.prepare()
        newest.forget()
        sent = scene.sent()
        scene.fault("status", status=503, method="GET", path=LOOKUPS, times=None)

        scene.post()

        assert (scene.sent(), scene.dispositions()) == (sent, {"posted": 1, "waiting": 1})
        assert "It is tried again by itself" in why_not_posting(scene.tenant)
        scene.heal()
        scene.post()
        assert scene.dispositions() == {"posted": 2}
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_sends_nothing_while_a_list_hides_what_it_showed_before():
    with a_scene() as scene:
        scene.invoice()
        scene.sync()
        Posting.objects.update(state="verified", qad_posting_date=Posting.objects.get().posting_date)
        scene.invoice()
        scene.prepare()
        newest.forget()
        scene.fault("browse_empty", method="GET", path=LOOKUPS, times=None)

        scene.post()

        assert "list of invoices shows nothing of ours" in why_not_posting(scene.tenant)
        assert scene.dispositions() == {"posted": 1, "waiting": 1}


@pytest.mark.slow
def test_it_says_so_when_the_profile_names_no_list():
    with a_scene() as scene:
        row = QadConnection.objects.get()
        row.profile_override["writes"]["invoice"] = {"lookup": {"how": "none", "list": "", "many": False}}
        row.save()
        scene.tenant.refresh_from_db()
        scene.invoice()

        scene.sync()

        row = ReadBack.objects.get()
        assert "Fill in writes.invoice.lookup" in row.sentence
        assert (row.is_proved, scene.dispositions()) == (False, {"posted": 1})


@pytest.mark.slow
def test_the_database_of_another_installation_posts_nothing_until_it_is_taken_over(capsys):
    with a_scene() as scene:
        scene.invoice()
        scene.sync()
        assert Installation.objects.get().identity == "tests"
        source_id = scene.invoice()
        sent = scene.sent()
        with override_settings(INSTALLATION_ID="another"):
            story = scene.sync()

            assert "This database belongs to installation 'tests', and this is 'another'" in story.not_posting
            assert (scene.sent(), scene.posting(source_id).state) == (sent, "ready")
            call_command("take_over", reason="The old machine is gone.")
            assert why_not_posting(scene.tenant).startswith("Restore mode: The database was taken over")
            assert left(scene) == []
            scene.sync()
        assert scene.dispositions() == {"posted": 2}
        assert_books_agree(scene)


def test_the_identity_of_a_folder_is_made_once_and_a_copied_folder_has_another(tmp_path):
    with override_settings(INSTALLATION_ID="", VAR_DIR=tmp_path):
        mine = installation.identity()
        assert installation.identity() == mine
        (tmp_path / "copy").mkdir()
        (tmp_path / "copy" / installation.FILE).write_bytes((tmp_path / installation.FILE).read_bytes())
    with override_settings(INSTALLATION_ID="", VAR_DIR=tmp_path / "copy"):
        assert installation.identity() != mine


def test_it_says_so_where_no_identity_can_be_kept(tmp_path):
    with a_scene() as scene, override_settings(INSTALLATION_ID="", VAR_DIR=tmp_path / "nowhere"):
        assert "cannot keep its identity" in why_not_posting(scene.tenant)

"""The sweep proves that the inbox is what Chargebee has, names what is not, and heals it."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from connector.errors import ConnectorError
from syncs import intake, proving, proving_window
from syncs.models import Cursor, Run, RunPage, SourceDocument, SweepWindow
from tenants.models import Blackout
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = 3600


def sweep(scene: Scene, since: dt.date | None = None, **options: Any) -> proving.Proof:
    return proving.sweep(
        scene.tenant, since=since, trigger="test", clock=scene.clock, tell=lambda step: None, **options
    )


def pass_time(scene: Scene, seconds: float) -> None:
    scene.world.clock.advance(seconds)
    scene.clock.forward(seconds)


def read(scene: Scene) -> None:
    """One pull of everything; nothing is prepared or posted."""
    scene.tenant.__class__.objects.filter(pk=scene.tenant.pk).update(is_posting_on=False)
    scene.sync()


def numbers(proof: proving.Proof) -> tuple[int, int, int]:
    return proof.counts["missing"], proof.counts["extra"], proof.counts["stale"]


def test_a_sweep_of_what_was_read_whole_finds_nothing():
    with a_scene(cycle=True) as scene:
        scene.invoice(total=900)
        read(scene)

        proof = sweep(scene)

        assert numbers(proof) == (0, 0, 0)
        assert (proof.run.state, proof.run.purpose, proof.left) == ("complete", "sweep", 0)
        assert proof.counts["listed"] == SourceDocument.objects.count()
        assert proof.balances and all(balance.holds for balance in proof.balances)


@pytest.mark.slow
def test_a_change_that_showed_later_than_the_overlap_is_found_healed_and_said():
    with a_scene() as scene:
        site, late = scene.world.chargebee, scene.invoice(total=500)
        read(scene)
        site.edit("invoice", late, po_number="LATE")
        hidden = dict(site.get("invoice", late))
        lost = scene.invoice(total=700)
        hidden_too = dict(site.get("invoice", lost))
        site.core.store.forget("invoice", late)
        site.core.store.forget("invoice", lost)
        pass_time(scene, 2 * HOUR)
        scene.sync()
        site.core.store.put(hidden)
        site.core.store.put(hidden_too)
        scene.sync()
        assert not SourceDocument.objects.filter(source_id=lost).exists()

        proof = sweep(scene, since=scene.clock().date() - dt.timedelta(days=45))

        assert proof.run.state == "red"
        assert proof.counts["missing"] == 1 and proof.counts["stale"] == 1
        assert lost in proof.run.sentence and late in proof.run.sentence
        assert scene.source(late).content["po_number"] == "LATE"
        assert scene.source(lost).total_minor == 700
        assert sweep(scene).run.state == "complete"


@pytest.mark.slow
def test_a_document_that_is_gone_in_chargebee_is_found_and_marked():
    with a_scene() as scene:
        gone, stays = scene.invoice(), scene.invoice()
        read(scene)
        scene.world.chargebee.core.store.forget("invoice", gone)
        pass_time(scene, HOUR)

        proof = sweep(scene)

        assert numbers(proof) == (0, 1, 0)
        assert f"1 extra. They are healed: extra {gone}." in proof.run.sentence
        row = scene.source(gone)
        assert (row.is_deleted, row.vanished_at is not None, row.state) == (True, True, "new")
        assert not scene.source(stays).is_deleted
        assert numbers(sweep(scene)) == (0, 0, 0)


@pytest.mark.slow
def test_a_draft_that_became_an_invoice_is_no_loss():
    with a_scene() as scene:
        draft = scene.invoice(status="pending")
        read(scene)
        scene.world.chargebee.close_invoice(draft)
        scene.sync()
        pass_time(scene, HOUR)

        assert numbers(sweep(scene)) == (0, 0, 0)


@pytest.mark.slow
def test_a_site_that_suddenly_shows_next_to_nothing_deletes_nothing():
    with a_scene(cycle=True, customers=60) as scene:
        read(scene)
        before = SourceDocument.objects.filter(kind="invoice", is_deleted=False).count()
        assert before > proving_window.MOST_GONE
        for row in scene.world.chargebee.all("invoice")[1:]:
            scene.world.chargebee.core.store.forget("invoice", row["id"])

        with pytest.raises(ConnectorError, match="Nothing was marked as deleted"):
            sweep(scene)

        assert SourceDocument.objects.filter(kind="invoice", is_deleted=False).count() == before
        assert Run.objects.get(purpose="sweep").state == "stopped"


def test_what_was_changed_since_the_last_pull_is_not_yet_a_finding():
    with a_scene() as scene:
        known = scene.invoice()
        read(scene)
        pass_time(scene, 60)
        fresh = scene.invoice()
        scene.world.chargebee.edit("invoice", known, po_number="NOW")

        proof = sweep(scene)

        assert numbers(proof) == (0, 0, 0)
        assert scene.source(known).content["po_number"] == "NOW"
        assert scene.source(fresh).state == "new"


@pytest.mark.slow
def test_events_tell_of_what_lists_have_not_shown():
    with a_scene() as scene:
        site = scene.world.chargebee
        scene.invoice()
        read(scene)
        pass_time(scene, 60)
        told = scene.invoice(total=300)
        page = site.api.lists.page

        def without_it(resource: Any, request: Any) -> bytes:
            if resource.kind != "invoice":
                return page(resource, request)
            row = site.core.store._rows["invoice"].pop(told)
            try:
                return page(resource, request)
            finally:
                site.core.store._rows["invoice"][told] = row

        site.api.lists.page = without_it  # type: ignore[method-assign]
        pass_time(scene, 2 * HOUR)
        scene.sync()
        assert not SourceDocument.objects.filter(source_id=told).exists()

        proof = sweep(scene, since=scene.clock().date())

        assert scene.source(told).total_minor == 300
        assert proof.counts["missing"] == 1
        assert f"missing invoice {told}" in proof.run.sentence
        assert Cursor.objects.get(kind="event").watermark is not None


@pytest.mark.slow
def test_a_deletion_that_an_event_tells_becomes_a_tombstone():
    with a_scene() as scene:
        site, gone = scene.world.chargebee, scene.invoice()
        read(scene)
        site.delete("invoice", gone)
        only_events = iter([True])

        proof = sweep(scene, until=lambda: next(only_events, False))

        assert proof.left > 0 and SweepWindow.objects.exclude(done_at=None).get().kind == "event"
        assert (scene.source(gone).is_deleted, scene.source(gone).vanished_at) == (True, None)


@pytest.mark.slow
def test_an_interrupted_sweep_goes_on_with_the_windows_that_are_left():
    with a_scene() as scene:
        scene.invoice()
        read(scene)
        asked = iter([True, True, True, False])

        first = sweep(scene, until=lambda: next(asked, False))
        assert (first.run.state, first.left) == ("interrupted", SweepWindow.objects.filter(done_at=None).count())
        assert first.left > 0 and not first.is_clean
        done = set(SweepWindow.objects.exclude(done_at=None).values_list("pk", flat=True))
        moments = dict(SweepWindow.objects.filter(pk__in=done).values_list("pk", "done_at"))

        second = sweep(scene)

        assert (second.run.pk, second.run.state, second.left) == (first.run.pk, "complete", 0)
        assert dict(SweepWindow.objects.filter(pk__in=done).values_list("pk", "done_at")) == moments
        assert all(balance.holds for balance in second.balances)
        assert sweep(scene).run.pk != first.run.pk


def test_a_sweep_that_chargebee_broke_off_is_stopped_and_goes_on():
    with a_scene() as scene:
        scene.invoice()
        read(scene)
        scene.fault("api_authentication_failed", side="chargebee", times=None, path="transactions")

        with pytest.raises(ConnectorError):
            sweep(scene)
        run = Run.objects.get(purpose="sweep")
        assert (run.state, run.equation) == ("stopped", [])

        scene.heal()
        assert (sweep(scene).run.pk, Run.objects.get(pk=run.pk).state) == (run.pk, "complete")


def test_a_row_that_is_lost_between_page_and_store_turns_the_sweep_red(monkeypatch: pytest.MonkeyPatch):
    with a_scene() as scene:
        kept, lost = scene.invoice(), scene.invoice()
        keep = proving_window.keep

        def careless(tenant, kind, rows, *, now):
            return keep(tenant, kind, [row for row in rows if row.source_id != lost], now=now)

        monkeypatch.setattr(proving_window, "keep", careless)

        proof = sweep(scene)

        assert proof.run.state == "red"
        assert f"1 invoice not accounted for: {lost}" in proof.run.sentence
        assert proof.counts["days"] == 1
        assert scene.source(kept).state == "new"


@pytest.mark.slow
def test_a_sweep_and_a_sync_do_not_wait_for_each_other():
    with a_scene() as scene:
        scene.invoice()
        read(scene)
        running = Run.objects.create(
            tenant=scene.tenant, purpose="sweep", key="0" * 32, lease_until=scene.clock() + dt.timedelta(minutes=5),
            started_at=scene.clock(),
        )  # fmt: skip

        assert scene.sync().run.state == "complete"
        with pytest.raises(ConnectorError, match="A sweep of Acme is running already"):
            sweep(scene)
        assert RunPage.objects.filter(run=running).count() == 0


@pytest.mark.slow
def test_the_command_says_the_numbers_and_fails_on_a_finding():
    with a_scene() as scene:
        gone = scene.invoice()
        read(scene)
        out = io.StringIO()
        call_command("sweep", scene.tenant.slug, stdout=out)
        assert "0 missing, 0 extra, 0 stale, 0 days with other sums." in out.getvalue()
        scene.world.chargebee.core.store.forget("invoice", gone)

        with pytest.raises(CommandError, match=f"extra {gone}") as failed:
            call_command("sweep", scene.tenant.slug, since="2020-01-01", stdout=out)

        assert failed.value.returncode == 1
        for wrong in ("yesterday", "2999-01-01"):
            with pytest.raises(CommandError, match=wrong):
                call_command("sweep", scene.tenant.slug, since=wrong, stdout=out)


def test_the_sweep_is_due_at_night_and_the_whole_once_a_month():
    with a_scene() as scene:
        night = dt.datetime(2026, 11, 21, 9, 30, tzinfo=dt.UTC)  # 02:30 in Denver
        assert proving.due(scene.tenant, night) == (False, None)  # nothing has been read yet
        Cursor.objects.update_or_create(tenant=scene.tenant, kind="invoice", defaults={"watermark": night})
        assert proving.due(scene.tenant, night.replace(hour=20)) == (False, None)
        assert proving.due(scene.tenant, night) == (True, None)

        whole = Run.objects.create(
            tenant=scene.tenant, purpose="sweep", state="complete", key="0" * 32, lease_until=night, started_at=night
        )
        SweepWindow.objects.create(tenant=scene.tenant, run=whole, kind="invoice")
        assert proving.due(scene.tenant, night + dt.timedelta(hours=1))[0] is False
        assert proving.due(scene.tenant, night + dt.timedelta(days=1)) == (True, dt.date(2026, 10, 8))
        assert proving.due(scene.tenant, night + dt.timedelta(days=31)) == (True, None)


def test_a_blackout_holds_a_sweep_that_begins_and_one_that_would_go_on():
    with a_scene() as scene:
        known = scene.invoice()
        read(scene)
        asked = iter([True, True, False])
        assert sweep(scene, until=lambda: next(asked, False)).left > 0
        fresh = scene.invoice()
        now, hour = scene.clock(), dt.timedelta(hours=1)
        closed = Blackout.objects.create(tenant=scene.tenant, reason="Close", begins_at=now - hour, ends_at=now + hour)

        assert proving.due(scene.tenant, now) == (False, None)
        for since in (None, now.date()):  # the rest of the one that was interrupted, and a new one
            with pytest.raises(ConnectorError, match="the blackout 'Close' holds it"):
                sweep(scene, since=since)
        assert not SourceDocument.objects.filter(source_id=fresh).exists()
        assert Run.objects.get(purpose="sweep").state == "interrupted"

        closed.delete()
        assert sweep(scene).run.state == "complete"
        assert {scene.source(one).state for one in (known, fresh)} <= {"new", "coded"}


def test_intake_and_sweep_write_through_one_door():
    assert proving_window.keep is intake.keep

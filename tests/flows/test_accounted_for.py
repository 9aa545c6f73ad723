"""The completeness equation: what Chargebee listed is accounted for, or the run is red and names what is not."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from connector.errors import Configuration, ConnectorError
from connector.processes import this_process
from syncs import intake, running
from syncs.admin import equations
from syncs.models import Cursor, Run, SourceDocument
from syncs.status import status
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)


def losing(monkeypatch: pytest.MonkeyPatch, lost: str) -> None:
    """From now on one row is lost between the page and its storage."""
    keep = intake.keep

    def careless(tenant, kind, rows, *, now):
        return keep(tenant, kind, [row for row in rows if row.source_id != lost], now=now)

    monkeypatch.setattr(intake, "keep", careless)


@pytest.mark.slow
def test_a_run_that_lost_a_row_is_red_and_names_it(monkeypatch):
    with a_scene() as scene:
        kept, lost = scene.invoice(), scene.invoice(total=123_456)
        losing(monkeypatch, lost)

        story = scene.sync()

        assert (story.run.state, story.run.sentence) == ("red", f"1 invoice not accounted for: {lost} (1234.56 USD)")
        assert equations.shown(story.run)["lost"][0]["what"].endswith("but not accounted for: 1,234.56 USD")
        assert [balance.missing for balance in story.balances if not balance.holds] == [[lost]]
        assert scene.posting(kept).state == "posted"
        assert status(scene.tenant)["last_run"]["holds"] is False


@pytest.mark.slow
def test_the_command_of_a_red_run_ends_with_another_code_than_zero(monkeypatch):
    with a_scene() as scene:
        lost = scene.invoice()
        losing(monkeypatch, lost)
        out = io.StringIO()

        with pytest.raises(CommandError) as failed:
            call_command("sync", scene.tenant.slug, stdout=out)

        assert failed.value.returncode == 1
        assert lost in str(failed.value)
        assert "1 listed ≠ 0" in out.getvalue()


@pytest.mark.slow
def test_a_row_that_is_stored_with_another_total_is_red_too(monkeypatch):
    with a_scene() as scene:
        source_id = scene.invoice(total=700)
        scene.prepare()
        SourceDocument.objects.filter(source_id=source_id).update(total_minor=1)
        Cursor.objects.update(watermark=None)

        story = scene.sync()

        said = f"1 invoice stored with another total: {source_id} (7.00 USD)"
        assert (story.run.state, story.run.sentence) == ("red", said)


@pytest.mark.slow
def test_a_later_whole_pass_finds_what_an_earlier_one_lost(monkeypatch):
    with a_scene() as scene:
        lost = scene.invoice()
        with monkeypatch.context() as patch:
            losing(patch, lost)
            scene.sync()

        story = scene.sync()

        assert story.run.state == "complete"
        assert scene.posting(lost).state == "posted"


@pytest.mark.slow
def test_a_run_that_chargebee_broke_off_is_stopped_and_its_watermark_stays():
    with a_scene() as scene:
        scene.invoice()
        scene.fault("api_authentication_failed", side="chargebee", times=None, path="invoices")

        with pytest.raises(ConnectorError):
            scene.sync()

        run = Run.objects.get()
        assert run.state == "stopped"
        assert run.sentence
        assert Cursor.objects.get(kind="invoice").watermark is None
        assert status(scene.tenant)["last_run"]["holds"] is False
        scene.heal()
        assert scene.sync().run.state == "complete"


def broken_off(scene: Scene) -> None:
    """A sync whose process ends in the middle."""

    def die(step: running.Step) -> None:
        if step.stage.startswith("Preparing"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        running.sync(scene.tenant, intake.PULL_ORDER, trigger="test", clock=scene.clock, tell=die, actor="test")


@pytest.mark.slow
def test_an_interrupted_run_is_never_shown_as_a_success():
    with a_scene() as scene:
        scene.invoice()
        broken_off(scene)

        facts = status(scene.tenant)["last_run"]
        assert (facts["state"], facts["holds"], facts["finished_at"]) == ("running", False, None)
        scene.clock.forward(301)
        story = scene.sync()

        first = Run.objects.earliest("pk")
        assert (first.state, first.sentence) == ("interrupted", "It was interrupted before its end.")
        assert story.run.state == "complete"
        assert scene.dispositions() == {"posted": 1}


@pytest.mark.slow
def test_a_second_run_waits_while_the_first_one_lives():
    with a_scene() as scene:
        scene.invoice()
        broken_off(scene)

        with pytest.raises(Configuration, match="A sync of Acme is running already"):
            scene.sync()

        assert (Run.objects.count(), scene.sent()) == (1, 0)


def dead_process():
    """The name of a process of this machine that is no more."""
    place, _, _ = this_process().rpartition("/")
    return f"{place}/1"  # this number began at another time


def elsewhere():
    """The name of a process of another machine."""
    _, _, number = this_process().partition("/")
    return f"11111111-2222-3333-4444-555555555555/{number}"


@pytest.mark.parametrize(
    ("holder", "lease_is_over", "is_taken_over"),
    [
        (dead_process, False, True),
        (this_process, False, False),
        (elsewhere, False, False),
        (str, False, False),
        (elsewhere, True, True),
        (this_process, True, True),
        (str, True, True),
    ],
)
def test_a_run_is_taken_over_when_its_process_is_gone_or_its_lease_is_over(holder, lease_is_over, is_taken_over):
    with a_scene() as scene:
        run = running.start(scene.tenant, [], trigger="test", now=scene.clock())
        Run.objects.filter(pk=run.pk).update(holder=holder())
        if lease_is_over:
            scene.clock.forward(151)

        if not is_taken_over:
            with pytest.raises(Configuration, match="is running already"):
                running.start(scene.tenant, [], trigger="test", now=scene.clock())
        else:
            running.start(scene.tenant, [], trigger="test", now=scene.clock())
            with pytest.raises(Configuration, match="taken for dead"):
                running.keep_alive(run, scene.clock())

        assert Run.objects.filter(state="running").count() == 1
        assert Run.objects.get(pk=run.pk).state == ("interrupted" if is_taken_over else "running")


def test_a_run_shows_signs_of_life_while_it_prepares_and_posts():
    with a_scene() as scene:
        run = running.start(scene.tenant, [], trigger="test", now=scene.clock())
        tell = running.alive(run, scene.clock, lambda step: None)
        scene.clock.forward(100)

        tell(running.Step("Posting", 1))

        assert Run.objects.get().lease_until > run.lease_until + dt.timedelta(seconds=90)


def test_a_run_that_was_taken_for_dead_cannot_close_itself_as_complete():
    with a_scene() as scene:
        run = running.start(scene.tenant, [], trigger="test", now=scene.clock())
        scene.clock.forward(301)
        running.start(scene.tenant, [], trigger="test", now=scene.clock())

        running.finish(run, running.RunState.COMPLETE, "", now=scene.clock())

        assert run.state == "interrupted"


@pytest.mark.slow
def test_it_reads_every_page_and_counts_each_id_once():
    with a_scene() as scene:
        for number in range(130):
            scene.world.chargebee.add_invoice(total=100, id=f"many-{number}")
        scene.tenant.refresh_from_db()
        type(scene.tenant).objects.update(is_posting_on=False)

        scene.sync()
        story = scene.sync()

        (balance,) = [balance for balance in story.balances if balance.kind == "invoice"]
        assert (balance.listed, balance.holds) == (130, True)
        assert SourceDocument.objects.filter(kind="invoice").count() == 130


@pytest.mark.slow
def test_it_sees_a_customer_whose_record_has_no_updated_at():
    with a_scene() as scene:
        who = scene.customer()
        row = scene.world.chargebee.core.draft("customer", who)
        row.pop("updated_at")
        scene.world.chargebee.put_raw("customer", row)

        scene.sync()

        assert scene.source(who, "customer").state == "linked"

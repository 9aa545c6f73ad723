"""Sync now is done, once, whatever other run comes first and whatever dies on the way."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from connector.processes import this_process
from syncs import running, tasks
from syncs.models import Run, SyncRequest
from tenants.models import Blackout
from tests.builders import a_tenant, a_user
from tests.flows.scene import a_scene

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return a_tenant()


def press(tenant, **given: str) -> str:
    """Sync now, as an accountant presses it; what the page says."""
    client = Client()
    client.force_login(a_user({tenant: "accountant"}))
    return client.post(reverse("admin:syncs_run_sync_now"), given, follow=True).content.decode()


def other_run(tenant) -> Run:
    return running.start(tenant, ["invoice"], trigger="calendar", now=timezone.now())


def end(run: Run) -> None:
    running.finish(run, running.RunState.COMPLETE, "", now=timezone.now())


def work_off() -> list[dict[str, object]]:
    """Everything in the queue, in order, as workers do it."""
    done = []
    for one in OrmQ.objects.order_by("id"):
        name = one.func().rpartition(".")[2]
        done.append(getattr(tasks, name)(*one.args()))
        one.delete()
    return done


def test_what_another_run_kept_waiting_is_done_afterwards_and_once():
    with a_scene() as scene:
        assert "after any run that comes first" in press(scene.tenant)
        press(scene.tenant)  # impatient
        other = other_run(scene.tenant)
        assert work_off() == [{"waits": "everything"}] * 2
        assert not tasks.WORK["asked"](scene.tenant)
        number = scene.invoice()

        end(other)
        for _ in range(3):
            tasks.dispatch()
            work_off()

        assert [one["reference"] for one in scene.in_qad()] == [scene.posting(number).reference]
        assert [run.trigger for run in Run.objects.order_by("pk")] == ["calendar", "browser"]
        assert not SyncRequest.objects.exists()


def test_a_document_that_was_asked_for_is_read_after_the_run_that_came_first():
    with a_scene() as scene:
        scene.sync()
        number = scene.invoice()
        press(scene.tenant, kind="invoice", id=number)
        other = other_run(scene.tenant)
        work_off()
        end(other)

        assert tasks.work(scene.tenant.pk, "asked") == {"lane": "asked", "done": 1}

        assert scene.posting(number).state == "posted"


def test_a_run_that_fails_ends_what_was_asked_for_and_says_why():
    with a_scene() as scene:
        scene.world.chargebee.api.keys = {}
        press(scene.tenant)

        (told,) = work_off()

        assert "key" in str(told["stopped"])
        assert Run.objects.get().state == "stopped"
        assert not SyncRequest.objects.exists()


def test_one_whose_worker_died_is_done_again_after_a_pause(tenant, monkeypatch):
    press(tenant)

    def dies(*given: object, **more: object) -> None:
        Run.objects.filter(pk=other_run(tenant).pk).update(holder=this_process().rpartition("/")[0] + "/1")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(running, "sync", dies)
        with pytest.raises(KeyboardInterrupt):
            work_off()
    assert not tasks.WORK["asked"](tenant)

    SyncRequest.objects.update(not_before=timezone.now())

    assert tasks.WORK["asked"](tenant)
    assert Run.objects.get().state == "interrupted"
    assert (SyncRequest.objects.get().attempts, SyncRequest.objects.count()) == (1, 1)


def test_a_blackout_that_began_after_the_click_only_puts_it_off(tenant):
    press(tenant)
    soon = timezone.now() + dt.timedelta(days=1)
    Blackout.objects.create(tenant=tenant, reason="Close", begins_at=timezone.now(), ends_at=soon)

    assert "the blackout" in str(work_off()[0]["stopped"])
    assert not tasks.WORK["asked"](tenant)
    Blackout.objects.all().delete()

    assert tasks.WORK["asked"](tenant)


def test_the_overview_says_what_was_asked_for(tenant):
    press(tenant, kind="invoice")
    client = Client()
    client.force_login(a_user({tenant: "auditor"}))

    assert "Sync now (invoice) was asked for by user-" in client.get("/admin/").content.decode()


def test_what_a_task_of_another_minute_finds_done_is_not_done_again(tenant):
    assert tasks.sync(tenant.pk, "ada") == {"waits": ""}
    assert not Run.objects.exists()

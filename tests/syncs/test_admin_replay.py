"""Replay from the screens, over the sandbox: what is pressed often is posted once."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django_q.models import OrmQ

from mappings.models import ItemMapping
from syncs import tasks
from syncs.admin import replaying
from syncs.models import Kind, Posting, ReplayJob, SourceDocument
from tenants.models import AuditEntry, Role
from tests.builders import a_user, moved
from tests.flows.scene import a_scene

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def scene():
    with a_scene(customers=4, cycle=True) as made:
        yield made


@pytest.fixture
def press(client, scene):
    client.force_login(a_user({scene.tenant: [Role.ACCOUNTANT, Role.FINANCE_USER]}))

    def post(button, row, **data):
        return client.post(reverse(f"admin:syncs_sourcedocument_{button}", args=[row.pk]), data, follow=True)

    return post


def refused(scene):
    """Documents that QAD rejected while their periods were locked; its list of periods is not known here."""
    scene.tenant.qad.profile_override = {**scene.tenant.qad.profile_override, "lists": {"periods": "-"}}
    scene.tenant.qad.save()
    now = scene.world.clock.now()
    months = {(day.year, day.month) for day in (now - dt.timedelta(days=back) for back in range(63))}
    for month in months:
        scene.world.qad.lock_period(*month)
    scene.sync()
    for month in months:
        scene.world.qad.unlock_period(*month)
    return Posting.objects.filter(tenant=scene.tenant, state="rejected").order_by("pk")


def text_of(answer):
    return answer.content.decode()


def work(scene):
    for lane in replaying.LANES:
        tasks.work(scene.tenant.pk, lane)


def count_in_qad(scene, posting):
    return len(scene.in_qad(posting.reference))


@pytest.mark.slow
@pytest.mark.parametrize("button", ["rebuild", "resend"])
def test_replay_pressed_twenty_times_posts_once(scene, press, button):
    posting = refused(scene)[0]
    for _ in range(20):
        assert press(button, posting.source).status_code == 200
        work(scene)
    posting.refresh_from_db()
    assert posting.state == "posted"
    assert count_in_qad(scene, posting) == 1


@pytest.mark.slow
def test_many_are_replayed_at_once_and_counted_in_a_sentence(client, scene, press):
    rejected = list(refused(scene))
    address = reverse("admin:syncs_sourcedocument_changelist") + "?disposition=rejected"
    data = {
        "action": "rebuild_selected",
        "_selected_action": [rejected[0].source_id],
        "select_across": "1",
        "index": "0",
    }
    asked = client.post(address, data)
    assert f"Rebuild and post: {len(rejected)} documents" in text_of(asked)
    assert Posting.objects.filter(state="rejected").count() == len(rejected)
    done = client.post(address, {**data, "confirmed": "yes"}, follow=True)
    assert f"Documents: {len(rejected)} rebuilt." in text_of(done)
    work(scene)
    assert [count_in_qad(scene, posting) for posting in rejected] == [1] * len(rejected)


def test_more_than_a_page_may_wait_for_goes_to_the_task_queue(client, scene, press, monkeypatch):
    monkeypatch.setattr(replaying, "AT_ONCE", 1)
    rejected = list(refused(scene))
    keys = [posting.source_id for posting in rejected]
    data = {"action": "resend_selected", "_selected_action": keys, "confirmed": "yes"}
    done = client.post(reverse("admin:syncs_sourcedocument_changelist"), data, follow=True)
    assert "handed to the task queue" in text_of(done)
    assert OrmQ.objects.count() == 1
    job = ReplayJob.objects.get()
    assert (job.total, job.done) == (len(rejected), 0)
    tasks.work(scene.tenant.pk, "decisions")
    work(scene)
    job.refresh_from_db()
    assert (job.done, job.counts) == (len(rejected), {"sent again": len(rejected)})
    assert job.finished_at is not None
    assert [count_in_qad(scene, posting) for posting in rejected] == [1] * len(rejected)


@pytest.mark.slow
def test_the_difference_is_shown_before_a_rebuild_and_nothing_is_changed_by_looking(client, scene, press):
    posting = refused(scene)[0]
    ItemMapping.objects.filter(tenant=scene.tenant).update(gl_account="4100")
    before = dict(Posting.objects.values().get(pk=posting.pk))
    page = client.get(reverse("admin:syncs_sourcedocument_rebuild", args=[posting.source_id]))
    assert "Line 1, GL account" in text_of(page)
    assert '<td class="before">4000</td><td class="after">4100</td>' in text_of(page)
    assert dict(Posting.objects.values().get(pk=posting.pk)) == before
    press("rebuild", posting.source)
    work(scene)
    posting.refresh_from_db()
    assert posting.document["lines"][0]["coding"]["gl_account"] == "4100"


def test_a_rebuild_that_changes_nothing_says_so(client, scene, press):
    posting = refused(scene)[0]
    page = client.get(reverse("admin:syncs_sourcedocument_rebuild", args=[posting.source_id]))
    assert "A rebuild gives the same document again" in text_of(page)


@pytest.mark.slow
def test_what_is_uncertain_is_looked_up_and_never_sent_again_by_hand(scene, press):
    scene.fault("drop_after_commit", times=1)
    scene.sync()
    posting = Posting.objects.get(state="uncertain")
    sent = scene.sent()
    answer = press("look_up", posting.source)
    assert "1 looked up" in text_of(answer)
    work(scene)
    posting.refresh_from_db()
    assert (posting.state, scene.sent()) == ("posted", sent)


def test_a_posted_document_is_looked_up_and_left_alone(scene, press):
    scene.sync()
    posting = Posting.objects.filter(state="posted").first()
    answer = press("look_up", posting.source)
    assert f"as {posting.qad_number} with the same total, currency and customer." in text_of(answer)
    assert AuditEntry.objects.filter(action="looked-up-by-hand").count() == 1
    assert Posting.objects.get(pk=posting.pk).state == "posted"


@pytest.mark.slow
def test_every_kind_of_document_is_looked_up_where_it_was_written():
    with a_scene(customers=14) as scene:
        scene.world.bill_cycle(kinds="all")
        scene.sync()
        for kind in ("invoice", "credit_note", "payment", "refund"):
            posting = Posting.objects.filter(kind=kind, state="posted").first()
            said = replaying.look_up(scene.tenant, posting, actor="me")
            assert f"QAD has {posting.reference} as {posting.qad_number} with the same" in said


@pytest.mark.slow
def test_replay_says_that_nothing_goes_out_while_posting_is_off(scene, press):
    posting = refused(scene)[0]
    type(scene.tenant).objects.update(is_posting_on=False)
    assert "Nothing goes out to QAD now: Posting is switched off" in text_of(press("resend", posting.source))
    Posting.objects.filter(pk=posting.pk).update(state="rejected")
    assert "Nothing goes out to QAD now: Posting is switched off" in text_of(press("rebuild", posting.source))
    work(scene)
    assert count_in_qad(scene, posting) == 0


def test_a_lookup_that_cannot_reach_qad_says_so(scene, press):
    scene.sync()
    posting = Posting.objects.filter(state="posted").first()
    moved(scene.tenant, qad="http://127.0.0.1:1/clouderp")
    assert "QAD could not be asked" in text_of(press("look_up", posting.source))


def test_a_journal_is_previewed_without_saving_anything(client, scene, press):
    scene.sync()
    row = SourceDocument.objects.filter(kind=Kind.INVOICE, state="coded").first()
    Posting.objects.filter(source=row).update(state="held")
    SourceDocument.objects.filter(pk=row.pk).update(state="new")
    before = (Posting.objects.count(), AuditEntry.objects.count())
    page = text_of(client.get(reverse("admin:syncs_sourcedocument_change", args=[row.pk])))
    assert "Journal preview" in page
    assert "With today&#x27;s mappings it would become this." in page
    assert (Posting.objects.count(), AuditEntry.objects.count()) == before

"""The page for going live: open items, what leans on older documents, backfills and the parallel run."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django_q.models import OrmQ

from syncs import tasks
from syncs.models import Backfill, OnAccount, OpeningItem, ParallelComparison, Posting, SourceDocument
from tenants.models import AuditEntry, PolicySetting, Role
from tests.builders import a_tenant, a_user
from tests.flows.scene import a_scene

pytestmark = pytest.mark.django_db(transaction=True)
DAY = dt.date(2026, 1, 31)
HUB = "admin:syncs_going_live"
HEAD = "document,chargebee_id,qad_number,currency,open_amount\n"


@pytest.fixture
def scene():
    """An older invoice in both systems, with a payment from after the cut-off."""
    with a_scene() as made:
        first = (made.clock() - dt.timedelta(days=3)).date()
        value = dict.fromkeys(("invoice", "credit_note", "transaction"), first.isoformat())
        PolicySetting.objects.create(tenant=made.tenant, key="cut_off", value=value)
        made.first_day, who = first, made.customer()
        made.older = made.invoice(who, date=int((made.clock() - dt.timedelta(days=20)).timestamp()))
        made.paid = made.world.chargebee.pay({made.older: 40_00})["id"]
        made.sync()
        code = made.tenant.customer_mappings.get(chargebee_id=who).qad_code
        day = (made.clock() - dt.timedelta(days=20)).date()
        made.number = str(made.world.qad.enter_invoice(code, "100.00", posting_date=day)["number"])
        yield made


@pytest.fixture
def desk(client, scene):
    client.force_login(a_user({scene.tenant: Role.ACCOUNTANT}))
    return client


def upload(client, text, name="open.csv"):
    return client.post(
        reverse("admin:syncs_openingitem_upload"), {"file": SimpleUploadedFile(name, text.encode())}, follow=True
    )


def text_of(reply):
    return reply.content.decode()


def payment(scene):
    return scene.source(scene.paid, "transaction")


def test_the_page_shows_what_is_held_and_links_to_it(desk, scene):
    page = text_of(desk.get(reverse(HUB)))
    assert f"leans on invoice {scene.older}" in page
    assert "Leave on account" in page
    assert scene.first_day.isoformat() in page


def test_an_uploaded_item_is_looked_up_and_frees_the_payment(desk, scene):
    reply = upload(desk, f"{HEAD}invoice,{scene.older},{scene.number},USD,60.00\n")
    assert "1 row, 1 new or changed." in text_of(reply)
    assert OrmQ.objects.count() == 1
    tasks.work(scene.tenant.pk, "opening")
    assert OpeningItem.objects.get().state == "verified"
    tasks.work(scene.tenant.pk, "prepare")
    tasks.work(scene.tenant.pk, "post")
    assert scene.posting(scene.paid).state == "posted"


def test_wrong_rows_are_told_and_nothing_is_saved(desk, scene):
    reply = text_of(upload(desk, f"{HEAD}invoice,{scene.older},{scene.number},USD,60.00\nbill,X,1,USD,5\n"))
    assert "Row 3: &#x27;bill&#x27; is no document." in reply
    assert not OpeningItem.objects.exists()
    assert "is no .xlsx and no .csv file" in text_of(upload(desk, "x", "open.pdf"))


def test_a_refused_item_can_be_taken_off_the_list_and_a_verified_one_cannot(desk, scene):
    upload(desk, f"{HEAD}invoice,{scene.older},999999,USD,60.00\n")
    tasks.work(scene.tenant.pk, "opening")
    item = OpeningItem.objects.get()
    assert "QAD has no document with the number 999999." in text_of(desk.get(reverse(HUB)))
    desk.post(reverse("admin:syncs_openingitem_remove", args=[item.pk]))
    assert not OpeningItem.objects.exists()
    upload(desk, f"{HEAD}invoice,{scene.older},{scene.number},USD,60.00\n")
    tasks.work(scene.tenant.pk, "opening")
    kept = OpeningItem.objects.get()
    reply = desk.post(reverse("admin:syncs_openingitem_remove", args=[kept.pk]), follow=True)
    assert "is found in QAD" in text_of(reply)
    assert OpeningItem.objects.exists()


def test_leaving_it_on_account_asks_for_a_reason_and_posts_it(desk, scene):
    address = reverse("admin:syncs_on_account", args=[payment(scene).pk])
    assert "Say in a few words why" in text_of(desk.post(address, {"reason": " "}, follow=True))
    assert not OnAccount.objects.exists()
    desk.post(address, {"reason": "Settled in the old books"})
    tasks.work(scene.tenant.pk, "prepare")
    tasks.work(scene.tenant.pk, "post")
    posting = scene.posting(scene.paid)
    assert (posting.state, posting.document["applications"]) == ("posted", [])
    assert AuditEntry.objects.get(action="left-on-account").reason == "Settled in the old books"
    assert "not held for an older document any more" in text_of(
        desk.post(address, {"reason": "Once more"}, follow=True)
    )


def asked(scene, **more):
    last = (scene.first_day - dt.timedelta(days=1)).isoformat()
    return {"kind": "invoice", "first": "2026-01-01", "last": last, **more}


@pytest.mark.slow
def test_a_backfill_shows_its_figures_then_posts_with_a_reason(desk, scene):
    address = reverse("admin:syncs_backfill_ask")
    shown = text_of(desk.post(address, asked(scene)))
    assert "kept out by the cut-off: 100.00 USD" in shown
    assert "1 would be posted" in shown
    assert not Backfill.objects.exists()
    assert "Say in a few words why" in text_of(desk.post(address, asked(scene, confirm="yes", reason="")))
    desk.post(address, asked(scene, confirm="yes", reason="The month is posted anew"))
    for lane in ("backfill", "prepare", "post"):
        tasks.work(scene.tenant.pk, lane)
    assert scene.posting(scene.older).state == "posted"
    assert "The month is posted anew" in text_of(desk.get(reverse(HUB)))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"last": "2026-01-01", "first": "2026-02-01"}, "Exchange the two days."),
        ({"last": "2099-01-01"}, "are posted from here already"),
        ({"kind": "supplier_invoice"}, "Select a valid choice."),
        ({"first": "soon"}, "Enter a valid date."),
    ],
)
def test_a_wrong_range_is_a_sentence(desk, scene, change, sentence):
    assert sentence in text_of(desk.post(reverse("admin:syncs_backfill_ask"), {**asked(scene), **change}))


@pytest.mark.slow
def test_a_parallel_run_is_compared_and_shown(desk, scene):
    PolicySetting.objects.create(tenant=scene.tenant, key="parallel_run", value="on")
    source_id = scene.invoice()
    scene.sync()
    period = f"{scene.posting(source_id).posting_date:%Y-%m}"
    assert "is no period" in text_of(desk.post(reverse("admin:syncs_parallel_ask"), {"period": "soon"}))
    desk.post(reverse("admin:syncs_parallel_ask"), {"period": period})
    tasks.compare_parallel(scene.tenant.pk, period, "ada")
    row = ParallelComparison.objects.get()
    page = text_of(desk.get(reverse("admin:syncs_parallelcomparison_change", args=[row.pk])))
    assert scene.posting(source_id).reference in page
    assert Posting.objects.filter(state="posted").count() == 0
    assert "It is on" in text_of(desk.get(reverse(HUB)))


def test_a_running_backfill_is_stopped_with_a_reason_and_goes_on(desk, scene):
    desk.post(reverse("admin:syncs_backfill_ask"), asked(scene, confirm="yes", reason="The month is posted anew"))
    row = Backfill.objects.get()
    cancel, resume = (reverse(f"admin:syncs_backfill_{name}", args=[row.pk]) for name in ("cancel", "resume"))
    assert cancel in text_of(desk.get(reverse(HUB)))
    assert "Say in a few words why the backfill is stopped" in text_of(desk.post(cancel, {"reason": " "}, follow=True))
    assert "is stopped after 0 documents" in text_of(desk.post(cancel, {"reason": "The wrong month"}, follow=True))
    tasks.work(scene.tenant.pk, "backfill")
    assert scene.source(scene.older).state == "skipped"
    assert "cannot be cancelled: it is cancelled" in text_of(desk.post(cancel, {"reason": "Once more"}, follow=True))
    assert resume in text_of(desk.get(reverse(HUB)))
    desk.post(resume)
    tasks.work(scene.tenant.pk, "backfill")
    assert scene.source(scene.older).state == "new"
    assert set(AuditEntry.objects.filter(subject=f"backfill:{row.pk}").values_list("action", flat=True)) == {
        *("backfill", "backfill.cancelled", "backfill.resumed"),
    }


@pytest.mark.parametrize("who", ["auditor", "finance_user", "another tenant's accountant"])
def test_nobody_else_stops_or_resumes_a_backfill(client, scene, who):
    given = {"tenant": scene.tenant, "kind": "invoice", "first_day": DAY, "last_day": DAY, "reason": "x", "actor": "x"}
    moment = scene.clock()
    for state in ("running", "cancelled"):
        Backfill.objects.create(state=state, created_at=moment, changed_at=moment, **given)
    client.force_login(a_user({scene.tenant: who} if who in Role.values else {a_tenant("theirs"): Role.ACCOUNTANT}))

    for row in Backfill.objects.all():
        name = {"running": "cancel", "cancelled": "resume"}[row.state]
        client.post(reverse(f"admin:syncs_backfill_{name}", args=[row.pk]), {"reason": "Because I can"})

    assert set(Backfill.objects.values_list("state", flat=True)) == {"running", "cancelled"}
    assert not Backfill.objects.exclude(changed_at=moment).exists()


ACTIONS = ("openingitem_upload", "backfill_ask", "parallel_ask")


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.FINANCE_USER])
def test_readers_see_the_page_and_may_do_nothing(client, scene, role):
    client.force_login(a_user({scene.tenant: role}))
    assert client.get(reverse(HUB)).status_code == 200
    for name in ACTIONS:
        assert client.post(reverse(f"admin:syncs_{name}"), asked(scene)).status_code == 403
    assert (
        client.post(reverse("admin:syncs_on_account", args=[payment(scene).pk]), {"reason": "Because"}).status_code
        == 403
    )


def test_another_tenant_s_accountant_reaches_nothing_of_it(client, scene):
    upload_item = OpeningItem.objects.create(
        tenant=scene.tenant, kind="invoice", source_id="X", qad_number="secret-9", currency="USD", open_minor=1,
        actor="ada", changed_at=scene.clock(),
    )  # fmt: skip
    client.force_login(a_user({a_tenant("theirs"): Role.ACCOUNTANT}))
    page = text_of(client.get(reverse(HUB)))
    assert scene.older not in page
    assert "secret-9" not in text_of(client.get(reverse("admin:syncs_openingitem_changelist")))
    client.post(reverse("admin:syncs_openingitem_remove", args=[upload_item.pk]))
    client.post(reverse("admin:syncs_on_account", args=[payment(scene).pk]), {"reason": "Because I can"})
    assert OpeningItem.objects.exists()
    assert not OnAccount.objects.exists()
    assert SourceDocument.objects.get(pk=payment(scene).pk).state == "held"

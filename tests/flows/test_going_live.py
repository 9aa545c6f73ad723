"""Going live in books that were kept by hand: older documents stay out, and what leans on them is asked about."""

from __future__ import annotations

import datetime as dt
import io
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from connector.ledger.compare import Period
from syncs import backfilling, cancelling, opening, parallel
from syncs.models import Backfill, Edge, OnAccount, OpeningItem, Posting
from syncs.permission import why_not_posting
from tenants.models import AuditEntry, PolicySetting
from tests.flows.scene import a_scene

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])
DAYS = ("invoice", "credit_note", "transaction")


@pytest.fixture(params=["adaptive"])
def scene(request):
    """A month ago the books were kept by hand; the cut-off is three days ago."""
    with a_scene(dialect=request.param) as made:
        cut_off(made)
        yield made


def cut_off(scene, days_ago=3):
    scene.first_day = (scene.clock() - dt.timedelta(days=days_ago)).astimezone(ZoneInfo(scene.tenant.time_zone)).date()
    value = dict.fromkeys(DAYS, scene.first_day.isoformat())
    PolicySetting.objects.update_or_create(tenant=scene.tenant, key="cut_off", defaults={"value": value})


def an_older_invoice(scene, customer, total=100_00, **fields):
    when = int((scene.clock() - dt.timedelta(days=20)).timestamp())
    return scene.invoice(customer, total=total, date=when, **fields)


def in_the_old_books(scene, customer, total="100.00", **values):
    day = (scene.clock() - dt.timedelta(days=20)).date()
    code = scene.tenant.customer_mappings.get(chargebee_id=customer).qad_code
    given = {"posting_date": day, "document_date": day, **values}
    return str(scene.world.qad.enter_invoice(code, total, **given)["number"])


def listed(scene, *rows):
    """Open items as a file says them; returns what came of looking them up."""
    text = "document,chargebee_id,qad_number,currency,open_amount\n" + "\n".join(",".join(row) for row in rows)
    found, wrong = opening.rows_of(text.encode(), "open.csv")
    assert not wrong
    opening.save(scene.tenant, found, now=scene.clock(), actor="ada")
    return look_up(scene)


def look_up(scene):
    with scene.qad() as client:
        return opening.verify(scene.tenant, client, clock=scene.clock, actor="ada")


def open_balance(scene, number):
    return scene.world.qad.company.books.by_number[number]["open"]


def rule(scene, source_id, kind="invoice"):
    row = scene.source(source_id, kind)
    return row.state, [problem["code"] for problem in row.problems]


@pytest.mark.slow
def test_what_is_older_than_the_cut_off_is_skipped_and_counted_and_the_rest_is_posted(scene):
    who = scene.customer()
    older, newer = an_older_invoice(scene, who), scene.invoice(who)
    story = scene.sync()
    assert rule(scene, older) == ("skipped", ["before-cut-off"])
    assert scene.posting(newer).state == "posted"
    assert scene.dispositions() == {"skipped": 1, "posted": 1}
    assert story.run.state == "complete"
    assert f"before the cut-off of {scene.first_day}" in scene.sentences(older)


@pytest.mark.slow
def test_the_first_day_itself_is_posted_in_the_tenant_s_own_zone(scene):
    midnight = dt.datetime.combine(scene.first_day, dt.time(), ZoneInfo(scene.tenant.time_zone))
    who = scene.customer()
    first = scene.invoice(who, date=int(midnight.timestamp()))
    last = scene.invoice(who, date=int(midnight.timestamp()) - 1)
    scene.sync()
    assert rule(scene, first)[0] == "coded"
    assert rule(scene, last) == ("skipped", ["before-cut-off"])


@pytest.mark.slow
def test_a_payment_of_an_older_invoice_is_held_with_its_choices(scene):
    who = scene.customer()
    older = an_older_invoice(scene, who)
    paid = scene.world.chargebee.pay({older: 100_00})["id"]
    scene.sync()
    assert rule(scene, paid, "transaction") == ("held", ["parent-before-cut-off"])
    said = scene.sentences(paid, "transaction")
    assert f"leans on invoice {older}, older than the cut-off" in said
    assert "or leave that part on account" in said
    assert not Posting.objects.exists()


@pytest.mark.slow
def test_an_opening_item_is_looked_up_and_then_its_payment_settles_it(scene):
    who = scene.customer()
    older, number = an_older_invoice(scene, who), in_the_old_books(scene, who)
    paid = scene.world.chargebee.pay({older: 40_00})["id"]
    scene.sync()
    assert listed(scene, ("invoice", older, number, "USD", "100.00")) == {"verified": 1, "refused": 0, "waiting": 0}
    scene.sync()
    assert scene.posting(paid).state == "posted"
    assert Edge.objects.get(invoice_id=older).applied_minor == 40_00
    assert str(open_balance(scene, number)) == "60.00"
    assert rule(scene, older) == ("skipped", ["before-cut-off"])
    assert f"opening item {number}" in scene.sentences(older)
    sent = scene.world.requests.copy()
    scene.sync()
    assert {k: v for k, v in scene.world.requests.items() if k.startswith("POST")} == {
        k: v for k, v in sent.items() if k.startswith("POST")
    }


@pytest.mark.slow
def test_a_credit_note_of_an_opening_item_settles_it_too(scene):
    who = scene.customer()
    older, number = an_older_invoice(scene, who), in_the_old_books(scene, who)
    listed(scene, ("invoice", older, number, "USD", "100.00"))
    scene.sync()
    look_up(scene)
    note = scene.world.chargebee.credit(older, 30_00)["id"]
    scene.sync()
    assert scene.posting(note).state == "posted"
    assert str(open_balance(scene, number)) == "70.00"


@pytest.mark.slow
def test_left_on_account_a_payment_is_posted_and_touches_no_older_invoice(scene):
    who = scene.customer()
    older, newer = an_older_invoice(scene, who), scene.invoice(who, total=50_00)
    paid = scene.world.chargebee.pay({older: 100_00, newer: 50_00})["id"]
    scene.sync()
    row = scene.source(paid, "transaction")
    OnAccount.objects.create(tenant=scene.tenant, source=row, reason="Old books", actor="ada", decided_at=scene.clock())
    type(row).objects.filter(pk=row.pk).update(state="new")
    scene.sync()
    posting = scene.posting(paid)
    assert posting.state == "posted"
    assert [one["source_id"] for one in posting.document["applications"]] == [newer]
    assert rule(scene, paid, "transaction")[0] == "coded"


@pytest.mark.slow
def test_an_older_invoice_that_is_voided_after_the_cut_off_is_told(scene):
    who = scene.customer()
    older = an_older_invoice(scene, who)
    scene.sync()
    scene.world.chargebee.void_invoice(older)
    scene.sync()
    assert rule(scene, older) == ("held", ["ended-after-cut-off"])
    assert "reverse it there by hand" in scene.sentences(older)


@pytest.mark.slow
def test_an_older_payment_that_failed_at_once_is_only_skipped(scene):
    who = scene.customer()
    older = an_older_invoice(scene, who)
    when = int((scene.clock() - dt.timedelta(days=19)).timestamp())
    failed = scene.world.chargebee.pay({older: 100_00}, status="failure", date=when)["id"]
    scene.sync()
    assert rule(scene, failed, "transaction")[0] == "skipped"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"qad_number": "999999"}, "QAD has no document with the number 999999."),
        (
            {"open": "100.01"},
            "The list says that 100.01 USD are open; in Chargebee 100.00 are open now, of 100.00 in all.",
        ),
        ({"currency": "EUR"}, "Chargebee has it in USD, the list in EUR."),
        ({"keyed": {"customer": "other"}}, "belongs to customer QOLD0001, this one to"),
        ({"keyed": {"total": "80.00"}}, "less than the 100.00 that should be open"),
        ({"newer": True}, "not before the cut-off: it is posted from here"),
    ],
)
def test_an_item_that_does_not_agree_is_refused_with_both_values(scene, change, sentence):
    who = scene.customer()
    invoice = scene.invoice(who) if change.get("newer") else an_older_invoice(scene, who)
    keyed = change.get("keyed", {})
    if keyed.get("customer"):
        scene.world.qad.add_customer("QOLD0001", "Old Works")
        day = scene.clock().date()
        number = str(scene.world.qad.enter_invoice("QOLD0001", "100.00", posting_date=day)["number"])
    else:
        number = in_the_old_books(scene, who, keyed.get("total", "100.00"))
    scene.prepare()
    row = (
        "invoice",
        invoice,
        change.get("qad_number", number),
        change.get("currency", "USD"),
        change.get("open", "100.00"),
    )
    assert listed(scene, row)["refused"] == 1
    assert sentence in OpeningItem.objects.get().sentence


def test_an_item_that_is_not_read_yet_waits(scene):
    who = scene.customer()
    older, number = an_older_invoice(scene, who), in_the_old_books(scene, who)
    assert listed(scene, ("invoice", older, number, "USD", "100.00"))["waiting"] == 1
    scene.sync()
    assert look_up(scene)["verified"] == 1


def test_items_that_are_not_read_yet_keep_no_other_waiting(scene):
    who = scene.customer()
    older, number = an_older_invoice(scene, who), in_the_old_books(scene, who)
    scene.sync()
    rows = [("INV-0", "900001"), (older, number), ("ZZZ", "900002")]
    sheet = "\n".join([",".join(opening.COLUMNS), *(f"invoice,{key},{no},USD,100.00" for key, no in rows)])
    given, wrong = opening.rows_of(sheet.encode(), "open.csv")
    opening.save(scene.tenant, given, now=scene.clock(), actor="mira")
    with scene.qad() as client:
        assert (
            not wrong and opening.verify(scene.tenant, client, clock=scene.clock, actor="mira", most=1)["verified"] == 1
        )
        assert opening.verify(scene.tenant, client, clock=scene.clock, actor="mira")["waiting"] == 2


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("supplier_bill,INV-1,9,USD,1", "'supplier_bill' is no document. Write invoice, credit_note or payment."),
        ("invoice,,9,USD,1", "chargebee_id is empty."),
        ("invoice,INV-1,9,USD,many", "'many USD' is no amount."),
        ("invoice,INV-1,9,USD,NaN", "'NaN USD' is no amount."),
        ("invoice,INV-1,9,XXX,1", "'1 XXX' is no amount."),
        ("invoice,INV-1,9,JPY,1.5", "'1.5 JPY' is no amount."),
        ("invoice,INV-1,9,USD,0", "Leave out what is not open any more."),
        ("invoice,INV-1,9,USD,-5", "Leave out what is not open any more."),
    ],
)
def test_a_wrong_row_is_a_sentence_with_its_number(row, sentence):
    text = f"document,chargebee_id,qad_number,currency,open_amount\n{row}\n"
    rows, (wrong,) = opening.rows_of(text.encode(), "open.csv")
    assert not rows
    assert str(wrong).startswith("Row 2: ")
    assert sentence in str(wrong)


def test_two_items_of_one_number_are_refused_together(scene):
    text = "document,chargebee_id,qad_number,currency,open_amount\ninvoice,A,9,USD,1\ninvoice,B,9,USD,1\n"
    rows, _ = opening.rows_of(text.encode(), "open.csv")
    assert opening.clashes(scene.tenant, rows) == ["QAD number 9 is given to A and to B. Correct one of them."]


def command(name, *args):
    out = io.StringIO()
    call_command(name, *args, stdout=out, stderr=out)
    return out.getvalue()


@pytest.mark.slow
def test_the_command_checks_saves_and_looks_up(scene, tmp_path):
    who = scene.customer()
    older, number = an_older_invoice(scene, who), in_the_old_books(scene, who)
    scene.sync()
    path = tmp_path / "open.csv"
    path.write_text(f"document,chargebee_id,qad_number,currency,open_amount\ninvoice,{older},{number},USD,100.00\n")
    assert "1 rows can be read. Dry run" in command("opening_items", "acme", str(path), "--dry-run")
    assert not OpeningItem.objects.exists()
    assert "1 found in QAD, 0 do not agree, 0 wait." in command("opening_items", "acme", str(path))
    path.write_text("document,chargebee_id\n")
    with pytest.raises(CommandError, match="Column 'qad_number' is missing"):
        command("opening_items", "acme", str(path))


# Older documents that are posted after all


def start(scene, first, last, reason="Books of that month"):
    return backfilling.start(scene.tenant, "invoice", first, last, reason=reason, now=scene.clock(), actor="ada")


@pytest.mark.slow
def test_a_backfill_is_shown_first_and_then_posts_exactly_its_range(scene):
    who = scene.customer()
    older = an_older_invoice(scene, who)
    oldest = scene.invoice(who, date=int((scene.clock() - dt.timedelta(days=50)).timestamp()))
    scene.sync()
    day = (scene.clock() - dt.timedelta(days=25)).date()
    last = (scene.clock() - dt.timedelta(days=15)).date()
    seen = backfilling.preview(scene.tenant, "invoice", day, last, now=scene.clock())
    assert (seen.count, dict(seen.money), dict(seen.outcomes)) == (1, {"USD": 100_00}, {"ready": 1})
    assert not Posting.objects.exists()
    made = backfilling.start(
        scene.tenant, "invoice", day, last, reason="Books of that month", now=scene.clock(), actor="ada"
    )
    assert isinstance(made, Backfill)
    assert backfilling.work(scene.tenant, clock=scene.clock, is_over=lambda: False, actor="ada") == 1
    scene.sync()
    made.refresh_from_db()
    assert (made.state, made.done, made.total) == ("done", 1, 1)
    assert scene.posting(older).state == "posted"
    assert rule(scene, oldest) == ("skipped", ["before-cut-off"])


@pytest.mark.slow
def test_a_backfill_that_was_interrupted_goes_on(scene, monkeypatch):
    monkeypatch.setattr(backfilling, "BATCH", 1)
    who = scene.customer()
    for _ in range(3):
        an_older_invoice(scene, who)
    scene.sync()
    first, last = scene.first_day - dt.timedelta(days=60), scene.first_day - dt.timedelta(days=1)
    backfilling.start(
        scene.tenant, "invoice", first, last, reason="Books of that month", now=scene.clock(), actor="ada"
    )
    turns = iter([False, True])
    assert backfilling.work(scene.tenant, clock=scene.clock, is_over=lambda: next(turns), actor="ada") == 1
    scene.sync()
    assert Posting.objects.filter(state="posted").count() == 1
    assert backfilling.work(scene.tenant, clock=scene.clock, is_over=lambda: False, actor="ada") == 2
    scene.sync()
    assert Posting.objects.filter(state="posted").count() == 3
    assert Backfill.objects.get().done == 3


@pytest.mark.slow
def test_a_backfill_that_is_cancelled_stops_before_its_next_batch_and_goes_on_when_asked(scene, monkeypatch):
    monkeypatch.setattr(backfilling, "BATCH", 1)
    who, tenant = scene.customer(), scene.tenant
    older = [
        scene.invoice(who, date=int((scene.clock() - dt.timedelta(days=days)).timestamp())) for days in (22, 20, 18)
    ]
    scene.sync()
    first, last = scene.first_day - dt.timedelta(days=60), scene.first_day - dt.timedelta(days=1)
    row = start(scene, first, last)
    given = {"now": scene.clock(), "actor": "ada"}

    def cancelled_after_the_first() -> bool:
        if Backfill.objects.get().done == 1:
            assert isinstance(cancelling.cancel(tenant, row.pk, reason="The wrong month", **given), Backfill)
        return False

    assert backfilling.work(tenant, clock=scene.clock, is_over=cancelled_after_the_first, actor="ada") == 1
    scene.world.chargebee.edit("invoice", older[2], po_number="PO-9")  # decided anew, and still not posted
    scene.sync()
    row.refresh_from_db()
    assert (row.state, row.done) == ("cancelled", 1)
    assert not backfilling.running(tenant).exists()
    assert scene.posting(older[0]).state == "posted"
    assert [rule(scene, name) for name in older[1:]] == [("skipped", ["before-cut-off"])] * 2
    line = AuditEntry.objects.get(action="backfill.cancelled")
    assert (line.actor, line.reason, line.after["done"]) == ("ada", "The wrong month", 1)

    assert isinstance(cancelling.resume(tenant, row.pk, **given), Backfill)
    assert backfilling.work(tenant, clock=scene.clock, is_over=lambda: False, actor="ada") == 2
    scene.sync()
    assert [scene.posting(name).state for name in older] == ["posted"] * 3
    assert cancelling.cancel(tenant, row.pk, reason="The wrong month", **given).message.endswith("it is done.")


def test_wrong_ranges_and_reasons_are_refused(scene):
    cut = scene.first_day
    day = dt.timedelta(days=1)
    assert "Exchange the two days" in backfilling.why_not(scene.tenant, "invoice", cut, cut - day)
    assert "are posted from here already" in backfilling.why_not(scene.tenant, "invoice", cut - day, cut)
    PolicySetting.objects.filter(key="cut_off").update(value={"invoice": cut.isoformat()})
    assert "There is no cut-off for credit notes" in backfilling.why_not(
        scene.tenant, "credit_note", cut - day, cut - day
    )
    assert start(scene, cut - day, cut - day, reason=" ") == backfilling.SHORT


@pytest.mark.slow
def test_the_backfill_command_shows_and_confirms(scene):
    older = an_older_invoice(scene, scene.customer())
    scene.sync()
    asked = (
        "backfill",
        "acme",
        "--kind",
        "invoice",
        "--from",
        "2026-01-01",
        "--to",
        str(scene.first_day - dt.timedelta(days=1)),
    )
    with pytest.raises(CommandError, match="'2026-13-01' is not a day"):
        command(*asked[:-1], "2026-13-01")
    told = command(*asked)
    assert "1 documents are kept out by the cut-off: 100.00 USD." in told
    assert "They would be: 1 ready." in told
    assert "1 documents are prepared" in command(*asked, "--confirm", "Books of that month")
    scene.sync()
    assert scene.posting(older).state == "posted"


# A parallel run


@BOTH
def test_a_parallel_run_prepares_and_compares_and_sends_nothing(dialect):
    with a_scene(dialect=dialect) as scene:
        PolicySetting.objects.create(tenant=scene.tenant, key="parallel_run", value="on")
        who = scene.customer()
        same, other = scene.invoice(who, total=100_00), scene.invoice(scene.customer(), total=70_00)
        scene.sync()
        assert "is in a parallel run" in why_not_posting(scene.tenant)
        assert scene.posting(same).state == "ready"
        day = scene.posting(same).posting_date
        number = in_the_old_books(scene, who, posting_date=day, document_date=day)
        extra = in_the_old_books(scene, who, "11.00", posting_date=day, document_date=day)
        with scene.qad() as client:
            row = parallel.compare(scene.tenant, client, Period.named(f"{day:%Y-%m}"), clock=scene.clock, actor="ada")
        assert (row.agreed, row.differing, row.only_here, row.only_in_qad) == (1, 0, 1, 1)
        assert row.found["only_here"][0]["reference"] == scene.posting(other).reference
        assert row.found["only_in_qad"][0]["number"] == extra
        assert number not in str(row.found)
        assert scene.sent() == 0


@pytest.mark.slow
def test_the_parallel_command_fails_while_the_books_differ(scene):
    PolicySetting.objects.create(tenant=scene.tenant, key="parallel_run", value="on")
    source_id = scene.invoice(scene.customer())
    scene.sync()
    day = scene.posting(source_id).posting_date
    with pytest.raises(CommandError, match="do not agree"):
        command("compare_parallel", "acme", "--period", f"{day:%Y-%m}")
    with pytest.raises(CommandError, match="Write one such as 2026-11"):
        command("compare_parallel", "acme", "--period", "November")

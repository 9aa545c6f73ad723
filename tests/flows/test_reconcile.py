"""`reconcile` compares Chargebee, our postings and QAD document by document, and finds what only one side has."""

from __future__ import annotations

import datetime as dt
import io
import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from connector.ledger.compare import Period
from syncs import running
from syncs.models import Posting, Reconciliation
from syncs.reconciling import reconcile
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)
LATER = 3600  # seconds: QAD's lists are no longer late
BOTH = pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])


def this_month(scene: Scene) -> Period:
    """Of the postings there are; a test that runs over midnight at a month's end still asks for theirs."""
    first = Posting.objects.filter(tenant=scene.tenant, kind="invoice").order_by("pk").first()
    day = first.posting_date if first else scene.clock().date()
    return Period.named(f"{day:%Y-%m}")


def compared(scene: Scene, period: Period | None = None) -> Reconciliation:
    scene.clock.forward(LATER)
    with scene.qad() as client:
        pace = running.pace_of(scene.tenant)
        return reconcile(scene.tenant, client, period or this_month(scene), pace, clock=scene.clock, actor="test")


def figure(row: Reconciliation, kind: str = "invoice", currency: str = "USD") -> dict[str, Any]:
    return next(one for one in row.figures if (one["kind"], one["currency"]) == (kind, currency))


def open_codes(row: Reconciliation) -> list[str]:
    return sorted(one["code"] for one in row.variances if not one["is_explained"])


def in_books(scene: Scene, source_id: str) -> dict[str, Any]:
    """The very row of QAD's books, for changing it by hand."""
    return scene.world.qad.company.books.by_number[scene.posting(source_id).qad_number]


@pytest.mark.slow
@BOTH
def test_corrected_documents_and_withheld_tax_leave_nothing_over(dialect):
    with a_scene(dialect=dialect) as scene:
        number = scene.invoice(total=100_00)
        scene.world.chargebee.pay({number: 60_00})
        kept = {"id": "tw-1", "amount": 10_00, "date": scene.world.clock.seconds()}
        scene.world.chargebee.edit("invoice", number, linked_taxes_withheld=[kept])
        scene.sync()
        scene.world.chargebee.change_line(number, 0, 123_00)
        scene.clock.forward(60)
        scene.sync()

        row = compared(scene)

        assert (row.is_balanced, open_codes(row)) == (True, [])
        assert figure(row)["chargebee"] == figure(row)["qad"] == "123.00"
        assert figure(row, "corrected")["qad"] == "100.00"


@BOTH
@pytest.mark.slow
def test_a_cycle_of_all_kinds_leaves_nothing_over(dialect):
    with a_scene(customers=14, dialect=dialect) as scene:
        scene.world.bill_cycle(kinds="all")
        scene.sync()

        row = compared(scene)

        assert open_codes(row) == [], row.variances
        assert row.is_balanced, row.figures
        assert {one["kind"] for one in row.figures} >= {"invoice", "credit_note", "payment"}
        for one in row.figures:
            assert Decimal(one["residual"]) == 0
            expected = one["ours"] if one["chargebee"] is None else one["chargebee"]
            explained = sum(Decimal(amount) for amount in one["explained"].values())
            assert Decimal(expected) - explained == Decimal(one["qad"])
        states = set(Posting.objects.filter(tenant=scene.tenant).values_list("state", flat=True))
        assert "posted" not in states


@BOTH
@pytest.mark.slow
def test_a_document_that_somebody_changed_in_qad_is_a_conflict_and_left_over(dialect):
    with a_scene(dialect=dialect) as scene:
        changed, fine = scene.invoice(total=100_00), scene.invoice(total=50_00)
        scene.sync()
        in_books(scene, changed)["total"] = Decimal("90.00")

        row = compared(scene)

        assert not row.is_balanced
        assert open_codes(row) == ["differs"]
        assert (figure(row)["chargebee"], figure(row)["qad"], figure(row)["residual"]) == ("150.00", "140.00", "10.00")
        assert "its total is 90.00 and ours is 100.00" in row.variances[0]["sentence"]
        assert row.variances[0]["document"] == scene.source(changed).pk
        assert (scene.posting(changed).state, scene.posting(fine).state) == ("conflict", "verified")


@pytest.mark.slow
def test_a_change_in_qad_after_it_was_verified_is_found_by_the_next_reconciliation():
    with a_scene() as scene:
        source_id = scene.invoice(total=100_00)
        scene.sync()
        assert compared(scene).is_balanced
        assert scene.posting(source_id).state == "verified"
        in_books(scene, source_id)["customer"] = "Q0000001"

        row = compared(scene)

        assert open_codes(row) == ["differs"]
        assert "its customer is Q0000001" in row.sentence + row.variances[0]["sentence"]
        assert scene.posting(source_id).state == "conflict"


@BOTH
@pytest.mark.slow
def test_a_document_that_stands_twice_in_qad_is_a_duplicate_with_its_surplus(dialect):
    with a_scene(dialect=dialect) as scene:
        source_id = scene.invoice(total=100_00)
        scene.sync()
        mine = scene.posting(source_id)
        scene.world.qad.enter_invoice(
            mine.customer_code, "100.00", reference=mine.reference, posting_date=mine.posting_date
        )

        row = compared(scene)

        assert open_codes(row) == ["duplicate"]
        assert (figure(row)["qad"], figure(row)["residual"]) == ("200.00", "-100.00")
        posting = scene.posting(source_id)
        assert posting.state == "duplicate"
        assert "more than once" in posting.problems[0]["message"]
        assert "Reverse the surplus" in posting.problems[0]["fix"]


@BOTH
@pytest.mark.slow
def test_a_strangers_document_with_our_prefix_is_only_in_qad(dialect):
    with a_scene(dialect=dialect) as scene:
        source_id = scene.invoice(total=100_00)
        scene.sync()
        mine = scene.posting(source_id)
        scene.world.qad.enter_invoice(
            mine.customer_code, "7.00", reference="CB-INV-9999", posting_date=mine.posting_date
        )
        scene.world.qad.enter_invoice(mine.customer_code, "8.00", reference="ZZ-INV-1", posting_date=mine.posting_date)

        row = compared(scene)

        assert open_codes(row) == ["only-in-qad"]
        assert "CB-INV-9999" in row.variances[0]["sentence"]
        assert figure(row)["residual"] == "-7.00"


@pytest.mark.slow
def test_a_posting_that_our_table_has_lost_is_named_from_both_sides():
    with a_scene() as scene:
        source_id = scene.invoice(total=100_00)
        scene.invoice(total=50_00)
        scene.sync()
        period = this_month(scene)
        lost = scene.posting(source_id)
        lost.tries.all().delete()
        lost.delete()

        row = compared(scene, period)

        assert not row.is_balanced
        assert open_codes(row) == ["only-in-chargebee", "only-in-qad"]


@BOTH
@pytest.mark.slow
def test_a_document_that_is_gone_from_qad_is_only_here_and_stays_posted(dialect):
    with a_scene(dialect=dialect) as scene:
        source_id = scene.invoice(total=100_00)
        scene.sync()
        books, gone = scene.world.qad.company.books, in_books(scene, source_id)
        books.by_number.pop(gone["number"])
        books.by_reference.pop(gone["reference"].lower())
        for rows in books.documents.values():
            rows[:] = [one for one in rows if one is not gone]

        row = compared(scene)

        assert open_codes(row) == ["not-in-qad"]
        assert figure(row)["residual"] == "100.00"
        posting = scene.posting(source_id)
        assert (posting.state, posting.problems[0]["code"]) == ("posted", "not-found-in-qad")


@pytest.mark.slow
def test_what_is_held_or_skipped_is_explained_with_its_money():
    with a_scene() as scene:
        scene.invoice(total=100_00)
        skipped = scene.invoice(total=30_00)
        scene.world.chargebee.void_invoice(skipped)
        scene.sync()
        scene.tenant.item_mappings.all().delete()
        held = scene.invoice(total=20_00)
        scene.clock.forward(60)
        scene.sync()

        row = compared(scene)

        assert row.is_balanced, row.variances
        assert figure(row)["explained"] == {"held": "20.00", "skipped": "30.00"}
        assert (figure(row)["chargebee"], figure(row)["qad"], figure(row)["residual"]) == ("150.00", "100.00", "0.00")
        assert {(one["code"], one["chargebee"]) for one in row.variances} == {("held", "20.00"), ("skipped", "30.00")}
        assert scene.source(held).state == "held"


@BOTH
def test_a_date_that_qad_moved_is_shown_and_never_accepted_silently(dialect):
    with a_scene(dialect=dialect) as scene:
        source_id = scene.invoice(total=100_00)
        scene.prepare()
        period = this_month(scene)
        scene.world.qad.modes.shifts_dates = True
        scene.world.qad.lock_period(period.first.year, period.first.month)
        scene.post()

        row = compared(scene, period)

        posting = scene.posting(source_id)
        assert (posting.state, posting.problems[0]["code"]) == ("posted", "date-shifted")
        assert posting.qad_posting_date == period.last + dt.timedelta(days=1)
        assert open_codes(row) == ["date-shifted"]
        assert not row.is_balanced
        assert (figure(row)["residual"], figure(row)["moved_out"], figure(row)["qad_in_period"]) == (
            "0.00", "100.00", "0.00",
        )  # fmt: skip
        following = compared(scene, Period.named(f"{period.last + dt.timedelta(days=1):%Y-%m}"))
        assert figure(following)["moved_in"] == "100.00"
        assert following.is_balanced


@pytest.mark.slow
def test_what_was_posted_a_moment_ago_may_be_late_in_qads_lists():
    with a_scene() as scene:
        source_id = scene.invoice(total=100_00)
        scene.tenant.policy_settings.filter(key="settle_seconds").update(value=900)
        scene.world.qad.modes.lookup_lag = 600
        scene.sync()
        scene.posting(source_id).tries.all()
        Posting.objects.filter(tenant=scene.tenant).update(qad_number="")  # so that only lists can find it
        with scene.qad() as client:
            pace = running.pace_of(scene.tenant)
            row = reconcile(scene.tenant, client, this_month(scene), pace, clock=scene.clock, actor="test")

        assert row.is_balanced
        assert figure(row)["explained"] == {"just-posted": "100.00"}


@pytest.mark.slow
def test_a_voided_invoice_and_its_reversal_leave_nothing_over():
    with a_scene() as scene:
        source_id = scene.invoice(total=100_00)
        scene.sync()
        scene.clock.forward(60)
        scene.world.chargebee.void_invoice(source_id)
        scene.sync()
        period = Period.named(f"{Posting.objects.get(tenant=scene.tenant, kind='invoice').posting_date:%Y-%m}")

        row = compared(scene, period)

        assert row.is_balanced, row.variances
        assert figure(row)["qad"] == "100.00"
        assert (figure(row, "reversal")["chargebee"], figure(row, "reversal")["qad"]) == (None, "100.00")


@pytest.mark.slow
def test_another_period_is_empty_and_nothing_is_written_into_qad():
    with a_scene() as scene:
        scene.invoice(total=100_00)
        scene.sync()
        before = scene.world.ledger()["documents"]

        row = compared(scene, Period.named("2021-02"))

        assert (row.is_balanced, row.figures, row.variances) == (True, [], [])
        assert scene.world.ledger()["documents"] == before


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("reconcile", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.slow
def test_the_command_ends_well_only_when_nothing_is_left_over():
    with a_scene() as scene:
        source_id = scene.invoice(total=100_00)
        scene.sync()
        month = this_month(scene).name

        said = command("acme", "--period", month)
        assert "1 documents, nothing is left over" in said
        in_books(scene, source_id)["total"] = Decimal("90.00")
        out = io.StringIO()
        with pytest.raises(CommandError) as failed:
            call_command("reconcile", "acme", "--period", month, "--json", stdout=out)

        assert failed.value.returncode == 1
        assert "Left over: 10.00 USD of invoice." in str(failed.value)
        facts = json.loads(out.getvalue())
        assert (facts["is_balanced"], facts["counts"], facts["figures"][0]["residual"]) == (
            False, {"differs": 1}, "10.00",
        )  # fmt: skip
        assert Reconciliation.objects.filter(tenant=scene.tenant).count() == 2


@pytest.mark.parametrize("period", ["November", "2026-00", "2026-11-30"])
def test_the_command_refuses_what_is_no_period(period):
    with a_scene(), pytest.raises(CommandError, match="is not a period") as failed:
        command("acme", "--period", period)
    assert failed.value.returncode == 2


@pytest.mark.slow
def test_a_qad_that_is_away_proves_nothing_and_nothing_is_stored():
    with a_scene() as scene:
        scene.invoice()
        scene.sync()
        month = this_month(scene).name
        scene.world.faults("qad").add("status", times=None, status=503)

        with pytest.raises(CommandError) as failed:
            command("acme", "--period", month)

        assert failed.value.returncode == 3
        assert not Reconciliation.objects.exists()
        assert scene.posting().state == "posted"


@pytest.mark.slow
def test_what_qad_cannot_be_asked_for_is_never_taken_for_granted():
    with a_scene() as scene:
        scene.invoice(total=100_00)
        scene.sync()
        row = scene.tenant.qad
        unasked = {"invoice": {"lookup": "-", "keys": {"number": "-"}}}
        row.profile_override = {"writes": {**row.profile_override["writes"], **unasked}}
        row.save()

        found = compared(scene)

        assert open_codes(found) == ["cannot-be-read-back"]
        assert "Fill in writes.invoice.lookup in the QAD profile" in found.variances[0]["fix"]
        assert figure(found)["residual"] == "100.00"

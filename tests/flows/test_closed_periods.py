"""No document lands in a closed period, none is moved silently: the policy decides, and everything moved is told."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from connector.ledger.stored import restore
from syncs import redating
from syncs.models import DateApproval, Posting
from tenants.models import AuditEntry, PolicySetting
from tests.flows.ledgers import assert_books_agree
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)
DIALECTS = ("adaptive", "offset-rest")
LAST_MONTH = timezone.localdate().replace(day=1) - dt.timedelta(days=10)
THIS_MONTH = (LAST_MONTH.replace(day=28) + dt.timedelta(days=7)).replace(day=1)


def noon(day: dt.date) -> int:
    return int(dt.datetime.combine(day, dt.time(12), dt.UTC).timestamp())


def close(scene: Scene, day: dt.date = LAST_MONTH) -> None:
    scene.world.qad.lock_period(day.year, day.month)


def reopen(scene: Scene, day: dt.date = LAST_MONTH) -> None:
    scene.world.qad.unlock_period(day.year, day.month)


def decide(scene: Scene, policy: str) -> None:
    PolicySetting.objects.update_or_create(tenant=scene.tenant, key="closed_periods", defaults={"value": policy})


def an_old_invoice(scene: Scene, customer: str = "") -> str:
    return scene.invoice(customer, date=noon(LAST_MONTH))


@pytest.mark.slow
def test_it_holds_a_document_of_a_closed_period_before_anything_is_sent_and_lets_it_go_when_it_opens():
    with a_scene() as scene:
        source_id = an_old_invoice(scene)
        close(scene)

        scene.sync()

        assert (scene.sent(), scene.dispositions()) == (0, {"held": 1})
        period = f"{LAST_MONTH.year}/{LAST_MONTH.month:02d}"
        assert f"is to be posted on {LAST_MONTH}, but period {period} is closed in QAD." in scene.sentences(source_id)
        reopen(scene)
        scene.sync()
        assert (scene.posting().state, scene.posting().posting_date) == ("posted", LAST_MONTH)
        assert scene.posting().wanted_date is None
        assert_books_agree(scene)


@pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])
def test_the_next_open_day_is_taken_where_the_tenant_wants_it_and_the_move_is_told(dialect):
    with a_scene(dialect=dialect, policies={"closed_periods": "next_open_period"}) as scene:
        an_old_invoice(scene)
        close(scene)

        scene.sync()

        posting = scene.posting()
        assert (posting.posting_date, posting.wanted_date) == (THIS_MONTH, LAST_MONTH)
        assert "is closed in QAD: posted on the first open day after it." in posting.evidence["date"]["reason"]
        assert restore(posting.document).document_date == LAST_MONTH
        assert [one["posting_date"] for one in scene.in_qad()] == [THIS_MONTH.isoformat()]


@pytest.mark.slow
def test_a_locked_daybook_of_invoices_does_not_move_a_payment():
    with a_scene(policies={"closed_periods": "next_open_period"}) as scene:
        scene.world.qad.lock_daybook("CINV", LAST_MONTH.year, LAST_MONTH.month)
        who = scene.customer()
        source_id = an_old_invoice(scene, who)
        scene.world.chargebee.pay({source_id: 100_00}, date=noon(LAST_MONTH))

        scene.sync()

        dates = dict(Posting.objects.values_list("kind", "posting_date"))
        assert dates["invoice"] == THIS_MONTH
        assert dates["payment"] == LAST_MONTH
        assert dates["application"] == THIS_MONTH  # never before the later of both
        assert_books_agree(scene)


@pytest.mark.slow
def test_a_document_on_its_own_date_goes_out_only_after_an_accountant_has_approved():
    with a_scene(policies={"closed_periods": "original_after_approval"}) as scene:
        source_id = an_old_invoice(scene)
        close(scene)
        scene.sync()
        assert scene.dispositions() == {"held": 1}
        assert "after an accountant has approved" in scene.sentences(source_id)
        approve(scene, source_id)

        reopen(scene)
        scene.sync()

        assert (scene.posting().posting_date, scene.posting().state) == (LAST_MONTH, "posted")
        assert_books_agree(scene)


@pytest.mark.slow
def test_an_approval_that_qad_refuses_is_spent_and_never_tried_again_by_itself():
    with a_scene(policies={"closed_periods": "original_after_approval"}) as scene:
        source_id = an_old_invoice(scene)
        close(scene)
        scene.sync()
        approve(scene, source_id)

        for _ in range(3):
            scene.sync()

        assert scene.sent() == 1
        assert (scene.posting().state, scene.dispositions()) == ("held", {"held": 1})
        assert DateApproval.objects.get().spent_at is not None
        approve(scene, source_id)
        reopen(scene)
        scene.sync()
        assert scene.posting().state == "posted"
        assert len(scene.in_qad()) == 1


def approve(scene: Scene, source_id: str) -> None:
    DateApproval.objects.create(
        tenant=scene.tenant,
        source=scene.source(source_id),
        wanted_date=LAST_MONTH,
        reason="Agreed with the auditor.",
        approved_by="ada",
        approved_at=timezone.now(),
    )
    redating.redate(scene.tenant, timezone.now(), actor="ada")


@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])
@pytest.mark.parametrize("policy", ["hold", "next_open_period", "original_after_approval"])
def test_a_period_that_closes_between_preparing_and_sending_is_understood_and_the_policy_applied(dialect, policy):
    with a_scene(dialect=dialect, policies={"closed_periods": policy}) as scene:
        source_id = an_old_invoice(scene)
        scene.prepare()
        close(scene)
        Posting.objects.update(not_before=None)

        counts = scene.post()
        assert counts == {"rejected": 1}
        scene.sync()

        posting = scene.posting()
        if policy == "next_open_period":
            assert (posting.state, posting.posting_date, posting.wanted_date) == ("posted", THIS_MONTH, LAST_MONTH)
            assert len(scene.in_qad()) == 1
        else:
            assert (posting.state, scene.in_qad()) == ("held", [])
            assert "is closed in QAD" in scene.sentences(source_id)
            reopen(scene)
            scene.sync()
            assert (scene.posting().state, scene.posting().posting_date) == ("posted", LAST_MONTH)
        assert AuditEntry.objects.filter(action__in=("dated-anew", "date-waits")).exists()


@pytest.mark.slow
def test_what_is_ready_is_dated_anew_before_it_is_sent_when_its_period_has_closed():
    with a_scene(policies={"closed_periods": "next_open_period"}) as scene:
        an_old_invoice(scene)
        scene.prepare()
        close(scene)

        scene.sync()

        assert scene.attempts() == ["posted"]
        assert scene.posting().posting_date == THIS_MONTH


@pytest.mark.slow
def test_a_person_decides_where_qad_says_closed_and_its_list_says_open():
    with a_scene(policies={"closed_periods": "next_open_period"}) as scene:
        source_id = an_old_invoice(scene)
        tenant = scene.tenant
        tenant.qad.profile_override = {**tenant.qad.profile_override, "lists": {"periods": "-"}}
        tenant.qad.save()
        close(scene)

        for _ in range(2):
            scene.sync()

        assert (scene.posting().state, scene.attempts()) == ("rejected", ["rejected"])
        assert "there is no list of QAD's periods here" in scene.sentences(source_id)


@pytest.mark.slow
def test_a_reversal_is_dated_by_its_void_in_an_open_period_and_never_before_its_original():
    with a_scene(policies={"closed_periods": "next_open_period"}) as scene:
        who = scene.customer()
        source_id = an_old_invoice(scene, who)
        payment = scene.world.chargebee.pay({source_id: 100_00}, date=noon(LAST_MONTH))
        scene.sync()
        close(scene)
        voided = {"status": "voided", "voided_at": noon(LAST_MONTH)}
        scene.world.chargebee.edit("transaction", payment["id"], **voided)

        scene.sync()

        reversal = Posting.objects.get(kind="reversal")
        assert (reversal.state, reversal.posting_date, reversal.wanted_date) == ("posted", THIS_MONTH, LAST_MONTH)
        assert reversal.reverses.state == "reversed"


@pytest.mark.slow
def test_no_later_period_takes_it_so_it_is_held():
    with a_scene(policies={"closed_periods": "next_open_period"}) as scene:
        source_id = an_old_invoice(scene)
        calendar = scene.world.qad.company.calendar
        for row in calendar.rows():
            calendar.lock(row["year"], row["period"])

        scene.sync()

        assert scene.dispositions() == {"held": 1}
        assert "no later period in QAD's calendar takes it" in scene.sentences(source_id)

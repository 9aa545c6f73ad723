"""Runs and the overview: green only where the equation holds."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from syncs.admin import figures
from tenants.models import Circuit, Role, Tenant
from tests.builders import a_tenant, a_user
from tests.syncs.rows import UNMAPPED, a_balance, a_document, a_posting, a_run

pytestmark = pytest.mark.django_db
REFUSED = {
    "code": "qad-said-no",
    "subject": "Posting",
    "message": "Period is closed.",
    "fix": "Open it.",
    "link": "document",
}


@pytest.fixture
def tenant():
    return a_tenant("acme")


@pytest.fixture
def look(client, tenant):
    client.force_login(a_user({tenant: Role.ACCOUNTANT}))
    return lambda name, *args: client.get(reverse(name, args=args)).content.decode()


def page_of(look, run):
    return look("admin:syncs_run_change", run.pk)


def test_a_whole_run_is_green_and_says_so(look, tenant):
    text = page_of(look, a_run(tenant, equation=[a_balance()]))
    assert "verdict-good" in text
    assert "2 documents were listed in Chargebee, and each is accounted for." in text
    assert "25.00" in text


def test_a_red_run_is_red_and_names_what_is_missing(look, tenant):
    known = a_document(tenant, "INV-8")
    run = a_run(
        tenant,
        state="red",
        equation=[a_balance(listed=3, missing=["INV-9"], differing=["INV-8"])],
        sentence="Not whole.",
    )
    text = page_of(look, run)
    assert "verdict-good" not in text
    assert "1 invoice listed in Chargebee, but not accounted for" in text
    assert "INV-9" in text
    assert reverse("admin:syncs_sourcedocument_change", args=[known.pk]) in text


@pytest.mark.parametrize("state", ["interrupted", "stopped", "red"])
def test_a_run_that_proves_nothing_is_never_shown_as_success(look, tenant, state):
    run = a_run(tenant, state=state, finished_at=None)
    for text in (page_of(look, run), look("admin:syncs_run_changelist"), look("admin:index")):
        assert "accounted for.\n" not in text
        assert "each is accounted for" not in text
    assert "verdict-bad" in page_of(look, run)


def test_a_complete_run_whose_equation_does_not_hold_is_not_green(look, tenant):
    assert "verdict-good" not in page_of(look, a_run(tenant, equation=[a_balance(listed=3, posted=2)]))


def test_a_run_that_is_silent_for_too_long_is_not_called_running(look, tenant):
    run = a_run(tenant, state="running", finished_at=None)
    assert "No sign of life" in page_of(look, run)


def test_a_second_sync_is_not_asked_for_while_one_runs(client, look, tenant):
    a_run(tenant, state="running", finished_at=None, lease_until=timezone.now() + timezone.timedelta(minutes=1))
    assert "running already" in client.post(reverse("admin:syncs_run_sync_now"), follow=True).content.decode()
    assert OrmQ.objects.count() == 0


def test_the_overview_groups_what_needs_attention_by_cause_with_its_money(look, tenant):
    for number in range(3):
        a_document(tenant, f"held-{number}", state="held", problems=[UNMAPPED], total_minor=100000)
    a_posting(a_document(tenant, "refused", currency="JPY", total_minor=1200), state="rejected", problems=[REFUSED])
    text = look("admin:index")
    assert "3 documents" in text
    assert "3,000.00 EUR" in text
    assert "code=item-not-mapped" in text
    assert reverse("admin:mappings_itemmapping_changelist") in text
    assert "Period is closed." in text
    assert "1,200 JPY" in text
    assert "disposition=rejected" in text


def test_a_cause_with_several_subjects_names_the_most_frequent(tenant):
    for number, subject in enumerate(["A", "A", "B", "C", "D", "E"]):
        a_document(tenant, f"held-{number}", state="held", problems=[{**UNMAPPED, "subject": subject}])
    (cause,) = figures.causes(tenant)
    assert cause.count == 6
    assert (cause.named[0], len(cause.named), cause.named[-1]) == ("A (2)", 5, "and 1 more")


def test_a_document_with_two_problems_counts_under_both(tenant):
    a_document(tenant, state="held", problems=[UNMAPPED, {**UNMAPPED, "code": "tax-not-mapped"}])
    assert {cause.code: cause.count for cause in figures.causes(tenant)} == {"item-not-mapped": 1, "tax-not-mapped": 1}


def test_the_overview_says_why_nothing_is_posted(look, tenant):
    assert "Posting of invoices is off until it has been tested" in look("admin:index")
    Tenant.objects.update(is_posting_on=False)
    assert "Posting is switched off for Acme" in look("admin:index")


def test_the_overview_names_a_stopped_connection(look, tenant):
    Circuit.objects.create(tenant=tenant, side="chargebee", opened_at=timezone.now(), reason="The key is refused.")
    text = look("admin:index")
    assert "Chargebee stopped" in text
    assert "The key is refused." in text


def test_an_empty_tenant_has_a_quiet_overview(look, tenant):
    text = look("admin:index")
    assert "has not been synced yet" in text
    assert "Nothing has been read from Chargebee yet." in text


@pytest.mark.slow
def test_the_overview_asks_a_fixed_number_of_questions(look, tenant):
    a_document(tenant, "first", state="held", problems=[UNMAPPED])
    a_posting(a_document(tenant, "sent"), state="rejected", problems=[REFUSED])
    a_run(tenant, equation=[a_balance()])
    look("admin:index")
    with CaptureQueriesContext(connection) as few:
        look("admin:index")
    for number in range(40):
        a_document(tenant, f"held-{number}", state="held", problems=[UNMAPPED])
        a_posting(a_document(tenant, f"sent-{number}"), state="rejected", problems=[REFUSED])
    with CaptureQueriesContext(connection) as many:
        look("admin:index")
    assert len(many) == len(few)


def test_a_platform_administrator_without_a_tenant_sees_no_figures(client, tenant):
    a_document(tenant, state="held", problems=[UNMAPPED])
    client.force_login(a_user(is_superuser=True))
    text = client.get(reverse("admin:index")).content.decode()
    assert "No tenant yet" in text
    assert "Needs attention" not in text

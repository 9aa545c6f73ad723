"""Posting dates, the cut-off clock and QAD's lists: who may look, who may approve, and nobody else's rows."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.urls import reverse

from mappings.models import MirrorState, QadAccount, QadCode
from syncs.models import DateApproval, Posting
from tenants.models import AuditEntry, Role
from tests.builders import a_tenant, a_user, connected
from tests.mappings.build import an_item
from tests.syncs.rows import HOSTILE, NOW, a_document, a_posting

pytestmark = pytest.mark.django_db
PAGES = ("syncs_dateapproval_changelist", "syncs_cut_off", "syncs_preview", "mappings_mirrorstate_changelist")
PROBLEM = {
    "code": "date-needs-approval",
    "subject": "Invoice INV-1",
    "message": "Invoice INV-1 is to be posted on 2026-09-30, but period 2026/09 is closed in QAD.",
    "fix": "An accountant approves it.",
    "link": "posting_dates",
}


@pytest.fixture
def mine():
    return filled(connected(a_tenant("mine"), "http://127.0.0.1:9"), "our-text")


def filled(tenant, text):
    """A waiting document, a moved one, an approval, a close call, and rows of QAD's lists."""
    problem = {**PROBLEM, "message": f"{PROBLEM['message']} {text}"}
    a_document(tenant, f"{text[:40]}-1", state="held", problems=[problem])
    moved = a_posting(
        a_document(tenant, f"{text[:40]}-2", dated_at=dt.datetime(2026, 11, 1, 0, 20, tzinfo=dt.UTC)), state="posted"
    )
    evidence = {"date": {"own": "2026-09-30", "reason": text}}
    Posting.objects.filter(pk=moved.pk).update(wanted_date=dt.date(2026, 9, 30), evidence=evidence)
    DateApproval.objects.create(
        tenant=tenant, source=moved.source, wanted_date=dt.date(2026, 9, 30), reason=text, approved_by=text[:100],
        approved_at=NOW,
    )  # fmt: skip
    MirrorState.objects.create(tenant=tenant, list_name="projects", sentence=text, answer="failed", asked_at=NOW)
    QadCode.objects.create(tenant=tenant, list_name="projects", code="PRJ", description=text, seen_at=NOW)
    QadAccount.objects.create(tenant=tenant, code="4000", seen_at=NOW, is_active=False, lost_at=NOW)
    an_item(tenant, text[:90])
    return tenant


def page(client, name, **query):
    return client.get(reverse(f"admin:{name}"), query)


def texts(client):
    return [page(client, name).content.decode() for name in PAGES]


@pytest.mark.parametrize("role", list(Role))
def test_every_role_may_look(client, mine, role):
    client.force_login(a_user({mine: role}))
    dates, clock, preview, lists = texts(client)
    assert "2026-09-30" in dates
    assert "our-text-2" in clock
    assert "In total" in preview
    assert "Could not be read" in lists
    assert "names GL account 4000, which is inactive in QAD (seen so since 2026-11-23 12:00 UTC)" in lists
    assert ("Approve</button>" in dates) == (role == Role.ACCOUNTANT)
    assert ("Refresh from QAD" in lists) == (role != Role.AUDITOR)
    rows = page(client, "mappings_qadcode_changelist", list="projects", q="PRJ").content.decode()
    assert "Projects in QAD" in rows
    assert "our-text" in rows


@pytest.mark.slow
def test_the_overview_warns_of_mappings_that_lean_on_what_is_lost(client, mine):
    client.force_login(a_user({mine: Role.AUDITOR}))
    assert "<strong>1 mapping</strong> leans on codes" in page(client, "index").content.decode()
    QadAccount.objects.update(is_active=True)
    assert "leans on codes" not in page(client, "index").content.decode()


def test_nothing_of_another_tenant_is_shown(client, mine):
    filled(connected(a_tenant("theirs"), "http://127.0.0.1:9", reference_prefix="XX"), "foreign-text")
    client.force_login(a_user({mine: list(Role)}))
    for text in [*texts(client), page(client, "mappings_qadcode_changelist").content.decode()]:
        assert "foreign-text" not in text


def test_hostile_text_does_nothing_and_no_page_has_an_inline_style_or_script(client):
    tenant = filled(connected(a_tenant("bad"), "http://127.0.0.1:9"), HOSTILE)
    client.force_login(a_user({tenant: [Role.ACCOUNTANT, Role.FINANCE_USER]}))
    inline = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>|<style|<[^>]+\s(?:style|on[a-z]+)=\"", re.IGNORECASE)
    for text in [*texts(client), page(client, "mappings_qadcode_changelist").content.decode()]:
        assert "<script>alert" not in text
        assert not inline.findall(text)


@pytest.mark.parametrize("role", [Role.FINANCE_USER, Role.INTEGRATION_ADMIN, Role.AUDITOR])
def test_only_an_accountant_may_approve_a_date(client, mine, role):
    row = mine.source_documents.get(state="held")
    client.force_login(a_user({mine: role}))
    answer = client.post(reverse("admin:syncs_dateapproval_approve", args=[row.pk]), {"reason": "Because."})
    assert answer.status_code == 403
    assert DateApproval.objects.count() == 1


def test_an_accountant_of_another_tenant_finds_no_such_document(client, mine):
    row = mine.source_documents.get(state="held")
    client.force_login(a_user({a_tenant("theirs"): Role.ACCOUNTANT}))
    answer = client.post(
        reverse("admin:syncs_dateapproval_approve", args=[row.pk]), {"reason": "Because."}, follow=True
    )
    assert "our-text" not in answer.content.decode()
    assert DateApproval.objects.count() == 1
    assert not AuditEntry.objects.filter(action="date-approved").exists()


@pytest.mark.parametrize(
    ("reason", "sentence"), [("", "Give a reason"), ("x" * 501, "has 501 characters"), ("Fine.", "does not wait for")]
)
def test_what_cannot_be_approved_says_why_in_one_sentence(client, mine, reason, sentence):
    row = mine.source_documents.get(state="held")
    client.force_login(a_user({mine: Role.ACCOUNTANT}))
    answer = client.post(reverse("admin:syncs_dateapproval_approve", args=[row.pk]), {"reason": reason}, follow=True)
    assert sentence in answer.content.decode()
    assert client.get(reverse("admin:syncs_dateapproval_approve", args=[row.pk])).status_code == 405


def test_a_list_that_nobody_mirrors_is_not_refreshed(client, mine):
    client.force_login(a_user({mine: Role.INTEGRATION_ADMIN}))
    assert client.post(reverse("admin:mappings_mirrorstate_refresh"), {"list": "suppliers"}).status_code == 403
    client.force_login(a_user({mine: Role.AUDITOR}))
    assert client.post(reverse("admin:mappings_mirrorstate_refresh"), {"list": "projects"}).status_code == 403

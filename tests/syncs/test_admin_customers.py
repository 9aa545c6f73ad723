"""The screens of customers of both systems: every role, every button, and nothing of another tenant."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from django_q.models import OrmQ

from mappings.models import CustomerMapping, MirrorState, QadCustomer
from syncs.models import AlignedCustomer, CustomerConflict, FieldRule, MatchReview
from tenants import audit, erasing
from tenants.models import AuditEntry, PolicySetting, QadConnection, Role
from tests.builders import a_tenant, a_user
from tests.syncs.rows import HOSTILE, NOW, a_document

pytestmark = pytest.mark.django_db
DECIDERS = {Role.FINANCE_USER, Role.INTEGRATION_ADMIN}


@pytest.fixture
def mine():
    tenant = a_tenant("mine")
    QadConnection.objects.create(
        tenant=tenant, base_url="https://acme.qad.example/clouderp", domain="10USA", entity="10USACO", shared_set="SS1"
    )
    PolicySetting.objects.create(tenant=tenant, key="align_customers", value="both")
    return tenant


def a_pair(tenant, text="Acme", **fields):
    a_document(tenant, "cust-1", kind="customer", content={"id": "cust-1", "company": text}, currency="")
    QadCustomer.objects.create(tenant=tenant, code="C1", name=text[:200], content={"name": text}, seen_at=NOW)
    given = {"chargebee_id": "cust-1", "qad_code": "C1", "reason": text, **fields}
    return AlignedCustomer.objects.create(tenant=tenant, created_at=NOW, changed_at=NOW, **given)


def a_conflict(pair, text="Acme", **fields):
    given = {"kind": "rejected-edit", "state": "applied", "field": "name", "winner": "chargebee", **fields}
    return CustomerConflict.objects.create(
        tenant=pair.tenant, customer=pair, chargebee_value=text, qad_value=text + "!", sentence=text, since=NOW, **given
    )


def a_review(tenant, text="the name"):
    return MatchReview.objects.create(
        tenant=tenant, chargebee_id="cust-1", qad_code="C1", found_from="chargebee", why=text[:200], since=NOW
    )


def addresses(pair, conflict, review):
    names = ("alignedcustomer", "customerconflict", "matchreview")
    lists = [reverse(f"admin:syncs_{name}_changelist") for name in names]
    pages = [
        reverse(f"admin:syncs_{name}_change", args=[row.pk])
        for name, row in zip(names, (pair, conflict, review), strict=True)
    ]
    return [*lists, *pages, *(reverse(f"admin:syncs_alignedcustomer_{name}") for name in ("rehearsal", "owners"))]


@pytest.mark.parametrize("role", list(Role))
def test_every_role_may_look_and_hostile_text_does_nothing(client, mine, role):
    pair = a_pair(mine, HOSTILE)
    shown = addresses(pair, a_conflict(pair, HOSTILE), a_review(mine, HOSTILE))
    client.force_login(a_user({mine: role}))
    inline = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>|<style|<[^>]+\s(?:style|on[a-z]+)=\"", re.IGNORECASE)
    for address in shown:
        page = client.get(address)
        assert page.status_code == 200, address
        assert "<script>alert" not in page.content.decode(), address
        assert not inline.findall(page.content.decode()), address


@pytest.mark.slow
def test_another_tenants_user_finds_nothing_and_decides_nothing(client, mine):
    pair = a_pair(mine)
    conflict, review = a_conflict(pair), a_review(mine)
    theirs = a_tenant("theirs")
    client.force_login(a_user({theirs: list(Role)}))
    for address in addresses(pair, conflict, review):
        assert "cust-1" not in client.get(address, follow=True).content.decode(), address
    for name, row, way in (("customerconflict", conflict, "qad"), ("matchreview", review, "link")):
        client.post(reverse(f"admin:syncs_{name}_answer", args=[row.pk]), {"way": way})
    client.post(reverse("admin:syncs_alignedcustomer_replay", args=[pair.pk]))
    for row, state in ((conflict, "applied"), (review, "open")):
        row.refresh_from_db()
        assert row.state == state
    pair.refresh_from_db()
    assert (pair.is_asked, pair.wanted) == (False, {})


@pytest.mark.parametrize("role", list(Role))
def test_only_those_who_may_change_mappings_decide(client, mine, role):
    pair = a_pair(mine)
    conflict = a_conflict(pair)
    client.force_login(a_user({mine: role}))
    answer = client.post(reverse("admin:syncs_customerconflict_answer", args=[conflict.pk]), {"way": "qad"})
    conflict.refresh_from_db()
    pair.refresh_from_db()
    if role in DECIDERS:
        assert (conflict.state, pair.wanted) == ("overridden", {"name": ["qad", "Acme!"]})
        assert AuditEntry.objects.filter(action="customer-decided", subject="customer:cust-1").count() == 1
        assert OrmQ.objects.count() == 2
    else:
        assert (answer.status_code, conflict.state, pair.wanted) == (403, "applied", {})


@pytest.mark.parametrize(
    ("kind", "way", "state"),
    [
        ("frozen", "go-on", "aligned"),
        ("recreated", "again", "aligned"),
        ("gone", "note", "gone"),
        ("frozen", "qad", "frozen"),
    ],
)
def test_each_answer_does_what_its_button_says(client, mine, kind, way, state):
    before = {"frozen": "frozen", "recreated": "deleted", "gone": "gone"}[kind]
    pair = a_pair(mine, state=before)
    conflict = a_conflict(pair, kind=kind, state="waiting", field="")
    client.force_login(a_user({mine: Role.FINANCE_USER}))
    client.post(reverse("admin:syncs_customerconflict_answer", args=[conflict.pk]), {"way": way})
    pair.refresh_from_db()
    assert pair.state == state


def test_between_values_that_were_erased_nobody_chooses(client, mine):
    pair = a_pair(mine)
    client.force_login(a_user({mine: Role.FINANCE_USER}))
    for erased_at, is_offered in ((None, True), (NOW, False)):
        conflict = a_conflict(pair, erased_at=erased_at)
        page = client.get(reverse("admin:syncs_customerconflict_change", args=[conflict.pk])).content.decode()
        assert ("Both get QAD" in page, "Leave it so" in page) == (is_offered, True)
        client.post(reverse("admin:syncs_customerconflict_answer", args=[conflict.pk]), {"way": "qad"})
        conflict.refresh_from_db()
        assert (conflict.state == "overridden") is is_offered


def test_a_merge_into_nobody_is_refused_with_a_sentence(client, mine):
    pair = a_pair(mine, state="deleted")
    conflict = a_conflict(pair, kind="deleted", state="waiting", field="")
    client.force_login(a_user({mine: Role.FINANCE_USER}))
    address = reverse("admin:syncs_customerconflict_answer", args=[conflict.pk])
    page = client.post(address, {"way": "merge", "into": "nobody"}, follow=True)
    assert "&#x27;nobody&#x27; is not a customer that is linked." in page.content.decode()


def test_two_that_are_one_are_linked_and_other_questions_are_over(client, mine):
    review = a_review(mine)
    QadCustomer.objects.create(tenant=mine, code="C1", name="Acme", seen_at=NOW)
    MirrorState.objects.create(tenant=mine, list_name="customers", refreshed_at=NOW, rows=1)
    other = MatchReview.objects.create(
        tenant=mine, chargebee_id="cust-1", qad_code="C2", found_from="chargebee", why="the name", since=NOW
    )
    client.force_login(a_user({mine: Role.FINANCE_USER}))
    client.post(reverse("admin:syncs_matchreview_answer", args=[review.pk]), {"way": "link"})
    assert CustomerMapping.objects.get().qad_code == "C1"
    other.refresh_from_db()
    assert other.state == "over"


@pytest.mark.parametrize("role", list(Role))
def test_only_the_integration_admin_changes_owners_and_only_to_who_may_own(client, mine, role):
    client.force_login(a_user({mine: role}))
    address = reverse("admin:syncs_alignedcustomer_owners")
    client.post(address, {"owner-name": "qad", "erases-name": "on", "owner-city": "chargebee"})
    rows = list(FieldRule.objects.values_list("field", "owner", "blank_erases"))
    assert rows == ([("name", "qad", True)] if role == Role.INTEGRATION_ADMIN else [])
    if role == Role.INTEGRATION_ADMIN:
        page = client.post(address, {"owner-tax_class": "chargebee", "owner-city": "qad"}, follow=True)
        assert "Tax class cannot be owned by" in page.content.decode()
        assert not FieldRule.objects.filter(field="city").exists()


@pytest.mark.parametrize("role", list(Role))
def test_replay_is_the_accountants_button(client, mine, role):
    pair = a_pair(mine)
    client.force_login(a_user({mine: role}))
    client.post(reverse("admin:syncs_alignedcustomer_replay", args=[pair.pk]))
    pair.refresh_from_db()
    assert pair.is_asked is (role == Role.ACCOUNTANT)


def test_the_overview_tells_what_waits_for_a_person_and_to_this_tenant_only(client, mine):
    a_conflict(a_pair(mine), state="waiting")
    a_review(mine)
    client.force_login(a_user({mine: Role.ACCOUNTANT}))
    page = client.get(reverse("admin:index")).content.decode()
    assert "1 customer field waits for a person" in page
    assert "1 pair of customers may be the same" in page
    client.force_login(a_user({a_tenant("theirs"): Role.ACCOUNTANT}))
    assert "may be the same" not in client.get(reverse("admin:index")).content.decode()


def test_the_overview_leads_to_what_waits_and_the_list_names_both_systems(client, mine):
    pair = a_pair(mine)
    a_conflict(pair, text="waits", state="waiting")
    a_conflict(pair, text="settled", field="city")
    a_review(mine)
    client.force_login(a_user({mine: Role.ACCOUNTANT}))
    overview = client.get(reverse("admin:index")).content.decode()
    assert f"{reverse('admin:syncs_matchreview_changelist')}?state__exact=open" in overview
    address = f"{reverse('admin:syncs_customerconflict_changelist')}?state__exact=waiting"
    assert address in overview
    page = client.get(address).content.decode()
    assert ("waits!" in page, "settled!" in page, "QAD had" in page) == (True, False, True)


def test_a_customers_timeline_is_told_in_words(client, mine):
    pair = a_pair(mine)
    written = {"after": {"side": "qad", "fields": ["name"]}, "personal_before": {"name": "Wrong"}}
    lines = [
        audit.Line("listed", "customer:cust-1", after={"version": 17, "total": None, "state": "new"}),
        audit.Line("customer-written", "customer:cust-1", **written, personal_after={"name": "Acme"}),
    ]
    audit.record(mine.pk, lines, actor="sync", now=NOW)
    client.force_login(a_user({mine: Role.AUDITOR}))
    page = client.get(reverse("admin:syncs_alignedcustomer_change", args=[pair.pk])).content.decode()
    for text in ("Written to QAD", "Company name: Wrong", "Company name: Acme", "State: new"):
        assert text in page, text
    assert "{&#x27;" not in page
    erasing.erase(mine.pk, "customer:cust-1", reason="Request 12", actor="ada", now=NOW)
    page = client.get(reverse("admin:syncs_alignedcustomer_change", args=[pair.pk])).content.decode()
    assert ("Company name: Wrong" in page, "Personal values were erased on" in page) == (False, True)

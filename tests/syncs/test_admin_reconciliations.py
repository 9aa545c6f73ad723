"""The page of a reconciliation: figures, what is open, the way to each document, and nothing of another tenant."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest
from django.urls import reverse
from django_q.models import OrmQ

from connector.ledger.compare import Statement, Variance
from syncs.models import Reconciliation
from tenants.models import Role
from tests.builders import a_tenant, a_user
from tests.syncs.rows import HOSTILE, NOW, a_document

pytestmark = pytest.mark.django_db
LIST = "/admin/syncs/reconciliation/"


@pytest.fixture
def tenant():
    return a_tenant("acme")


def a_reconciliation(tenant, text="It differs.", *, is_balanced=False, **fields) -> Reconciliation:
    document = a_document(tenant, fields.pop("source_id", "INV-7"))
    statement = Statement()
    amount = Decimal("12.50")
    expected = {"chargebee": amount, "ours": amount, "qad": amount - 1}
    statement.expect("invoice", "EUR", **expected)
    for is_explained in (True, False):
        variance = Variance(
            "held" if is_explained else "differs", "invoice", "EUR", text, text, is_explained=is_explained,
            source_id=document.source_id, document=document.pk, reference=text[:40], **expected,
        )  # fmt: skip
        statement.tell(variance)
    given = {"sentence": text, "actor": text[:100], "period": "2026-11", **fields}
    return Reconciliation.objects.create(
        tenant=tenant,
        is_balanced=is_balanced,
        figures=statement.rows(),
        variances=[one.as_dict() for one in statement.variances],
        counts={**statement.counts, "held": 9},
        read_until=NOW,
        started_at=NOW,
        finished_at=NOW,
        **given,
    )


def page_of(client, row):
    return client.get(reverse("admin:syncs_reconciliation_change", args=[row.pk]))


@pytest.mark.parametrize("role", list(Role))
def test_every_role_sees_the_figures_and_the_way_to_each_document(client, tenant, role):
    row = a_reconciliation(tenant)
    client.force_login(a_user({tenant: role}))

    text = page_of(client, row).content.decode()

    assert client.get(LIST).status_code == 200
    assert "12.50" in text
    assert "Not explained" in text
    assert "Differs in QAD" in text
    assert reverse("admin:syncs_sourcedocument_change", args=[row.variances[0]["document"]]) in text
    assert "8 more differences are counted, but not listed here." in text


def test_only_a_balanced_one_is_green(client, tenant):
    client.force_login(a_user({tenant: Role.AUDITOR}))

    assert "verdict-bad" in page_of(client, a_reconciliation(tenant)).content.decode()
    balanced = a_reconciliation(tenant, is_balanced=True, source_id="INV-8")
    assert "verdict-good" in page_of(client, balanced).content.decode()


def test_hostile_text_does_nothing_and_no_page_has_an_inline_style_or_script(client, tenant):
    row = a_reconciliation(tenant, HOSTILE)
    client.force_login(a_user({tenant: [Role.ACCOUNTANT, Role.INTEGRATION_ADMIN]}))
    inline = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>|<style|<[^>]+\s(?:style|on[a-z]+)=\"", re.IGNORECASE)
    for answer in (page_of(client, row), client.get(LIST)):
        text = answer.content.decode()
        assert "&lt;script&gt;alert" in text
        assert "<script>alert" not in text
        assert not inline.findall(text)


def test_nothing_of_another_tenant_is_shown(client, tenant):
    theirs = a_reconciliation(a_tenant("theirs"), "foreign-text")
    client.force_login(a_user({tenant: list(Role)}))

    assert "foreign-text" not in client.get(LIST).content.decode()
    answer = client.get(reverse("admin:syncs_reconciliation_change", args=[theirs.pk]), follow=True)
    assert "foreign-text" not in answer.content.decode()
    assert answer.redirect_chain


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.ACCOUNTANT, 302), (Role.INTEGRATION_ADMIN, 302), (Role.FINANCE_USER, 403), (Role.AUDITOR, 403)],
)
def test_only_who_may_run_may_ask_for_one(client, tenant, role, status):
    client.force_login(a_user({tenant: role}))

    answer = client.post(reverse("admin:syncs_reconciliation_compare"), {"period": "2026-11"})

    assert answer.status_code == status
    assert OrmQ.objects.count() == (status == 302)
    assert ("compare/" in client.get(LIST).content.decode()) == (status == 302)


@pytest.mark.parametrize("period", ["", "November", "2026-13"])
def test_what_is_no_period_is_not_asked_for(client, tenant, period):
    client.force_login(a_user({tenant: Role.ACCOUNTANT}))

    answer = client.post(reverse("admin:syncs_reconciliation_compare"), {"period": period}, follow=True)

    assert "is not a period" in answer.content.decode()
    assert OrmQ.objects.count() == 0
    assert client.get(reverse("admin:syncs_reconciliation_compare")).status_code == 405


def test_rows_are_stored_as_plain_json(tenant):
    row = a_reconciliation(tenant)
    assert json.loads(json.dumps(row.figures))[0]["residual"] == "1.00"

"""The journal preview shows to the cent what a sync then posts, of every kind, and changes nothing by looking."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse
from django.utils import timezone

from syncs import approving_dates
from syncs.books import trial_balance
from syncs.desk import open_desk
from syncs.models import Edge, Posting, SourceDocument
from syncs.previewing import of_documents, totals, upcoming
from tenants.models import AuditEntry, Role
from tests.builders import a_user
from tests.flows.scene import a_scene
from tests.flows.test_closed_periods import LAST_MONTH, an_old_invoice, close, reopen

pytestmark = pytest.mark.django_db(transaction=True)


def everything():
    """Each row that a preview could have touched."""
    return [list(model.objects.order_by("pk").values_list()) for model in (SourceDocument, Posting, Edge)] + [
        AuditEntry.objects.count()
    ]


def said(*arguments) -> str:
    out = StringIO()
    call_command("preview", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.slow
def test_what_it_adds_up_is_what_a_sync_posts_and_looking_changes_nothing():
    with a_scene(customers=4, cycle=True) as scene:
        scene.sync()
        scene.tenant.__class__.objects.update(is_posting_on=False)
        who = scene.customer()
        for total in (100_00, 33_33):
            scene.invoice(who, total=total)
        scene.sync()
        before, kept = trial_balance(scene.tenant), everything()

        expected = totals(upcoming(open_desk(scene.tenant.pk), timezone.now()))

        assert everything() == kept
        scene.tenant.__class__.objects.update(is_posting_on=True)
        scene.sync()
        grown = defaultdict(Decimal)
        for key, (debit, credit) in trial_balance(scene.tenant).items():
            grown[key] += debit - credit
        for key, (debit, credit) in before.items():
            grown[key] -= debit - credit
        made = {key: debit - credit for key, (debit, credit) in expected.items()}
        assert made == {key: amount for key, amount in grown.items() if amount}
        assert sum(debit - credit for debit, credit in expected.values()) == 0


def test_a_document_is_shown_with_its_date_its_rate_and_the_mappings_used():
    with a_scene(policies={"closed_periods": "next_open_period", "exchange_rate": "document"}) as scene:
        source_id = scene.invoice(currency="EUR", total=100_00, exchange_rate=1.25)
        scene.prepare()

        (one,) = of_documents(open_desk(scene.tenant.pk), [scene.source(source_id)], timezone.now())

        assert (one.fx["rate"], one.document.customer) == ("1.25", scene.posting().customer_code)
        assert one.mappings == [line.coding.source for line in one.lines if line.coding]
        assert sum(line.amount.amount for line in one.base) == 0
        assert one.period == f"{one.document.posting_date:%Y/%m}"
        text = said(scene.tenant.slug, "--id", source_id)
        assert "One unit" in text or "1 EUR is 1.25 USD" in text
        assert "Nothing was saved or sent." in text


@pytest.mark.slow
def test_it_shows_why_a_document_has_no_journal_and_refuses_what_it_does_not_know():
    with a_scene(mapped=False) as scene:
        source_id = scene.invoice()
        scene.sync()
        SourceDocument.objects.update(state="new")
        assert "has no GL account" in said(scene.tenant.slug)
        assert "0 postings; 1 documents without one" in said(scene.tenant.slug, "--kind", "invoice")
        with pytest.raises(CommandError, match="No document 'NOPE' has been read"):
            said(scene.tenant.slug, "--id", "NOPE")
        assert "has no GL account" in said(scene.tenant.slug, "--id", source_id)


def test_the_page_shows_it_and_the_documents_own_page_shows_every_kind(client):
    with a_scene() as scene:
        source_id = scene.invoice(total=100_00)
        payment = scene.world.chargebee.pay({source_id: 100_00})["id"]
        scene.prepare()
        client.force_login(a_user({scene.tenant: Role.AUDITOR}))

        text = client.get(reverse("admin:syncs_preview")).content.decode()

        assert "2 postings; 0 documents without one." in text
        assert "100.00" in text
        row = scene.source(payment, "transaction")
        SourceDocument.objects.filter(pk=row.pk).update(state="new")
        own = client.get(reverse("admin:syncs_sourcedocument_change", args=[row.pk])).content.decode()
        assert "With today&#x27;s mappings it would become this" in own
        assert "By the books&#x27; clock" in own


@pytest.mark.slow
def test_an_approved_date_is_sent_once_the_period_is_open_for_it():
    with a_scene(policies={"closed_periods": "original_after_approval"}) as scene:
        source_id = an_old_invoice(scene)
        close(scene)
        scene.sync()
        row = scene.source(source_id)

        assert approving_dates.approve(scene.tenant, row, "Agreed.", now=timezone.now(), actor="ada") == ""

        assert AuditEntry.objects.get(action="date-approved").reason == "Agreed."
        assert (scene.posting().state, scene.posting().posting_date) == ("ready", LAST_MONTH)
        assert "An accountant approved" in scene.posting().evidence["date"]["reason"]
        reopen(scene)
        scene.sync()
        assert scene.posting().state == "posted"
        again = approving_dates.approve(
            scene.tenant, scene.source(source_id), "Again.", now=timezone.now(), actor="ada"
        )
        assert "does not wait for the approval of a date" in again

"""Every change of a mapping is listed and can be undone."""

import datetime as dt

import pytest
from django.urls import reverse

from connector.errors import Problem
from mappings import history
from mappings.history_admin import MappingChangeAdmin
from mappings.models import CustomerMapping, ItemMapping, MappingChange
from mappings.saving import delete_rows, save_rows
from tenants.models import AuditEntry
from tests.builders import a_tenant, a_user
from tests.mappings.build import NOW, a_chart, a_link, customer, item, qad_customers, role

pytestmark = pytest.mark.django_db
LIST = "admin:mappings_mappingchange_changelist"


@pytest.fixture
def mine():
    tenant = a_tenant("mine")
    a_chart(tenant, "4000", "4100", "4800")
    qad_customers(tenant, "C0000001", "C0000002")
    return tenant


def save(tenant, *changes):
    return save_rows(tenant.pk, changes, actor="mira", now=NOW)


def last(tenant):
    return history.entries(AuditEntry.objects.filter(tenant=tenant)).order_by("-id").first()


def undo(entry):
    return history.undo(entry, actor="noor", now=NOW + dt.timedelta(hours=1))


def rows():
    return list(ItemMapping.objects.values_list("key", "gl_account", "cost_centre"))


def test_an_added_row_is_taken_away(mine):
    save(mine, item())
    assert undo(last(mine)).deleted == 1
    assert rows() == []


def test_a_changed_row_gets_its_old_codes_back_under_a_new_version(mine):
    save(mine, item())
    save(mine, item(account="4100"))
    undo(last(mine))
    assert rows() == [("pro-EUR", "4000", "")]
    assert ItemMapping.objects.get().version == 3


def test_columns_that_were_changed_later_stay(mine):
    save(mine, item())
    save(mine, item(account="4100"))
    entry = last(mine)
    save(mine, item(account="4100", cost_centre="SALES"))
    undo(entry)
    assert rows() == [("pro-EUR", "4000", "SALES")]


def test_a_deleted_row_comes_back(mine):
    save(mine, item(cost_centre="SALES"))
    delete_rows(mine.pk, [ItemMapping.objects.get()], actor="mira", now=NOW)
    undo(last(mine))
    assert rows() == [("pro-EUR", "4000", "SALES")]


def test_a_deleted_row_does_not_come_back_over_a_newer_one(mine):
    save(mine, item())
    delete_rows(mine.pk, [ItemMapping.objects.get()], actor="mira", now=NOW)
    entry = last(mine)
    save(mine, item(account="4100"))
    assert "a row of the same key was added since" in str(undo(entry))
    assert rows() == [("pro-EUR", "4100", "")]


def test_a_customer_comes_back_without_the_note_that_may_be_personal(mine):
    delete_rows(mine.pk, [a_link(mine, note="Ask Jo Doe")], actor="mira", now=NOW)
    undo(last(mine))
    row = CustomerMapping.objects.get()
    assert (row.chargebee_id, row.qad_code, row.kind, row.note) == ("cust-1", "C0000001", "direct", "")


def test_undoing_names_what_it_undoes(mine):
    save(mine, role())
    entry = last(mine)
    undo(entry)
    line = AuditEntry.objects.get(action="mapping.reverted")
    assert (line.actor, line.subject) == ("noor", entry.subject)
    assert line.reason == f"Undoes audit entry {entry.pk}: Account role 'discount' from 2026-01-01"


def test_an_undoing_that_the_rules_refuse_changes_nothing(mine):
    save(mine, item())
    save(mine, item(account="4100"))
    entry = last(mine)
    mine.qad_accounts.filter(code="4000").update(is_active=False)
    problem = undo(entry)
    assert isinstance(problem, Problem)
    assert problem.code == "account-inactive"
    assert rows() == [("pro-EUR", "4100", "")]
    assert not AuditEntry.objects.filter(action="mapping.reverted").exists()


def test_a_change_of_a_row_that_is_gone_cannot_be_undone(mine):
    save(mine, item())
    added = last(mine)
    save(mine, item(account="4100"))
    changed = last(mine)
    delete_rows(mine.pk, [ItemMapping.objects.get()], actor="mira", now=NOW)
    assert "undo the deletion first" in undo(changed).message
    assert "gone already" in undo(added).message


def test_a_taken_customer_is_a_sentence(mine):
    save(mine, customer())
    delete_rows(mine.pk, [CustomerMapping.objects.get()], actor="mira", now=NOW)
    entry = last(mine)
    save(mine, customer("cust-2"))
    assert undo(entry).code == "customer-taken"


@pytest.fixture
def screen(client, mine):
    client.force_login(a_user({mine: "finance_user"}))
    return client


def test_the_page_lists_every_change_and_undoes_one(screen, mine, monkeypatch):
    save(mine, item())
    save(mine, item(account="4100"))
    told = []
    monkeypatch.setattr(MappingChangeAdmin, "after_save", lambda request, tenant, saved: told.append(saved.keys))
    listed = screen.get(reverse(LIST)).content.decode()
    assert "gl_account 4000 → 4100" in listed
    address = reverse("admin:mappings_mappingchange_change", args=[last(mine).pk])
    assert "gl_account 4100 → 4000" in screen.get(address).content.decode()
    screen.post(address)
    assert rows() == [("pro-EUR", "4000", "")]
    assert told == [frozenset({("items", "item_price", "pro-EUR")})]


def test_the_list_filters_by_kind_and_shows_nothing_but_mappings(screen, mine):
    save(mine, item())
    save(mine, role())
    AuditEntry.objects.create(tenant=mine, at=NOW, actor="x", action="sending", subject="posting:CB-INV-1")
    assert screen.get(reverse(LIST)).context["cl"].result_count == 2
    assert screen.get(reverse(LIST) + "?of=accountrole").context["cl"].result_count == 1


@pytest.mark.parametrize("name", ["accountant", "auditor"])
def test_who_only_reads_cannot_undo(client, mine, name):
    save(mine, item())
    client.force_login(a_user({mine: name}))
    address = reverse("admin:mappings_mappingchange_change", args=[last(mine).pk])
    assert "Undo this change" not in client.get(address).content.decode()
    assert client.post(address).status_code == 403
    assert len(rows()) == 1


def test_another_tenant_s_changes_are_not_there(client, mine):
    save(mine, item())
    client.force_login(a_user({a_tenant("theirs"): "integration_admin"}))
    assert client.get(reverse(LIST)).context["cl"].result_count == 0
    address = reverse("admin:mappings_mappingchange_change", args=[last(mine).pk])
    assert client.post(address).status_code == 302
    assert len(rows()) == 1


def test_a_line_of_a_document_has_no_page_here(screen, mine):
    other = AuditEntry.objects.create(tenant=mine, at=NOW, actor="x", action="sending", subject="posting:CB-INV-1")
    assert screen.get(reverse("admin:mappings_mappingchange_change", args=[other.pk])).status_code == 302
    assert MappingChange.objects.filter(pk=other.pk).exists()


def test_a_column_that_was_changed_again_is_not_taken_away_without_being_asked(mine):
    a_chart(mine, "4200")
    save(mine, item())
    save(mine, item(account="4100"))
    entry = last(mine)
    save(mine, item(account="4000", cost_centre="SALES"))
    save(mine, item(account="4200", cost_centre="SALES"))

    refused = undo(entry)

    assert refused.code == "changed-later"
    assert "gl_account 4100 is 4200 now." in refused.message
    assert rows() == [("pro-EUR", "4200", "SALES")]
    history.undo(entry, actor="noor", now=NOW, taking=history.undo_of(entry).mark)
    assert rows() == [("pro-EUR", "4000", "SALES")]


def test_a_row_that_was_changed_since_it_was_added_is_not_taken_away_without_being_asked(mine):
    save(mine, item())
    entry = last(mine)
    save(mine, item(account="4100"))
    assert undo(entry).code == "changed-later"
    assert rows() == [("pro-EUR", "4100", "")]
    history.undo(entry, actor="noor", now=NOW, taking=history.undo_of(entry).mark)
    assert rows() == []


def test_the_page_asks_again_when_the_column_changed_once_more_after_it_was_shown(screen, mine):
    a_chart(mine, "4200")
    save(mine, item())
    save(mine, item(account="4100"))
    address = reverse("admin:mappings_mappingchange_change", args=[last(mine).pk])
    assert "changed again later" not in screen.get(address).content.decode()
    save(mine, item(account="4200"))

    asked = screen.post(address, follow=True)
    assert "which undoing would take away: gl_account 4100 is 4200 now." in asked.content.decode()
    assert "Undo it and the later change" in asked.content.decode()
    taking = asked.context["wanted"].mark
    save(mine, item(account="4000"))
    save(mine, item(account="4100", cost_centre="SALES"))
    save(mine, item(account="4200", cost_centre="SALES"))
    screen.post(address, {"taking": taking})
    assert rows() == [("pro-EUR", "4200", "SALES")]  # the row is another one than the page showed

    screen.post(address, {"taking": screen.get(address).context["wanted"].mark})
    assert rows() == [("pro-EUR", "4000", "SALES")]

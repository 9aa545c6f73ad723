"""Every change of a mapping, through the one service."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError

from mappings.models import AccountRole, CustomerMapping, ItemMapping, QadAccount, TaxMapping
from mappings.saving import Saved, delete_rows, save_correct_rows, save_rows
from mappings.table import load
from tenants.models import AuditEntry
from tests.builders import a_tenant
from tests.mappings.build import NOW, SINCE, a_chart, a_link, an_item, customer, item, qad_customers, role, tax

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant():
    tenant = a_tenant()
    a_chart(tenant, "4000", "4100", "2230", "4800")
    qad_customers(tenant, "C0000001", "C0000002")
    return tenant


def save(tenant, *changes):
    return save_rows(tenant.pk, changes, actor="ada", now=NOW)


def problems(saved):
    return [refusal.problem.code for refusal in saved.refusals]


def test_it_creates_rows_of_every_kind(tenant):
    saved = save(tenant, item(), tax(rate="19"), role(), customer())
    assert saved == Saved(
        created=4,
        keys=frozenset(
            {
                ("items", "item_price", "pro-EUR"),
                ("taxes", "", "VAT", "19"),
                ("account_roles", "discount"),
                ("customers", "cust-1"),
            }
        ),
    )
    table = load(tenant.pk)
    assert table.item(item_price="pro-EUR", on=SINCE).gl_account == "4000"
    assert table.tax("DE", "VAT", Decimal("19.0"), SINCE).gl_account == "2230"
    assert table.role("discount", SINCE).gl_account == "4800"
    assert table.customer("cust-1").qad_code == "C0000001"


def test_it_counts_an_edit_as_a_new_version_and_audits_what_differs(tenant):
    row = an_item(tenant)
    saved = save(tenant, item(account="4100"))
    row.refresh_from_db()
    assert (saved.created, saved.changed, saved.unchanged) == (0, 1, 0)
    assert (row.gl_account, row.version) == ("4100", 2)
    assert load(tenant.pk).item(item_price="pro-EUR", on=SINCE).source == f"item:{row.pk}@2"
    line = AuditEntry.objects.get()
    assert (line.action, line.subject, line.actor) == ("itemmapping.changed", f"itemmapping:{row.pk}", "ada")
    assert (line.before, line.after) == ({"gl_account": "4000"}, {"gl_account": "4100"})


def test_it_leaves_unchanged_rows_alone(tenant):
    row = an_item(tenant)
    saved = save(tenant, item())
    row.refresh_from_db()
    assert (saved.unchanged, saved.keys, row.version, AuditEntry.objects.count()) == (1, frozenset(), 1, 0)
    assert not saved


def test_an_unchanged_row_is_not_held_against_an_account_that_went_inactive(tenant):
    an_item(tenant)
    QadAccount.objects.filter(code="4000").update(is_active=False)
    assert save(tenant, item(), item("new", "4100")).created == 1


def test_it_saves_nothing_if_one_row_is_wrong(tenant):
    saved = save(tenant, item("good"), item("bad", "9999"))
    assert problems(saved) == ["account-unknown"]
    assert ItemMapping.objects.count() == AuditEntry.objects.count() == 0


def test_it_saves_the_correct_rows_when_asked_to(tenant):
    saved = save_correct_rows(tenant.pk, [item("good"), item("bad", "9999")], actor="ada", now=NOW)
    assert (saved.created, problems(saved)) == (1, ["account-unknown"])
    assert ItemMapping.objects.get().key == "good"


def test_leaving_a_row_out_puts_no_other_row_in_its_place(tenant):
    a_link(tenant, "cust-1", "C0000001")
    moves = [customer("cust-1", "C9999999"), customer("cust-2", "C0000001")]
    saved = save_correct_rows(tenant.pk, moves, actor="ada", now=NOW)
    assert problems(saved) == ["customer-unknown", "customer-taken"]
    assert list(CustomerMapping.objects.values_list("chargebee_id", "qad_code")) == [("cust-1", "C0000001")]


def test_a_new_date_is_a_new_row_and_leaves_the_old_one(tenant):
    an_item(tenant)
    later = dt.date(2026, 12, 1)
    assert save(tenant, item(account="4100", valid_from=later)).created == 1
    table = load(tenant.pk)
    assert [table.item(item_price="pro-EUR", on=on).gl_account for on in (SINCE, later)] == ["4000", "4100"]


def test_an_edit_by_primary_key_may_change_the_key_and_reports_both(tenant):
    row = an_item(tenant)
    saved = save(tenant, item("pro-USD", pk=row.pk))
    assert saved.keys == {("items", "item_price", "pro-EUR"), ("items", "item_price", "pro-USD")}


def test_an_edit_may_not_take_the_key_of_another_row(tenant):
    row = an_item(tenant, "pro-EUR")
    an_item(tenant, "pro-USD")
    assert problems(save(tenant, item("pro-USD", pk=row.pk))) == ["row-exists"]


def test_an_edit_of_a_row_that_is_gone_is_refused(tenant):
    assert problems(save(tenant, item(pk=12345))) == ["row-gone"]


def test_two_rows_of_one_key_are_both_refused(tenant):
    assert problems(save(tenant, item(), item(account="4100"))) == ["row-twice", "row-twice"]


def test_a_qad_customer_belongs_to_one_chargebee_customer(tenant):
    a_link(tenant, "cust-1", "C0000001")
    assert problems(save(tenant, customer("cust-2", "C0000001"))) == ["customer-taken"]
    assert (
        save(tenant, customer("cust-2", "C0000001", "alias"), customer("cust-3", "C0000001", "collective")).created == 2
    )


def test_two_customers_may_swap_their_codes(tenant):
    a_link(tenant, "cust-1", "C0000001")
    a_link(tenant, "cust-2", "C0000002")
    assert save(tenant, customer("cust-1", "C0000002"), customer("cust-2", "C0000001")).changed == 2
    assert load(tenant.pk).customer("cust-1").qad_code == "C0000002"


def test_a_note_can_be_erased_from_the_audit(tenant):
    save(tenant, customer(note="ask Ben"))
    line = AuditEntry.objects.get()
    assert line.personal.after == {"note": "ask Ben"}
    assert "ask Ben" not in str(line.after)


def test_it_deletes_rows_and_says_which_keys_went(tenant):
    row = an_item(tenant)
    saved = delete_rows(tenant.pk, [row], actor="ada", now=NOW)
    assert (saved.deleted, saved.keys) == (1, {("items", "item_price", "pro-EUR")})
    assert not ItemMapping.objects.exists()
    assert AuditEntry.objects.get().action == "itemmapping.deleted"


def test_rows_of_another_tenant_are_out_of_reach(tenant):
    other = a_tenant("other")
    row = an_item(other)
    assert problems(save(tenant, item(pk=row.pk))) == ["row-gone"]
    assert delete_rows(tenant.pk, [row], actor="ada", now=NOW).deleted == 0
    assert save(tenant, item()).created == 1
    assert load(other.pk).item(item_price="pro-EUR", on=SINCE).source == f"item:{row.pk}@1"


def test_another_tenants_accounts_do_not_count(tenant):
    other = a_tenant("other")
    a_chart(other, "7777")
    assert problems(save(tenant, item(account="7777"))) == ["account-unknown"]


@pytest.mark.slow
def test_it_saves_thousands_of_rows_with_few_queries(tenant, django_assert_max_num_queries):
    changes = [item(f"price-{n}") for n in range(2000)]
    with django_assert_max_num_queries(60):
        assert save(tenant, *changes).created == 2000
    with django_assert_max_num_queries(60):
        assert save(tenant, *(item(f"price-{n}", "4100") for n in range(2000))).changed == 2000


def test_a_form_sized_save_reads_only_its_own_rows(tenant, django_assert_max_num_queries):
    with django_assert_max_num_queries(10):
        save(tenant, customer())


@pytest.mark.parametrize(
    "row",
    [
        lambda tenant: ItemMapping(tenant=tenant, level="item", key="", gl_account="1", valid_from=SINCE),
        lambda tenant: ItemMapping(tenant=tenant, level="fallback", key="x", gl_account="1", valid_from=SINCE),
        lambda tenant: ItemMapping(tenant=tenant, level="supplier", key="x", gl_account="1", valid_from=SINCE),
        lambda tenant: ItemMapping(tenant=tenant, level="item", key="x", gl_account="", valid_from=SINCE),
        lambda tenant: ItemMapping(tenant=tenant, level="item", key="x", gl_account="1", valid_from=SINCE, version=0),
        lambda tenant: TaxMapping(tenant=tenant, name="VAT", valid_from=SINCE),
        lambda tenant: TaxMapping(tenant=tenant, rate="19", gl_account="1", valid_from=SINCE),
        lambda tenant: AccountRole(tenant=tenant, role="payable", gl_account="1", valid_from=SINCE),
        lambda tenant: CustomerMapping(tenant=tenant, chargebee_id="c", qad_code=""),
        lambda tenant: CustomerMapping(tenant=tenant, chargebee_id="c", qad_code="C", kind="other"),
    ],
)
def test_the_database_refuses_what_makes_no_sense(tenant, row):
    with pytest.raises(IntegrityError):
        row(tenant).save()


def test_the_database_holds_one_row_for_a_key_and_date(tenant):
    an_item(tenant)
    with pytest.raises(IntegrityError):
        an_item(tenant)


def test_the_database_holds_one_direct_row_for_a_qad_customer(tenant):
    a_link(tenant, "cust-1", "C1")
    a_link(tenant, "cust-2", "C1", kind="alias")
    with pytest.raises(IntegrityError):
        a_link(tenant, "cust-3", "C1")

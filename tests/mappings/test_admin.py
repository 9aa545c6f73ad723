"""The screens: forms, uploads, downloads, mirrors, and the doors that another tenant's user tries."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from mappings.admin import MappingAdmin
from mappings.models import CatalogPrice, CustomerMapping, ItemMapping, MirrorState, QadAccount
from tenants.models import AuditEntry
from tests.builders import a_tenant, a_user
from tests.mappings.build import NOW, SINCE, a_chart, a_link, an_item, qad_customers
from tests.mappings.files import ITEM_HEADINGS, a_workbook, cells_of, items_workbook

pytestmark = pytest.mark.django_db
SCREENS = ("customermapping", "itemmapping", "taxmapping", "accountrole", "qadaccount", "qadcustomer")
GOOD = {"level": "item_price", "key": "pro-EUR", "valid_from": "2026-01-01", "gl_account": "4000"}


def url(name, *args):
    return reverse(f"admin:mappings_{name}", args=args)


@pytest.fixture
def mine():
    tenant = a_tenant("mine")
    a_chart(tenant, "4000", "4100")
    a_chart(tenant, "4990", is_active=False)
    qad_customers(tenant, "C0000001", "C0000002")
    return tenant


@pytest.fixture
def theirs():
    tenant = a_tenant("theirs")
    a_chart(tenant, "7777", description="Their secret account")
    qad_customers(tenant, "X0000001", name="Their secret customer")
    return tenant


@pytest.fixture
def admin_of_mine(client, mine):
    client.force_login(a_user({mine: "integration_admin"}))
    return client


@pytest.fixture
def as_role(client, mine):
    def log_in(role):
        client.force_login(a_user({mine: role}))
        return client

    return log_in


def words(reply):
    return [str(message) for message in reply.context["messages"]]


def upload(client, content, name="m.xlsx", screen="itemmapping"):
    return client.post(url(f"{screen}_import"), {"import_file": SimpleUploadedFile(name, content), "resource": "0"})


def confirmation(reply, form="confirm_form"):
    made = reply.context[form]
    return {name: str(made.get_initial_for_field(field, name) or "") for name, field in made.fields.items()}


def confirm(client, reply, form="confirm_form", screen="itemmapping", **changes):
    return client.post(url(f"{screen}_process_import"), {**confirmation(reply, form), **changes}, follow=True)


# Forms


@pytest.mark.slow
def test_a_form_saves_through_the_service(admin_of_mine, mine):
    reply = admin_of_mine.post(url("itemmapping_add"), GOOD, follow=True)
    assert reply.status_code == 200
    row = ItemMapping.objects.get()
    assert (row.tenant, row.key, row.gl_account, row.version) == (mine, "pro-EUR", "4000", 1)
    assert AuditEntry.objects.filter(action="itemmapping.added", subject=f"itemmapping:{row.pk}").count() == 1
    admin_of_mine.post(url("itemmapping_change", row.pk), {**GOOD, "gl_account": "4100"})
    row.refresh_from_db()
    assert (row.gl_account, row.version) == ("4100", 2)


def test_an_unchanged_form_makes_no_new_version(admin_of_mine, mine):
    row = an_item(mine)
    admin_of_mine.post(url("itemmapping_change", row.pk), GOOD)
    row.refresh_from_db()
    assert row.version == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"gl_account": "4990"}, "GL account 4990 is inactive in QAD."),
        ({"gl_account": "9999"}, "QAD does not have GL account 9999."),
        ({"gl_account": "7777"}, "QAD does not have GL account 7777."),
        ({"key": ""}, "The key is empty. Write the Chargebee ID of the item price."),
        ({"key": "vendor_bill"}, "never touches procurement or accounts-payable data."),
        ({"level": "fallback"}, "The fallback has the key"),
        ({"valid_from": "soon"}, "Enter a valid date."),
        ({"cost_centre": "A B"}, "has a blank in it. Codes have none."),
        ({"level": "supplier"}, "supplier is not one of the available choices."),
    ],
)
def test_a_form_answers_a_wrong_row_with_a_sentence(admin_of_mine, theirs, changes, expected):
    reply = admin_of_mine.post(url("itemmapping_add"), {**GOOD, **changes})
    errors = [error for found in reply.context["adminform"].form.errors.values() for error in found]
    assert any(expected in error for error in errors), errors
    assert not ItemMapping.objects.exists()


def test_a_form_does_not_overwrite_a_row_of_the_same_key(admin_of_mine, mine):
    an_item(mine)
    reply = admin_of_mine.post(url("itemmapping_add"), {**GOOD, "gl_account": "4100"})
    assert "exists already. Change that row instead." in str(reply.context["adminform"].form.errors)
    assert ItemMapping.objects.get().gl_account == "4000"


def the_form(client, row, screen="itemmapping"):
    """What a browser sends back of a row's form."""
    form = client.get(url(f"{screen}_change", row.pk)).context["adminform"].form
    return {name: form.get_initial_for_field(field, name) or "" for name, field in form.fields.items()}


@pytest.mark.slow
def test_a_form_does_not_put_back_what_somebody_changed_meanwhile(admin_of_mine, mine):
    row = an_item(mine)
    early = the_form(admin_of_mine, row)
    admin_of_mine.post(url("itemmapping_change", row.pk), {**the_form(admin_of_mine, row), "gl_account": "4100"})
    reply = admin_of_mine.post(url("itemmapping_change", row.pk), {**early, "tax_code": "S"})
    assert "was changed by somebody else after it was shown" in str(reply.context["adminform"].form.errors)
    assert ItemMapping.objects.values_list("gl_account", "tax_code").get() == ("4100", "")
    admin_of_mine.post(url("itemmapping_change", row.pk), {**the_form(admin_of_mine, row), "tax_code": "S"})
    assert ItemMapping.objects.values_list("gl_account", "tax_code").get() == ("4100", "S")


@pytest.mark.parametrize("screen", ["itemmapping", "customermapping"])
def test_a_reader_sees_a_row_without_a_form(as_role, mine, screen):
    row = an_item(mine) if screen == "itemmapping" else a_link(mine)
    reply = as_role("auditor").get(url(f"{screen}_change", row.pk))
    assert reply.status_code == 200
    assert "field-seen" not in reply.content.decode()


def test_a_customer_s_form_does_not_either(admin_of_mine, mine):
    row = a_link(mine)
    early = the_form(admin_of_mine, row, "customermapping")
    CustomerMapping.objects.update(qad_code="C0000002")
    admin_of_mine.post(url("customermapping_change", row.pk), {**early, "note": "seen"})
    assert CustomerMapping.objects.values_list("qad_code", "note").get() == ("C0000002", "")


def test_accounts_are_offered_with_their_names(admin_of_mine, theirs):
    page = admin_of_mine.get(url("itemmapping_add")).content.decode()
    assert "4000 — Account 4000" in page
    assert "4990" not in page
    assert "Their secret account" not in page


def test_the_account_of_a_row_stays_offered_when_it_went_inactive(admin_of_mine, mine):
    row = an_item(mine, account="4990")
    assert "4990 — not active in QAD" in admin_of_mine.get(url("itemmapping_change", row.pk)).content.decode()


def test_without_a_list_of_accounts_the_form_asks_for_it(client):
    tenant = a_tenant()
    client.force_login(a_user({tenant: "finance_user"}))
    reply = client.post(url("itemmapping_add"), GOOD)
    assert "Refresh the list of GL accounts first." in str(reply.context["adminform"].form.errors)


def test_customers_and_catalogue_are_offered_while_typing(admin_of_mine, mine, theirs):
    CatalogPrice.objects.create(tenant=mine, item_price="pro-EUR", item="pro", family="cloud", name="Pro in EUR")
    CatalogPrice.objects.create(tenant=theirs, item_price="secret-EUR", item="secret")
    assert admin_of_mine.get(url("customermapping_lookup"), {"q": "C00000"}).json()["offers"] == [
        ["C0000001", "Customer C0000001"],
        ["C0000002", "Customer C0000002"],
    ]
    assert admin_of_mine.get(url("customermapping_lookup"), {"q": "X0"}).json()["offers"] == []
    offers = dict(admin_of_mine.get(url("itemmapping_lookup"), {"q": "pro"}).json()["offers"])
    assert offers == {"pro-EUR": "Item price Pro in EUR", "pro": "Item", "cloud": "Item family"}
    assert "secret" not in str(admin_of_mine.get(url("itemmapping_lookup"), {"q": ""}).json())


def test_deleting_is_audited_and_tells_what_waits(admin_of_mine, mine, monkeypatch):
    told = []
    monkeypatch.setattr(MappingAdmin, "after_save", lambda request, tenant, saved: told.append((tenant, saved.keys)))
    row = an_item(mine)
    admin_of_mine.post(url("itemmapping_delete", row.pk), {"post": "yes"})
    assert not ItemMapping.objects.exists()
    assert AuditEntry.objects.get().action == "itemmapping.deleted"
    assert told == [(mine, {("items", "item_price", "pro-EUR")})]


def test_selected_rows_are_deleted_through_the_service(admin_of_mine, mine, theirs):
    own, other = an_item(mine), an_item(theirs, account="7777")
    admin_of_mine.post(
        url("itemmapping_changelist"),
        {"action": "delete_selected", "_selected_action": [own.pk, other.pk], "post": "yes"},
    )
    assert list(ItemMapping.objects.all()) == [other]
    assert AuditEntry.objects.get().tenant == mine


def test_whoever_waits_for_mappings_is_told(admin_of_mine, mine, monkeypatch):
    told = []
    monkeypatch.setattr(MappingAdmin, "after_save", lambda request, tenant, saved: told.append((tenant, saved.keys)))
    admin_of_mine.post(url("itemmapping_add"), GOOD)
    row = ItemMapping.objects.get()
    admin_of_mine.post(url("itemmapping_change", row.pk), GOOD)  # nothing changed: nobody is told
    assert told == [(mine, {("items", "item_price", "pro-EUR")})]


# Lists


def test_lists_show_names_dates_and_the_day_a_row_ends(admin_of_mine, mine):
    an_item(mine)
    an_item(mine, account="4990", valid_from=NOW.date())
    a_link(mine)
    page = admin_of_mine.get(url("itemmapping_changelist")).content.decode()
    assert "4000 — Account 4000" in page
    assert "2026-01-01 to 2026-11-22" in page
    assert "from 2026-11-23" in page
    assert "4990 — Account 4990 (inactive in QAD)" in page
    assert "C0000001 — Customer C0000001" in admin_of_mine.get(url("customermapping_changelist")).content.decode()


@pytest.mark.parametrize("screen", SCREENS)
def test_every_page_obeys_the_content_policy(admin_of_mine, mine, screen):
    an_item(mine)
    a_link(mine)
    names = [f"{screen}_changelist"]
    if not screen.startswith("qad"):
        names += [f"{screen}_add", f"{screen}_import", f"{screen}_export"]
    for name in names:
        reply = admin_of_mine.get(url(name))
        page = reply.content.decode()
        assert reply.status_code == 200
        assert "unsafe" not in reply["Content-Security-Policy"]
        assert not re.search(r"\sstyle=|\son\w+=|javascript:", page), name
        assert not re.search(r"<(script|style)(?![^>]*(src|nonce|application/json))[^>]*>", page), name


# Upload


def test_an_upload_is_shown_before_it_is_saved(admin_of_mine, mine):
    an_item(mine, "old")
    an_item(mine, "same")
    content = items_workbook(
        ("item_price", "old", SINCE, "4100"),
        ("item_price", "same", SINCE, "4000"),
        ("item", "<b>new</b>", SINCE, "4000"),
    )
    reply = upload(admin_of_mine, content)
    page = reply.content.decode()
    assert "<del>4000</del> <ins>4100</ins>" in page
    assert "<ins>&lt;b&gt;new&lt;/b&gt;</ins>" in page
    assert "<strong>1</strong> new, <strong>1</strong> changed, <strong>1</strong> unchanged" in page
    assert ItemMapping.objects.count() == 2
    done = confirm(admin_of_mine, reply)
    assert words(done) == ["Saved: 1 new, 1 changed, 1 unchanged."]
    assert ItemMapping.objects.get(key="old").gl_account == "4100"
    assert AuditEntry.objects.filter(tenant=mine).count() == 2


def test_an_upload_with_wrong_rows_names_each_and_saves_nothing(admin_of_mine):
    reply = upload(admin_of_mine, items_workbook(("item", "good", SINCE, "4000"), ("item", "bad", "soon", "9999")))
    page = reply.content.decode()
    assert "confirm_form" not in reply.context
    assert "<td>3</td>" in page
    assert "<strong>valid_from</strong>: &#x27;soon&#x27; is not a date. Write it as 2026-12-31." in page
    assert not ItemMapping.objects.exists()


def test_the_correct_rows_of_an_upload_can_be_saved_alone(admin_of_mine):
    reply = upload(admin_of_mine, items_workbook(("item", "good", SINCE, "4000"), ("item", "bad", SINCE, "9999")))
    done = confirm(admin_of_mine, reply, "partial_form")
    assert words(done) == ["Saved: 1 new, 0 changed, 0 unchanged. 1 wrong rows were left out."]
    assert ItemMapping.objects.get().key == "good"


@pytest.mark.parametrize("form", ["confirm_form", "partial_form"])
def test_a_row_that_somebody_changed_after_the_dry_run_is_not_overwritten(admin_of_mine, mine, form):
    row = an_item(mine, "p-0")
    wrong = [("item_price", "bad", "2026-01-01", "9999")] if form == "partial_form" else []
    lines = [("item_price", "p-0", "2026-01-01", "4000"), ("item_price", "p-1", "2026-01-01", "4000"), *wrong]
    shown = upload(admin_of_mine, items_workbook(*lines))
    ItemMapping.objects.filter(pk=row.pk).update(gl_account="4100")
    reply = confirm(admin_of_mine, shown, form)
    assert "was changed by somebody else after it was shown" in words(reply)[0]
    assert list(ItemMapping.objects.values_list("key", "gl_account")) == [("p-0", "4100")]


def test_a_partial_save_must_be_asked_for(admin_of_mine):
    reply = upload(admin_of_mine, items_workbook(("item", "good", SINCE, "4000"), ("item", "bad", SINCE, "9999")))
    done = confirm(admin_of_mine, reply, "partial_form", may_leave_out="")
    assert words(done)[0].startswith("Nothing was saved. Item mapping 'item bad'")
    assert not ItemMapping.objects.exists()


def test_the_wrong_rows_come_back_as_a_file(admin_of_mine):
    reply = upload(admin_of_mine, items_workbook(("item", "good", SINCE, "4000"), ("item", "bad", SINCE, "9999")))
    back = admin_of_mine.post(url("itemmapping_failed_rows"), confirmation(reply, "partial_form"))
    headings, row = cells_of(back.content)["items"]
    assert (headings[-1], row[1]) == ("error", "bad")
    assert back["Content-Disposition"] == 'attachment; filename="items-wrong-rows.xlsx"'


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (b"x", "m.xls", "is no .xlsx and no .csv file"),
        (b"x", "m.xlsx", "The file is no .xlsx workbook"),
        (b"\xff\xfe", "m.csv", "not UTF-8"),
        (a_workbook(taxes=[("name",), ("VAT",)]), "m.xlsx", "The file has no sheet &#x27;items&#x27;"),
        (
            b"level,key,valid_from,gl_acount\nitem,a,2026-01-01,4000\n",
            "m.csv",
            "Column &#x27;gl_acount&#x27; is not known",
        ),
        (b"kind,level\nsuppliers,x\n", "m.csv", "column kind is not known"),
    ],
)
def test_an_upload_that_cannot_be_read_is_answered_with_a_sentence(admin_of_mine, content, name, expected):
    reply = upload(admin_of_mine, content, name)
    assert expected in reply.content.decode()
    assert "confirm_form" not in reply.context


def test_a_csv_of_the_screens_kind_needs_no_kind_column(admin_of_mine):
    reply = upload(admin_of_mine, b"level;key;valid_from;gl_account\nitem;a;2026-01-01;4000\n", "m.csv")
    confirm(admin_of_mine, reply)
    assert ItemMapping.objects.get().key == "a"


def test_a_confirmation_works_once(admin_of_mine):
    reply = upload(admin_of_mine, items_workbook(("item", "a", SINCE, "4000")))
    confirm(admin_of_mine, reply)
    again = confirm(admin_of_mine, reply)
    assert words(again) == ["The upload is no longer here, or belongs to another tenant. Upload it again."]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "x", "0" * 32])
def test_a_confirmation_names_no_file_of_its_own_choice(admin_of_mine, name):
    reply = upload(admin_of_mine, items_workbook(("item", "a", SINCE, "4000")))
    done = confirm(admin_of_mine, reply, import_file_name=name)
    assert "The upload is no longer here" in words(done)[0]
    assert not ItemMapping.objects.exists()


def test_a_confirmation_holds_for_the_tenant_it_was_shown_for(client, mine, theirs):
    client.force_login(a_user({mine: "integration_admin", theirs: "integration_admin"}))
    reply = upload(client, items_workbook(("item", "a", SINCE, "4000")))
    client.post(reverse("admin:switch_tenant"), {"tenant": theirs.pk})
    assert "belongs to another tenant" in words(confirm(client, reply))[0]
    assert not ItemMapping.objects.exists()


def test_a_confirmation_of_another_user_is_refused(client, mine):
    client.force_login(a_user({mine: "integration_admin"}))
    reply = upload(client, items_workbook(("item", "a", SINCE, "4000")))
    client.force_login(a_user({mine: "integration_admin"}))
    assert "no longer here" in words(confirm(client, reply))[0]


def test_an_account_that_went_inactive_meanwhile_stops_the_import(admin_of_mine, mine):
    reply = upload(admin_of_mine, items_workbook(("item", "a", SINCE, "4000")))
    QadAccount.objects.filter(tenant=mine, code="4000").update(is_active=False)
    done = confirm(admin_of_mine, reply)
    assert "Nothing was saved. Item mapping 'item a' from 2026-01-01: GL account 4000 is inactive" in words(done)[0]
    assert not ItemMapping.objects.exists()


# Download


@pytest.mark.parametrize(("number", "ending"), [("0", "xlsx"), ("1", "csv")])
def test_an_export_holds_own_rows_and_comes_back_unchanged(admin_of_mine, mine, theirs, number, ending):
    an_item(mine, "0012")
    an_item(theirs, "secret", "7777")
    reply = admin_of_mine.post(url("itemmapping_export"), {"format": number, "resource": "0"})
    assert reply["Content-Disposition"] == f'attachment; filename="mine-items.{ending}"'
    assert b"secret" not in reply.content
    shown = upload(admin_of_mine, reply.content, f"m.{ending}")
    assert "<strong>0</strong> new, <strong>0</strong> changed, <strong>1</strong> unchanged" in shown.content.decode()


def test_an_export_follows_the_lists_filter(admin_of_mine, mine):
    an_item(mine, "a")
    an_item(mine, "b", level="item")
    reply = admin_of_mine.post(url("itemmapping_export") + "?level__exact=item", {"format": "0", "resource": "0"})
    assert [row[1] for row in cells_of(reply.content)["items"][1:]] == ["b"]


# Roles and other tenants


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("integration_admin", {"view", "add", "import", "export", "lookup"}),
        ("finance_user", {"view", "add", "export", "lookup"}),
        ("accountant", {"view", "export"}),
        ("auditor", {"view", "export"}),
    ],
)
def test_roles_open_the_doors_they_should(as_role, role, allowed):
    client = as_role(role)
    doors = {
        "view": "itemmapping_changelist",
        "add": "itemmapping_add",
        "import": "itemmapping_import",
        "export": "itemmapping_export",
        "lookup": "itemmapping_lookup",
    }
    opened = {door for door, name in doors.items() if client.get(url(name)).status_code == 200}
    assert opened == allowed


@pytest.mark.parametrize("door", ["itemmapping_process_import", "itemmapping_failed_rows"])
def test_an_upload_door_is_closed_to_other_roles(as_role, door):
    assert as_role("finance_user").post(url(door), {}).status_code == 403


@pytest.mark.parametrize("door", ["itemmapping_failed_rows", "qadaccount_refresh"])
def test_changing_doors_take_posts_only(admin_of_mine, door):
    assert admin_of_mine.get(url(door)).status_code == 405


@pytest.mark.parametrize("door", ["itemmapping_change", "itemmapping_delete", "itemmapping_history"])
def test_another_tenants_row_does_not_exist(admin_of_mine, theirs, door):
    row = an_item(theirs, "secret", "7777")
    reply = admin_of_mine.get(url(door, row.pk), follow=True)
    assert "secret" not in reply.content.decode()
    admin_of_mine.post(url("itemmapping_change", row.pk), GOOD)
    row.refresh_from_db()
    assert (row.key, row.version) == ("secret", 1)


def test_an_upload_cannot_name_another_tenant(admin_of_mine, theirs):
    row = an_item(theirs, "secret", "7777")
    headings = (*ITEM_HEADINGS, "tenant", "id")
    reply = upload(admin_of_mine, a_workbook(items=[headings, ("item", "a", SINCE, "4000", theirs.pk, row.pk)]))
    assert "Column &#x27;tenant&#x27; is not known." in reply.content.decode()
    reply = upload(admin_of_mine, items_workbook(("item_price", "secret", SINCE, "4000")))
    confirm(admin_of_mine, reply)
    row.refresh_from_db()
    assert (row.gl_account, row.version) == ("7777", 1)


def test_a_visitor_is_asked_to_sign_in(client):
    assert client.get(url("itemmapping_import")).status_code == 302
    assert client.post(url("qadaccount_refresh")).status_code == 302


# Mirrors


def test_mirrors_are_read_only(admin_of_mine, mine):
    row = QadAccount.objects.filter(tenant=mine).first()
    assert admin_of_mine.get(url("qadaccount_add")).status_code == 403
    assert admin_of_mine.post(url("qadaccount_change", row.pk), {"code": "x"}).status_code == 403
    assert admin_of_mine.post(url("qadaccount_delete", row.pk), {"post": "yes"}).status_code == 403


def test_a_mirror_says_when_it_was_read(admin_of_mine, mine):
    MirrorState.objects.filter(tenant=mine, list_name="gl_accounts").update(
        refreshed_at=NOW, sentence="QAD lists 3 GL accounts."
    )
    page = admin_of_mine.get(url("qadaccount_changelist")).content.decode()
    assert "QAD lists 3 GL accounts. Read on 2026-11-23 12:00 UTC." in page
    assert "Refresh from QAD" in page


def test_a_refresh_without_a_connection_says_what_is_missing(admin_of_mine):
    reply = admin_of_mine.post(url("qadaccount_refresh"), follow=True)
    assert words(reply)[0].startswith("The list could not be read. Mine has no QAD connection.")


def test_an_auditor_may_not_refresh(as_role):
    client = as_role("auditor")
    assert client.post(url("qadaccount_refresh")).status_code == 403
    assert "Refresh from QAD" not in client.get(url("qadaccount_changelist")).content.decode()


def test_a_swap_of_two_customers_works_by_upload(admin_of_mine, mine):
    a_link(mine, "c1", "C0000001")
    a_link(mine, "c2", "C0000002")
    sheet = [("chargebee_id", "qad_code"), ("c1", "C0000002"), ("c2", "C0000001")]
    reply = upload(admin_of_mine, a_workbook(customers=sheet), screen="customermapping")
    confirm(admin_of_mine, reply, screen="customermapping")
    assert dict(CustomerMapping.objects.values_list("chargebee_id", "qad_code")) == {"c1": "C0000002", "c2": "C0000001"}

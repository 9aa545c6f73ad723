"""Whole files: dry run, import, export, and the commands."""

import datetime as dt
import io
import time

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from mappings import files
from mappings.files import preview, save_all, save_correct, tables
from mappings.models import AccountRole, CustomerMapping, ItemMapping, TaxMapping
from mappings.sheets import UnreadableFile
from mappings.workbooks import Table, to_csv, to_xlsx
from tenants.models import AuditEntry
from tests.builders import a_tenant
from tests.mappings.build import NOW, SINCE, a_chart, a_link, an_item, qad_customers
from tests.mappings.files import ITEM_HEADINGS, a_workbook, cells_of, items_workbook

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant():
    tenant = a_tenant()
    a_chart(tenant, "4000", "4100", "2230", "4800")
    qad_customers(tenant, "C0000001", "C0000002")
    return tenant


def told(seen):
    return [str(error) for error in seen.errors]


def counts(seen):
    return seen.created, seen.changed, seen.unchanged


def command(name, *args, **options):
    out, err = io.StringIO(), io.StringIO()
    call_command(name, *map(str, args), stdout=out, stderr=err, **options)
    return out.getvalue() + err.getvalue()


EVERY_KIND = {
    "customers": [("chargebee_id", "qad_code", "link", "note"), ("cust-1", "C0000001", "", "")],
    "items": [ITEM_HEADINGS, ("Item price", "pro-EUR", SINCE, 4000), ("fallback", "", "2026-01-01", "4100")],
    "taxes": [("name", "jurisdiction", "rate", "valid_from", "gl_account"), ("VAT", "", 19, SINCE, "2230")],
    "banks": [("gateway", "method", "currency", "valid_from", "gl_account"), ("stripe", "card", "", SINCE, "4000")],
    "account_roles": [("role", "valid_from", "gl_account"), ("Discount", SINCE, "4800")],
    "credit_terms": [("days", "valid_from", "qad_terms"), (30, "2026-01-01", "N30")],
}


def test_it_imports_every_kind_from_one_workbook(tenant):
    seen = preview(tenant, a_workbook(**EVERY_KIND), "m.xlsx")
    assert (counts(seen), told(seen)) == ((7, 0, 0), [])
    assert save_all(tenant, seen, actor="ada", now=NOW).created == 7
    assert CustomerMapping.objects.get().kind == "direct"
    assert set(ItemMapping.objects.values_list("level", "key", "gl_account")) == {
        ("item_price", "pro-EUR", "4000"),
        ("fallback", "", "4100"),
    }
    assert TaxMapping.objects.get().rate == "19"
    assert AccountRole.objects.get().role == "discount"


def test_a_dry_run_changes_nothing_and_begins_no_transaction(tenant, django_assert_max_num_queries):
    with django_assert_max_num_queries(10) as seen_queries:
        preview(tenant, items_workbook(("item", "pro", SINCE, "4000")), "m.xlsx")
    verbs = {query["sql"].split()[0] for query in seen_queries.captured_queries}
    assert verbs == {"SELECT"}
    assert not ItemMapping.objects.exists()
    assert not connection.needs_rollback


def test_it_names_every_error_of_every_row_by_sheet_row_and_column(tenant):
    content = a_workbook(
        items=[
            (*ITEM_HEADINGS, "sub_account"),
            ("item", "a", "soon", "40 00", None),
            ("product", "b", SINCE, "4000", None),
            ("item", "c", SINCE, "9999", "123456789"),
            ("item", "good", SINCE, "4000", None),
            ("item", "=A1", SINCE, "4000", None),
        ],
        customers=[("chargebee_id", "qad_code"), ("c1", "C0000001"), ("c2", "C0000001")],
    )
    subject = "Item mapping 'item c' from 2026-01-01"
    assert told(preview(tenant, content, "m.xlsx")) == [
        "items, row 2, column valid_from: 'soon' is not a date. Write it as 2026-12-31.",
        "items, row 2, column gl_account: '40 00' has a blank in it. Codes have none.",
        "items, row 3, column level: 'product' is not known. "
        "Write one of: item_price, item, item_family, charge, fallback.",
        f"items, row 4, column sub_account: {subject}: '123456789' has 9 characters. Use 8 characters at most.",
        f"items, row 4, column gl_account: {subject}: QAD does not have GL account 9999. "
        "Choose another account, or create it in QAD and refresh the list of GL accounts.",
        "items, row 6, column key: It is a formula. Write the value itself.",
        "customers, row 3, column qad_code: Customer mapping 'c2': QAD customer C0000001 already belongs to 'c1'. "
        "Choose another customer, or make one of the two an alias or collective.",
    ]


def test_two_rows_of_one_key_are_both_named(tenant):
    content = items_workbook(("item", "a", SINCE, "4000"), ("Item", "a", "2026-01-01", "4100"))
    assert [str(error).split(":")[0] for error in preview(tenant, content, "m.xlsx").errors] == [
        "items, row 2, column level",
        "items, row 3, column level",
    ]


@pytest.mark.parametrize(
    ("headings", "words"),
    [
        (("level", "key", "valid_from", "gl_acount"), "Column 'gl_acount' is not known. Use: level, key,"),
        (("level", "valid_from", "gl_account"), "Column 'key' is missing."),
        (("tenant", *ITEM_HEADINGS), "Column 'tenant' is not known."),
        (("id", *ITEM_HEADINGS), "Column 'id' is not known."),
        (("version", *ITEM_HEADINGS), "Column 'version' is not known."),
    ],
)
def test_an_unknown_or_missing_column_stops_the_sheet(tenant, headings, words):
    seen = preview(tenant, a_workbook(items=[headings, tuple("1" for _ in headings)]), "m.xlsx")
    assert words in told(seen)[0]


def test_a_sheet_with_an_unknown_column_is_left_out_whole(tenant):
    seen = preview(tenant, a_workbook(items=[(*ITEM_HEADINGS, "vendor"), ("item", "a", SINCE, "4000", "x")]), "m.xlsx")
    assert not save_correct(tenant, seen, actor="ada", now=NOW)
    assert not ItemMapping.objects.exists()


def test_a_column_that_is_not_there_leaves_stored_values_alone(tenant):
    an_item(tenant, "pro", project="P1")
    content = items_workbook(("item_price", "pro", SINCE, "4100"))
    save_all(tenant, preview(tenant, content, "m.xlsx"), actor="ada", now=NOW)
    row = ItemMapping.objects.get()
    assert (row.gl_account, row.project, row.version) == ("4100", "P1", 2)


def test_a_key_matches_with_all_its_parts(tenant):
    an_item(tenant, "pro", "4000")
    an_item(tenant, "pro", "4000", level="item")
    content = items_workbook(("item", "pro", SINCE, "4100"), ("item", "pro", dt.date(2027, 1, 1), "4000"))
    seen = preview(tenant, content, "m.xlsx")
    assert counts(seen) == (1, 1, 0)
    save_all(tenant, seen, actor="ada", now=NOW)
    assert ItemMapping.objects.get(level="item_price").gl_account == "4000"


def test_the_correct_rows_alone_can_be_saved_and_the_wrong_ones_come_back(tenant):
    content = items_workbook(("item", "good", SINCE, "4000"), ("item", "bad", SINCE, "9999"))
    seen = preview(tenant, content, "m.xlsx")
    assert save_correct(tenant, seen, actor="ada", now=NOW).created == 1
    back = to_xlsx(seen.failed)
    headings, row = cells_of(back)["items"]
    assert headings == (*ITEM_HEADINGS, "error")
    assert row[:2] == ("item", "bad")
    assert "9999" in row[4]
    assert [error.row for error in preview(tenant, back, "again.xlsx").errors] == [2]


def test_export_and_import_change_nothing(tenant):
    save_all(tenant, preview(tenant, a_workbook(**EVERY_KIND), "m.xlsx"), actor="ada", now=NOW)
    a_link(tenant, "=cmd|' /C calc'!A0", "C0000002", kind="alias", note="-5 % until @home")
    an_item(tenant, "0012", "4000", project="0007")
    lines = AuditEntry.objects.count()
    seen = preview(tenant, to_xlsx(tables(tenant)), "m.xlsx")
    assert (counts(seen), told(seen)) == ((0, 0, 9), [])
    assert not save_all(tenant, seen, actor="ada", now=NOW)
    assert AuditEntry.objects.count() == lines
    for table in tables(tenant):
        seen = preview(tenant, to_csv(table).encode(), "m.csv")
        assert (seen.created, seen.changed, told(seen)) == (0, 0, [])


def test_an_export_runs_no_formula_and_keeps_numbers_numbers(tenant):
    TaxMapping.objects.create(tenant=tenant, name="@VAT", rate="8.875", gl_account="2230", valid_from=SINCE)
    an_item(tenant, "0012", "4000")
    sheets = cells_of(to_xlsx(tables(tenant)))
    assert sheets["taxes"][1] == (None, "'@VAT", 8.875, dt.datetime(2026, 1, 1), "2230", None)  # noqa: DTZ001
    assert sheets["items"][1][:4] == ("item_price", "0012", dt.datetime(2026, 1, 1), "4000")  # noqa: DTZ001
    assert (
        to_csv(Table("customers", ["note"], [["=1+1"], [-5]]))
        == "\ufeffkind,note\r\ncustomers,'=1+1\r\ncustomers,-5\r\n"
    )


def test_a_file_of_no_known_sheet_says_so(tenant):
    with pytest.raises(UnreadableFile, match="does not say what it maps"):
        preview(tenant, a_workbook(Sheet1=[("level",), ("item",)]), "m.xlsx")


def test_two_sheets_of_one_kind_are_refused(tenant):
    with pytest.raises(UnreadableFile, match="two sheets of items"):
        preview(tenant, a_workbook(items=[("level",)], ITEMS_=[("level",)], **{"Items ": [("level",)]}), "m.xlsx")


@pytest.mark.slow
def test_two_thousand_rows_take_seconds(tenant):
    content = items_workbook(*(("item", f"p{n}", SINCE, "4000") for n in range(2000)))
    started = time.process_time()
    seen = preview(tenant, content, "m.xlsx")
    assert save_all(tenant, seen, actor="ada", now=NOW).created == 2000
    assert counts(preview(tenant, content, "m.xlsx")) == (0, 0, 2000)
    assert time.process_time() - started < 15  # of the processor; measured: under 3


def test_rows_of_other_tenants_are_neither_found_nor_exported(tenant):
    other = a_tenant("other")
    theirs = an_item(other, "pro")
    seen = preview(tenant, items_workbook(("item_price", "pro", SINCE, "4100")), "m.xlsx")
    assert counts(seen) == (1, 0, 0)
    save_all(tenant, seen, actor="ada", now=NOW)
    theirs.refresh_from_db()
    assert (theirs.gl_account, theirs.version) == ("4000", 1)
    assert [len(table.rows) for table in tables(other)] == [0, 1, 0, 0, 0, 0]


def test_the_command_imports_a_file(tenant, tmp_path):
    path = tmp_path / "m.xlsx"
    path.write_bytes(a_workbook(**EVERY_KIND, notes=[("hello",)]))
    told = command("import_mappings", "acme", path)
    assert "7 new, 0 changed, 0 unchanged." in told
    assert "Sheet 'notes' is no list of mappings and was left aside." in told
    assert "Saved: 7 new, 0 changed." in told
    assert AuditEntry.objects.first().actor == "import_mappings m.xlsx"


def test_the_command_shows_a_dry_run(tenant, tmp_path):
    path = tmp_path / "m.xlsx"
    path.write_bytes(a_workbook(**EVERY_KIND))
    assert "Dry run: nothing was saved." in command("import_mappings", "acme", path, "--dry-run")
    assert not ItemMapping.objects.exists()


def test_the_command_saves_nothing_if_a_row_of_any_sheet_is_wrong(tenant, tmp_path):
    path = tmp_path / "m.xlsx"
    path.write_bytes(a_workbook(**{**EVERY_KIND, "taxes": [("name", "jurisdiction"), ("VAT", "")]}))
    with pytest.raises(CommandError) as caught:
        command("import_mappings", "acme", path)
    assert caught.value.returncode == 1
    assert str(caught.value) == "1 wrong rows or sheets stopped the import: nothing was saved."
    assert not CustomerMapping.objects.exists()


def test_the_command_can_leave_wrong_rows_out_and_hand_them_back(tenant, tmp_path):
    path, failed = tmp_path / "m.xlsx", tmp_path / "failed.xlsx"
    path.write_bytes(items_workbook(("item", "good", SINCE, "4000"), ("item", "bad", SINCE, "9999")))
    with pytest.raises(CommandError, match="1 wrong rows or sheets were left out"):
        command("import_mappings", "acme", path, "--allow-partial", "--failed", failed)
    assert ItemMapping.objects.get().key == "good"
    assert cells_of(failed.read_bytes())["items"][1][1] == "bad"


@pytest.mark.parametrize(
    ("tenant_name", "file_name", "words"),
    [
        ("nobody", "m.xlsx", "There is no tenant 'nobody'. There are: acme."),
        ("acme", "missing.xlsx", "missing.xlsx cannot be read"),
        ("acme", "m.txt", "no .xlsx and no .csv"),
    ],
)
def test_the_command_says_what_it_cannot_do(tenant, tmp_path, tenant_name, file_name, words):
    (tmp_path / "m.txt").write_text("x")
    with pytest.raises(CommandError, match=words):
        command("import_mappings", tenant_name, tmp_path / file_name)


def test_the_export_command_writes_what_the_import_command_reads(tenant, tmp_path):
    an_item(tenant)
    path = tmp_path / "out.xlsx"
    assert "1 items" in command("export_mappings", "acme", path)
    assert "0 new, 0 changed, 1 unchanged." in command("import_mappings", "acme", path)
    with pytest.raises(CommandError, match="does not end in"):
        command("export_mappings", "acme", tmp_path / "out.csv")


def test_a_change_between_dry_run_and_save_stops_the_save(tenant):
    seen = preview(tenant, items_workbook(("item", "pro", SINCE, "4000")), "m.xlsx")
    tenant.qad_accounts.filter(code="4000").update(is_active=False)
    saved = files.save_all(tenant, seen, actor="ada", now=NOW)
    assert [refusal.problem.code for refusal in saved.refusals] == ["account-inactive"]
    assert not ItemMapping.objects.exists()

"""Files from outside."""

import datetime as dt
import io
import zipfile

import pytest
from openpyxl import Workbook

from mappings import sheets
from mappings.cells import Formula
from mappings.sheets import UnreadableFile, read
from tests.mappings.files import ITEM_HEADINGS, a_workbook, items_workbook, with_part

FIRST_SHEET = "xl/worksheets/sheet1.xml"


def refusal(content, name="m.xlsx"):
    with pytest.raises(UnreadableFile) as caught:
        read(content, name)
    return str(caught.value)


def a_sheet_of(xml):
    return with_part(items_workbook(), FIRST_SHEET, xml.encode())


SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</worksheet>'


def test_it_reads_a_workbook_with_a_sheet_a_kind():
    content = a_workbook(
        Items=[ITEM_HEADINGS, ("item", "pro", dt.date(2026, 1, 1), 4000)],
        **{"Account roles": [("Role", "Valid from", "GL account"), ("discount", "2026-01-01", "4800")]},
        Notes=[("anything",)],
    )
    items, roles, notes = read(content, "M.XLSX")
    assert (items.kind, items.headings) == ("items", ITEM_HEADINGS)
    assert items.rows[0].number == 2
    assert items.rows[0].cells == ("item", "pro", dt.datetime(2026, 1, 1), 4000)  # noqa: DTZ001
    assert (roles.kind, roles.headings) == ("account_roles", ("role", "valid_from", "gl_account"))
    assert notes.kind == ""


def test_empty_rows_do_not_shift_the_numbers():
    content = items_workbook(("item", "a", None, "1"), (None, None, None, None), ("item", "b", None, "1"))
    assert [row.number for row in read(content, "m.xlsx")[0].rows] == [2, 4]


def test_a_formula_stays_a_formula():
    content = items_workbook(("item", "=1+1", None, "4000"))
    assert read(content, "m.xlsx")[0].rows[0].cells[1] == Formula("=1+1")


def test_a_percent_cell_is_read_as_percent():
    book = Workbook()
    book.active.title = "taxes"
    book.active.append(["rate"])
    book.active.append([0.08875])
    book.active["A2"].number_format = "0.000%"
    content = io.BytesIO()
    book.save(content)
    assert read(content.getvalue(), "m.xlsx")[0].rows[0].cells == ("8.875",)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_it_reads_csv_with_any_usual_mark(mark):
    text = f"kind{mark}level{mark}key\r\nitems{mark}item{mark}pro\r\n"
    (sheet,) = read(("\ufeff" + text).encode(), "m.csv")
    assert (sheet.kind, sheet.headings, sheet.rows[0].cells) == ("items", ("level", "key"), ("item", "pro"))


def test_csv_holds_several_kinds_each_with_its_own_columns():
    text = "kind,chargebee_id,qad_code,role,gl_account\ncustomers,c1,C1,,\naccount_roles,,,discount,4800\n"
    customers, roles = read(text.encode(), "m.csv")
    assert (customers.kind, customers.headings) == ("customers", ("chargebee_id", "qad_code"))
    assert (roles.kind, roles.headings) == ("account_roles", ("role", "gl_account"))
    assert roles.rows[0].number == 3


def test_a_filled_column_of_another_kind_is_not_lost_unseen():
    (sheet,) = read(b"kind,chargebee_id,role\ncustomers,c1,discount\n", "m.csv")
    assert sheet.headings == ("chargebee_id", "role")


def test_csv_without_a_kind_column_is_one_table_of_no_kind():
    (sheet,) = read(b"chargebee_id,qad_code\nc1,C1\n", "m.csv")
    assert sheet.kind == ""
    assert sheets.of_kind([sheet], "customers") is sheet


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"x", "m.xls", "no .xlsx and no .csv"),
        (b"not a zip", "m.xlsx", "no .xlsx workbook"),
        (b"", "m.xlsx", "no .xlsx workbook"),
        (b"\xff\xfe\x00", "m.csv", "not UTF-8"),
        (b"a,b\x00", "m.csv", "no text"),
        (b"kind,key\nsuppliers,x\n", "m.csv", "'suppliers' in column kind is not known"),
        (b"kind,key,key\n", "m.csv", "'key' stands there twice"),
        (b"kind,,key\n", "m.csv", "column 2 has no heading"),
        (b"kind,key\nitems,x,surplus\n", "m.csv", "cells beyond the last heading"),
        (b'kind,key\nitems,"open', "m.csv", "cannot be read"),
        (b"kind,key\nitems," + b"x" * 1001, "m.csv", "more than 1000 characters"),
        (",".join(f"c{n}" for n in range(41)).encode(), "m.csv", "more than 40 columns"),
    ],
)
def test_it_refuses_what_it_cannot_read_with_a_sentence(content, name, words):
    assert words in refusal(content, name)


def test_it_refuses_a_file_that_is_too_large():
    assert "more than 10 MB" in refusal(b"x" * (sheets.LARGEST_FILE + 1), "m.csv")


def test_it_refuses_too_many_rows(monkeypatch):
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    assert "more than 3 rows" in refusal(b"key\n" + b"x\n" * 4, "m.csv")
    assert "more than 3 rows" in refusal(items_workbook(*[("item", "x", None, "1")] * 4))


@pytest.mark.slow
def test_it_refuses_a_zip_bomb_without_unpacking_it():
    bomb = with_part(items_workbook(), "xl/media/image1.png", b"\0" * (sheets.LARGEST_UNPACKED + 1))
    assert len(bomb) < 2**20
    assert "unpacks to more" in refusal(bomb)


def test_it_refuses_an_archive_of_countless_parts():
    content = items_workbook()
    made = io.BytesIO(content)
    with zipfile.ZipFile(made, "a") as archive:
        for n in range(sheets.MOST_PARTS):
            archive.writestr(f"part{n}", b"")
    assert "unpacks to more" in refusal(made.getvalue())


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x.dtd"> %p;]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("part", [FIRST_SHEET, "xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml"])
def test_it_refuses_entities_in_any_part(declaration, part, encoding):
    hostile = (declaration + SHEET.format("<sheetData/>")).encode(encoding)
    assert "no spreadsheet program writes" in refusal(
        with_part(items_workbook(("item", "a", None, "b")), part, hostile)
    )


def test_it_refuses_macros():
    assert "macros" in refusal(with_part(items_workbook(), "xl/vbaProject.bin", b"x"))


def test_it_refuses_a_workbook_without_its_main_part():
    assert "no open .xlsx workbook" in refusal(with_part(items_workbook(), "xl/workbook.xml", None))


@pytest.mark.parametrize(
    "xml",
    ["", "<", "<a/>x", SHEET.format("<sheetData><row r='x'/></sheetData>"), SHEET.format("<sheetData><row r='2'>")],
)
def test_it_refuses_a_damaged_sheet(xml):
    assert "damaged" in refusal(a_sheet_of(xml))


@pytest.mark.slow
def test_a_cell_far_out_does_not_fill_the_memory():
    far = '<sheetData><row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    words = refusal(a_sheet_of(SHEET.format('<dimension ref="A1:XFD1048576"/>' + far)))
    assert "rows" in words


def test_a_wrong_sheet_is_named():
    (sheet,) = read(a_workbook(taxes=[("name",), ("VAT",)]), "m.xlsx")
    with pytest.raises(UnreadableFile, match="no sheet 'items'"):
        sheets.of_kind([sheet], "items")

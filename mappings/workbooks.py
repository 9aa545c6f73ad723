"""Spreadsheets out: XLSX with a sheet a table, or CSV; text that a program would run as a formula is defused."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from mappings.cells import neutralised

_WIDTH = 22


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet: its name, headings and rows of texts, numbers and dates."""

    name: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Any]]


def to_xlsx(tables: Sequence[Table]) -> bytes:
    """A workbook; texts are text cells ('0012' keeps its zeros), numbers and dates are numbers and dates."""
    book = Workbook(write_only=True)
    for table in tables:
        sheet = book.create_sheet(table.name)
        sheet.freeze_panes = "A2"
        for place in range(1, len(table.headings) + 1):
            sheet.column_dimensions[_letter(place)].width = _WIDTH
        sheet.append([_heading(sheet, heading) for heading in table.headings])
        for row in table.rows:
            sheet.append([_cell(sheet, value) for value in row])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def to_csv(table: Table) -> str:
    """UTF-8 text with a `kind` column first and a mark that makes spreadsheet programs read it as such."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["kind", *table.headings])
    writer.writerows([table.name, *(_plain(value) for value in row)] for row in table.rows)
    return "\ufeff" + text.getvalue()


def _letter(place: int) -> str:
    return chr(ord("A") + place - 1)  # a table has fewer than 26 columns


def _heading(sheet: Any, text: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, value=text)
    cell.font = Font(bold=True)
    return cell


def _cell(sheet: Any, value: Any) -> Any:
    if isinstance(value, str):
        cell = WriteOnlyCell(sheet, value=neutralised(ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)))
        cell.data_type = "s"
        cell.number_format = "@"
        return cell
    cell = WriteOnlyCell(sheet, value=value)
    if isinstance(value, dt.date):
        cell.number_format = "yyyy-mm-dd"
    return cell


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        return value
    return value.isoformat() if isinstance(value, dt.date) else neutralised(str(value))

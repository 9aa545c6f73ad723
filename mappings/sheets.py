"""Spreadsheets in: XLSX with a sheet a kind, or CSV with a `kind` column; nothing in a file is trusted."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from mappings.cells import Formula
from mappings.kinds import KINDS

LARGEST_FILE = 10 * 2**20
LARGEST_UNPACKED = 100 * 2**20
MOST_PARTS = 200
MOST_ROWS = 50_000
MOST_COLUMNS = 40
LONGEST_CELL = 1_000
KIND_COLUMN = "kind"
_DAMAGED = "The workbook is damaged. Open it, save it anew as .xlsx and upload that."


class UnreadableFile(ValueError):
    """The file cannot be read; the text is a sentence with the next step."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """`number` is the row's number in the file, as a spreadsheet program shows it."""

    number: int
    cells: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of a file. `kind` is '' where neither the sheet's name nor a column says it."""

    name: str
    kind: str
    headings: tuple[str, ...]
    rows: tuple[SheetRow, ...]


def read(content: bytes, name: str) -> list[Sheet]:
    """The tables of a file, by the ending of its name. Raises UnreadableFile."""
    if len(content) > LARGEST_FILE:
        raise UnreadableFile(f"The file has more than {LARGEST_FILE // 2**20} MB. Split it.")
    if name.lower().endswith(".xlsx"):
        return read_xlsx(content)
    if name.lower().endswith(".csv"):
        return read_csv(content)
    raise UnreadableFile(f"'{name}' is no .xlsx and no .csv file. Save it as one of the two.")


def read_csv(content: bytes) -> list[Sheet]:
    """UTF-8, with commas, semicolons or tabs between; split by the `kind` column where there is one."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFile("The file is not UTF-8 text. Save it as 'CSV UTF-8'.") from None
    if "\0" in text:
        raise UnreadableFile("The file is no text. Save it as 'CSV UTF-8' or as .xlsx.")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        sheet = _sheet("the file", "", _numbered_lines(reader))
    except csv.Error as error:
        raise UnreadableFile(f"Line {reader.line_num} cannot be read: {error}.") from None
    return _by_kind(sheet)


def _numbered_lines(reader: Any) -> Iterator[SheetRow]:
    for number, line in enumerate(reader, start=1):
        yield SheetRow(number, tuple(line))


def _delimiter(text: str) -> str:
    first = text.split("\n", 1)[0]
    return max(",;\t", key=first.count)


def _by_kind(sheet: Sheet) -> list[Sheet]:
    if KIND_COLUMN not in sheet.headings:
        return [sheet]
    place = sheet.headings.index(KIND_COLUMN)
    headings = sheet.headings[:place] + sheet.headings[place + 1 :]
    groups: dict[str, list[SheetRow]] = {}
    for row in sheet.rows:
        name = _heading(row.cells[place] if place < len(row.cells) else "")
        if name not in KINDS:
            raise UnreadableFile(f"Row {row.number}: '{name}' in column kind is not known. {_kinds()}")
        groups.setdefault(name, []).append(SheetRow(row.number, row.cells[:place] + row.cells[place + 1 :]))
    return [_only_filled(Sheet(name, name, headings, tuple(rows))) for name, rows in groups.items()]


def _only_filled(sheet: Sheet) -> Sheet:
    """Columns of other kinds stand empty beside this kind's; they go."""
    own = {column.name for column in KINDS[sheet.kind].columns}
    kept = [
        place
        for place, heading in enumerate(sheet.headings)
        if heading in own or any(place < len(row.cells) and row.cells[place] != "" for row in sheet.rows)
    ]
    rows = tuple(
        SheetRow(row.number, tuple(row.cells[place] if place < len(row.cells) else "" for place in kept))
        for row in sheet.rows
    )
    return Sheet(sheet.name, sheet.kind, tuple(sheet.headings[place] for place in kept), rows)


def read_xlsx(content: bytes) -> list[Sheet]:
    """Every sheet of a workbook; a sheet's name says its kind."""
    _check_archive(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        return [_sheet(page.title, _heading(page.title), _cells(page)) for page in book.worksheets]
    except UnreadableFile:
        raise
    except (InvalidFileException, ParseError, zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError, IndexError,
            AttributeError) as error:  # fmt: skip  # what openpyxl lets through for a broken workbook
        raise UnreadableFile(_DAMAGED) from error


def _check_archive(content: bytes) -> None:
    """Refuse what is no plain workbook before anything is unpacked."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        raise UnreadableFile("The file is no .xlsx workbook. Save it as one, or as 'CSV UTF-8'.") from None
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
        raise UnreadableFile(
            "The workbook unpacks to more than a list of mappings can need. Copy the rows to a new one."
        )
    names = {part.filename.lower() for part in parts}
    if any(name.endswith("vbaproject.bin") for name in names):
        raise UnreadableFile("The workbook holds macros. Save it as .xlsx without macros.")
    if any(part.flag_bits & 1 for part in parts) or "xl/workbook.xml" not in names:
        raise UnreadableFile("The file is no open .xlsx workbook. Save it as one, without a password.")
    try:
        if any(_declares_types(archive, part) for part in parts):
            raise UnreadableFile("The workbook holds XML that no spreadsheet program writes. Save it anew.")
    except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, EOFError):
        raise UnreadableFile(_DAMAGED) from None


def _declares_types(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    """A document type declaration, the door to entities; in UTF-16 too, whose zero bytes go."""
    before = b""
    with archive.open(part) as stream:
        while chunk := stream.read(2**16):
            if b"<!DOCTYPE" in (before + chunk).replace(b"\0", b""):
                return True
            before = chunk[-32:]
    return False


def _cells(page: Any) -> Iterator[SheetRow]:
    page.reset_dimensions()  # the stated size may be a lie
    for number, row in enumerate(page.iter_rows(max_col=MOST_COLUMNS + 1), start=1):
        yield SheetRow(number, tuple(_value(cell) for cell in row))


def _value(cell: Any) -> object:
    value = cell.value
    if cell.data_type == "f":
        return Formula(str(value))
    if cell.data_type == "e":
        return Formula(str(value))
    if isinstance(value, int | float) and not isinstance(value, bool) and "%" in str(cell.number_format or ""):
        return f"{(Decimal(str(value)) * 100).normalize():f}"
    return "" if value is None else value


def _sheet(name: str, kind: str, lines: Iterable[SheetRow]) -> Sheet:
    filled = (line for line in _counted(lines) if any(cell != "" for cell in line.cells))
    first = next(filled, None)
    kind = kind if kind in KINDS else ""
    if first is None:
        return Sheet(name, kind, (), ())
    headings = _headings(name, first)
    rows = tuple(SheetRow(line.number, _fitted(name, line, len(headings))) for line in filled)
    return Sheet(name, kind, headings, rows)


def _counted(lines: Iterable[SheetRow]) -> Iterator[SheetRow]:
    for line in lines:
        if line.number > MOST_ROWS + 1:
            raise UnreadableFile(f"The file has more than {MOST_ROWS:,} rows. Split it.")
        yield line


def _headings(name: str, line: SheetRow) -> tuple[str, ...]:
    headings = [_heading(cell) for cell in line.cells]
    while headings and not headings[-1]:
        headings.pop()
    if len(headings) > MOST_COLUMNS:
        raise UnreadableFile(f"Sheet {name} has more than {MOST_COLUMNS} columns. Remove those that are not needed.")
    twice = next((heading for heading in headings if heading and headings.count(heading) > 1), "")
    if twice:
        raise UnreadableFile(f"Sheet {name}: column '{twice}' stands there twice. Keep one.")
    if "" in headings:
        raise UnreadableFile(f"Sheet {name}: column {headings.index('') + 1} has no heading. Name or remove it.")
    return tuple(headings)


def _fitted(name: str, line: SheetRow, width: int) -> tuple[object, ...]:
    if any(cell != "" for cell in line.cells[width:]):
        raise UnreadableFile(f"Sheet {name}, row {line.number}: it has cells beyond the last heading. Remove them.")
    if any(isinstance(cell, str) and len(cell) > LONGEST_CELL for cell in line.cells):
        raise UnreadableFile(f"Sheet {name}, row {line.number}: a cell has more than {LONGEST_CELL} characters.")
    return line.cells[:width] + ("",) * (width - len(line.cells))


def _heading(cell: object) -> str:
    return "_".join(str(cell).strip().casefold().replace("-", " ").replace("_", " ").split())[:60]


def _kinds() -> str:
    return f"Use one of: {', '.join(KINDS)}."


def of_kind(sheets: Sequence[Sheet], kind: str) -> Sheet:
    """The one table of this kind; a file with a single table of no stated kind is taken for it."""
    named = [sheet for sheet in sheets if sheet.kind == kind]
    filled = [sheet for sheet in sheets if sheet.headings]
    if len(named) == 1:
        return named[0]
    if not named and len(filled) == 1 and not filled[0].kind:
        return filled[0]
    found = ", ".join(sheet.name for sheet in sheets) or "none"
    raise UnreadableFile(f"The file has no sheet '{kind}' (found: {found}). Name the sheet '{kind}'.")

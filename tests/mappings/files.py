"""Spreadsheets as a person would make them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from openpyxl import Workbook, load_workbook

ITEM_HEADINGS = ("level", "key", "valid_from", "gl_account")


def a_workbook(**sheets: list[tuple[Any, ...]]) -> bytes:
    """Sheets by name, each a list of rows, headings first."""
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def items_workbook(*rows: tuple[Any, ...]) -> bytes:
    return a_workbook(items=[ITEM_HEADINGS, *rows])


def with_part(content: bytes, name: str, part: bytes | None) -> bytes:
    """The same archive with one part replaced or added; None removes it."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            if entry != name:
                new.writestr(entry, old.read(entry))
        if part is not None:
            new.writestr(name, part)
    return made.getvalue()


def cells_of(content: bytes) -> dict[str, list[tuple[Any, ...]]]:
    """What a spreadsheet program shows."""
    book = load_workbook(io.BytesIO(content))
    return {page.title: list(page.values) for page in book.worksheets}

"""Whole files of mappings, every kind at once: what a file would do, doing it, and writing one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from import_export.results import Result, RowResult

from mappings.formats import NumberedDataset, dataset_of
from mappings.kinds import KINDS
from mappings.planning import Change
from mappings.resources import ERROR_COLUMN, RESOURCES, MappingResult, column_name
from mappings.saving import Saved, save_correct_rows, save_rows
from mappings.sheets import Sheet, UnreadableFile, read
from mappings.workbooks import Table
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class RowError:
    """One reason against one row; `row` is the number a spreadsheet program shows, 0 for the whole sheet."""

    sheet: str
    row: int
    column: str
    message: str

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row else ""
        column = f", column {self.column}" if self.column else ""
        return f"{self.sheet}{row}{column}: {self.message}"


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would do. `failed` holds the wrong rows with their reasons, ready to be written as a file."""

    changes: tuple[Change, ...]
    created: int
    changed: int
    unchanged: int
    errors: tuple[RowError, ...]
    failed: tuple[Table, ...]
    left_aside: tuple[str, ...]  # names of sheets that are no mappings


def preview(tenant: Tenant, content: bytes, name: str) -> Preview:
    """Read and check a file without saving anything. Raises UnreadableFile."""
    sheets = [sheet for sheet in read(content, name) if sheet.headings]
    known = [sheet for sheet in sheets if sheet.kind]
    if not known:
        names = ", ".join(KINDS)
        raise UnreadableFile(f"The file does not say what it maps. Name its sheets, or fill a column 'kind': {names}.")
    twice = {sheet.kind for sheet in known if sum(other.kind == sheet.kind for other in known) > 1}
    if twice:
        raise UnreadableFile(f"The file has two sheets of {min(twice)}. Put their rows into one.")
    return _joined(
        [_checked(tenant, sheet) for sheet in known], tuple(sheet.name for sheet in sheets if not sheet.kind)
    )


def save_all(tenant: Tenant, seen: Preview, *, actor: str, now: dt.datetime) -> Saved:
    """Save a file without errors; if a row is refused after all, none is saved."""
    return save_rows(tenant.pk, seen.changes, actor=actor, now=now)


def save_correct(tenant: Tenant, seen: Preview, *, actor: str, now: dt.datetime) -> Saved:
    """Save the rows that have no errors."""
    return save_correct_rows(tenant.pk, seen.changes, actor=actor, now=now)


def tables(tenant: Tenant) -> list[Table]:
    """Every mapping of a tenant, a table a kind."""
    found = []
    for name, resource_class in RESOURCES.items():
        dataset = resource_class(tenant=tenant).export(force_native_type=True)
        found.append(Table(name, dataset.headers or [], list(dataset)))
    return found


def _checked(tenant: Tenant, sheet: Sheet) -> Preview:
    resource = RESOURCES[sheet.kind](tenant=tenant)
    dataset = dataset_of(sheet)
    result = resource.import_data(dataset, dry_run=True)
    errors = row_errors(sheet.name, dataset, result)
    return Preview(
        changes=() if result.has_errors() else tuple(resource.changes.values()),
        created=result.totals[RowResult.IMPORT_TYPE_NEW],
        changed=result.totals[RowResult.IMPORT_TYPE_UPDATE],
        unchanged=result.totals[RowResult.IMPORT_TYPE_SKIP],
        errors=tuple(errors),
        failed=(failed_rows(sheet.kind, dataset, errors),) if errors else (),
        left_aside=(),
    )


def _joined(parts: Sequence[Preview], left_aside: tuple[str, ...]) -> Preview:
    return Preview(
        changes=tuple(change for part in parts for change in part.changes),
        created=sum(part.created for part in parts),
        changed=sum(part.changed for part in parts),
        unchanged=sum(part.unchanged for part in parts),
        errors=tuple(error for part in parts for error in part.errors),
        failed=tuple(table for part in parts for table in part.failed),
        left_aside=left_aside,
    )


def row_errors(sheet: str, dataset: NumberedDataset, result: Result | MappingResult) -> list[RowError]:
    """Every error of a result by sheet, row and column."""
    found = [RowError(sheet, 0, "", str(error.error)) for error in result.base_errors]
    if found:
        return found
    for broken in result.error_rows:
        number = dataset.numbers[broken.number - 1]
        found += [RowError(sheet, number, "", str(error.error)) for error in broken.errors]
    for row in result.invalid_rows:
        number = dataset.numbers[row.number - 1]
        found += [
            RowError(sheet, number, column_name(field), str(message))
            for field, messages in row.error_dict.items()
            for message in messages
        ]
    return sorted(found, key=lambda error: error.row)


def failed_rows(kind: str, dataset: NumberedDataset, errors: Sequence[RowError]) -> Table:
    """The wrong rows as they were, with a column that says why; the column is ignored when the file comes back."""
    reasons: dict[int, list[str]] = {}
    for error in errors:
        reasons.setdefault(error.row, []).append(error.message)
    rows: list[list[Any]] = [
        [*(str(cell) for cell in cells), " ".join(reasons[number])]
        for number, cells in zip(dataset.numbers, dataset, strict=True)
        if number in reasons
    ]
    return Table(kind, [*(dataset.headers or []), ERROR_COLUMN], rows)

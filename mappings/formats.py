"""The two file formats of the upload and download pages, on our own readers and writers."""

from __future__ import annotations

from typing import Any

from import_export.formats.base_formats import Format
from tablib import Dataset

from mappings import sheets, workbooks
from mappings.kinds import Kind
from mappings.sheets import Sheet, UnreadableFile

MOST_ROWS_ON_A_PAGE = 5_000


class NumberedDataset(Dataset):
    """A dataset that knows the row number of each of its rows in the file."""

    numbers: tuple[int, ...] = ()


class MappingFormat(Format):
    """What CSV and XLSX share; `kind` is bound by `formats_of`."""

    kind: Kind
    encoding: str | None = None

    def __init__(self, encoding: str | None = None) -> None:
        self.encoding = encoding

    def create_dataset(self, content: bytes, **kwargs: Any) -> NumberedDataset:
        sheet = sheets.of_kind(sheets.read(content, f"upload.{self.get_extension()}"), self.kind.name)
        if len(sheet.rows) > MOST_ROWS_ON_A_PAGE:
            raise UnreadableFile(
                f"The file has {len(sheet.rows):,} rows; a page takes {MOST_ROWS_ON_A_PAGE:,}. "
                "Split it, or ask for the command import_mappings."
            )
        return dataset_of(sheet)

    def table(self, dataset: Dataset) -> workbooks.Table:
        return workbooks.Table(self.kind.name, dataset.headers or [], list(dataset))

    def is_binary(self) -> bool:
        return True

    def get_read_mode(self) -> str:
        return "rb"

    def can_import(self) -> bool:
        return True

    def can_export(self) -> bool:
        return True


class Csv(MappingFormat):
    def get_title(self) -> str:
        return "CSV"

    def get_extension(self) -> str:
        return "csv"

    def get_content_type(self) -> str:
        return "text/csv; charset=utf-8"

    def export_data(self, dataset: Dataset, **kwargs: Any) -> bytes:
        return workbooks.to_csv(self.table(dataset)).encode()


class Xlsx(MappingFormat):
    def get_title(self) -> str:
        return "Excel (XLSX)"

    def get_extension(self) -> str:
        return "xlsx"

    def get_content_type(self) -> str:
        return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def export_data(self, dataset: Dataset, **kwargs: Any) -> bytes:
        return workbooks.to_xlsx([self.table(dataset)])


def formats_of(kind: Kind) -> list[type[MappingFormat]]:
    """XLSX and CSV for one kind; a format's place in the list is its number in forms."""
    return [type(base.__name__, (base,), {"kind": kind}) for base in (Xlsx, Csv)]


def dataset_of(sheet: Sheet) -> NumberedDataset:
    dataset = NumberedDataset(*(row.cells for row in sheet.rows), headers=list(sheet.headings))
    dataset.numbers = tuple(row.number for row in sheet.rows)
    return dataset

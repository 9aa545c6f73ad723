"""Mappings as resources of django-import-export: cells in and out, the diff of a dry run, every row's error."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.html import format_html
from import_export import resources
from import_export.fields import Field
from import_export.instance_loaders import BaseInstanceLoader
from import_export.results import Result, RowResult
from import_export.widgets import Widget
from tablib import Dataset

from mappings.cells import CellError, Parse
from mappings.kinds import KINDS, Kind
from mappings.planning import Change, Planned, fingerprint, plan, refusals_of
from mappings.saving import Saved, save_correct_rows, save_rows
from tenants.models import Tenant

ERROR_COLUMN = "error"  # the reasons in a file of failed rows; ignored when the file comes back


class CellWidget(Widget):
    """Reads a cell by the kind's own rule; writes dates and tax rates as such where the file can hold them."""

    def __init__(self, parse: Parse) -> None:
        super().__init__()
        self.parse = parse

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        return self.parse(value)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        if isinstance(value, dt.date):
            return value if kwargs.get("force_native_type") else value.isoformat()
        return "" if value is None else str(value)


class RateWidget(CellWidget):
    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return Decimal(value) if value and kwargs.get("force_native_type") else value or ""


class KeyLoader(BaseInstanceLoader):
    """Finds a row by every part of its key, among rows read once; a key that cannot be read finds nothing."""

    def __init__(self, resource: MappingResource, dataset: Any = None) -> None:
        super().__init__(resource, dataset)
        kind = resource.mapping_kind
        self.rows = {kind.key_of(kind.values_of(row)): row for row in resource.get_queryset()}

    def get_instance(self, row: Mapping[str, Any]) -> Any:
        fields = self.resource.fields
        try:
            return self.rows.get(tuple(fields[name].clean(row) for name in self.resource.get_import_id_fields()))
        except CellError:
            return None


class CellDiff(resources.Diff):
    """Old and new text of each cell, marked by elements and not by styles."""

    def as_html(self) -> list[str]:
        before = [""] * len(self.right) if self.new else self.left
        return [_marked(str(old), str(new)) for old, new in zip(before, self.right, strict=True)]


def _marked(old: str, new: str) -> str:
    if old == new:
        return format_html("{}", new)
    removed = format_html("<del>{}</del> ", old) if old else ""
    return format_html("{}<ins>{}</ins>", removed, new)


class MappingResult(Result):
    """The result of an import; `saved` stays None in a dry run and where a wrong row stopped everything."""

    saved: Saved | None = None
    numbers: tuple[int, ...] = ()  # of the rows in the file
    headings: tuple[str, ...] = ()  # of the file
    changes: tuple[Change, ...] = ()  # the rows as they would be, without the wrong ones
    seen: str = ""  # the fingerprint of the stored rows that they were compared with


class MappingResource(resources.ModelResource):
    """One kind of mapping of one tenant. Rows are collected, checked together and saved by `mappings.saving`."""

    mapping_kind: Kind  # not `kind`, which is a column of the customers

    def __init__(
        self,
        *,
        tenant: Tenant | None,
        actor: str = "",
        may_leave_out: bool = False,
        on_row: Callable[[int], None] = lambda number: None,
        on_saved: Callable[[Saved, int], None] = lambda saved, left_out: None,
        seen: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.on_row = on_row  # told the number of each row that was read
        self.on_saved = on_saved  # called in the transaction of the save, with the number of wrong rows
        self.seen = seen  # what a dry run compared with: if it is something else by now, nothing is saved
        self.tenant, self.actor, self.may_leave_out = tenant, actor, may_leave_out
        self.changes: dict[int, Change] = {}  # by place in the dataset
        self.row_results: dict[int, RowResult] = {}
        self.is_dry_run = True

    def get_queryset(self) -> QuerySet[Model]:
        return self.mapping_kind.model._default_manager.filter(tenant=self.tenant)

    @classmethod
    def get_display_name(cls) -> str:
        return f"{cls.mapping_kind.title}s"

    @classmethod
    def get_result_class(cls) -> type[Result]:
        return MappingResult

    @classmethod
    def get_diff_class(cls) -> type[resources.Diff]:
        return CellDiff

    def import_data(self, dataset: Dataset, dry_run: bool = False, raise_errors: bool = False, **kwargs: Any) -> Result:
        """As the package's own, without a transaction around it: a dry run takes no lock, `saving` has its own."""
        for name in ("use_transactions", "rollback_on_validation_errors"):
            kwargs.pop(name, None)
        collect = kwargs.pop("collect_failed_rows", False)
        self.is_dry_run = dry_run
        return self.import_data_inner(dataset, dry_run, raise_errors, False, collect, **kwargs)

    def before_import(self, dataset: Dataset, **kwargs: Any) -> None:
        self.changes, self.row_results = {}, {}
        _check_headings(self.mapping_kind, dataset.headers or [])

    def init_instance(self, row: Any = None) -> Model:
        return self.mapping_kind.model(tenant=self.tenant)

    def validate_instance(
        self, instance: Any, import_validation_errors: Any = None, validate_unique: bool = True
    ) -> None:
        """Cells that cannot be read; everything else is judged when all rows are known."""
        if import_validation_errors:
            raise ValidationError(import_validation_errors)

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        """Unchanged rows are skipped, and yet collected, since a second row may clash with them."""
        if import_validation_errors:
            return False
        return original.pk is not None and self.mapping_kind.values_of(instance) == self.mapping_kind.values_of(
            original
        )

    def save_instance(self, instance: Any, is_create: bool, row: Any, **kwargs: Any) -> None:
        """Nothing is saved here."""

    def save_m2m(self, instance: Any, row: Any, **kwargs: Any) -> None:
        """There is none."""

    def after_import_row(self, row: Any, row_result: RowResult, **kwargs: Any) -> None:
        number = kwargs["row_number"]
        self.row_results[number] = row_result
        self.changes[number] = Change(
            self.mapping_kind.name, self.mapping_kind.values_of(row_result.instance), str(number)
        )
        self.on_row(number)

    def after_import(self, dataset: Dataset, result: Result, **kwargs: Any) -> None:
        result.numbers = getattr(dataset, "numbers", ())
        result.headings = tuple(dataset.headers or ())
        if result.has_errors() or self.tenant is None:
            return
        planned = plan(self.tenant.pk, list(self.changes.values()))
        result.seen = fingerprint(planned)
        self._judge(self.tenant, planned, dataset, result)
        wrong = {number for number, row in self.row_results.items() if row.import_type == RowResult.IMPORT_TYPE_INVALID}
        result.changes = tuple(change for number, change in self.changes.items() if number not in wrong)
        if not self.is_dry_run and (self.may_leave_out or not result.has_validation_errors()):
            result.saved = self._saved(self.tenant, len(result.invalid_rows))

    def _saved(self, tenant: Tenant, left_out: int) -> Saved:
        save = save_correct_rows if self.may_leave_out else save_rows
        with transaction.atomic():
            changes = list(self.changes.values())
            saved = save(tenant.pk, changes, actor=self.actor, now=timezone.now(), seen=self.seen)
            if saved or not saved.refusals:
                self.on_saved(saved, left_out)
        return saved

    def _judge(self, tenant: Tenant, planned: list[Planned], dataset: Dataset, result: Result) -> None:
        """Rows that read well but may not be saved become invalid rows, with all their reasons."""
        reasons: dict[int, dict[str, list[str]]] = {}
        for refusal in refusals_of(tenant.pk, planned):
            column = refusal.finding.field or NON_FIELD_ERRORS
            reasons.setdefault(int(refusal.change.place), {}).setdefault(column, []).append(str(refusal.problem))
        for number, errors in reasons.items():
            row_result = self.row_results[number]
            result.totals[row_result.import_type] -= 1
            row_result.import_type = RowResult.IMPORT_TYPE_INVALID
            result.increment_row_result_total(row_result)
            row = dict(zip(dataset.headers, dataset[number - 1], strict=True))
            result.append_invalid_row(number, row, ValidationError(errors))
        result.invalid_rows.sort(key=lambda row: row.number)

    def export(self, queryset: Any = None, **kwargs: Any) -> Dataset:
        rows = self.get_queryset() if queryset is None else queryset.filter(tenant=self.tenant)
        dataset = super().export(rows, **kwargs)
        dataset.title = self.mapping_kind.name
        return dataset


def _check_headings(kind: Kind, headings: list[str]) -> None:
    known = [column.name for column in kind.columns]
    unknown = [heading for heading in headings if heading not in known and heading != ERROR_COLUMN]
    missing = [column.name for column in kind.columns if column.field in kind.key and column.name not in headings]
    if unknown:
        raise CellError(f"Column '{unknown[0]}' is not known. Use: {', '.join(known)}.")
    if missing:
        raise CellError(
            f"Column '{missing[0]}' is missing. Add it: the key ({', '.join(kind.key)}) says which row is meant."
        )


def column_name(field: str) -> str:
    """What a field is called in a spreadsheet; '' where an error is about the whole row."""
    if field == NON_FIELD_ERRORS:
        return ""
    return "link" if field == "kind" else field


def resource_of(kind: Kind) -> type[MappingResource]:
    """The resource class of a kind: a field for each column, found by the kind's key."""
    fields = {
        column.field: Field(
            attribute=column.field,
            column_name=column.name,
            widget=(RateWidget if column.field == "rate" else CellWidget)(column.parse),
        )
        for column in kind.columns
    }
    meta = type(
        "Meta",
        (),
        {
            "model": kind.model,
            "fields": kind.fields,
            "import_order": kind.fields,
            "export_order": kind.fields,
            "import_id_fields": kind.key,
            "instance_loader_class": KeyLoader,
            "skip_unchanged": True,
            "report_skipped": False,
            "store_instance": True,
            "clean_model_instances": False,
        },
    )
    name = f"{kind.model.__name__}Resource"
    return type(resources.ModelResource)(name, (MappingResource,), {**fields, "Meta": meta, "mapping_kind": kind})


RESOURCES: dict[str, type[MappingResource]] = {name: resource_of(kind) for name, kind in KINDS.items()}

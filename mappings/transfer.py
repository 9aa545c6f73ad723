"""Upload and download of mappings in the browser: dry run, confirmation, and the wrong rows as a file."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from import_export.forms import ConfirmImportForm, ExportForm, ImportForm

from mappings.files import failed_rows, row_errors
from mappings.formats import MappingFormat, formats_of
from mappings.kinds import KIND_OF_MODEL, Kind
from mappings.models import MappingUpload
from mappings.resources import RESOURCES, MappingResource, MappingResult, column_name
from mappings.sheets import LARGEST_FILE, UnreadableFile
from mappings.upload_admin import hand_over
from mappings.uploading import receive
from mappings.uploads import UploadStorage
from mappings.workbooks import to_xlsx
from tenants import access
from tenants.admin import TenantTransferMixin
from tenants.audit import actor_name

_A_DAY = 24 * 3600
_SHOWN = 500
LARGEST_ON_A_PAGE = 150_000  # bytes, about 5,000 rows; what is larger is checked in the background


class UploadForm(ImportForm):
    """One file; its name says its format."""

    def __init__(self, formats: list[type[MappingFormat]], resources: Any, **kwargs: Any) -> None:
        super().__init__(formats, resources, **kwargs)
        self.endings = [each().get_extension() for each in formats]
        self.fields["format"] = forms.CharField(required=False, widget=forms.HiddenInput)
        self.fields["import_file"].label = "Spreadsheet"
        self.fields["import_file"].widget.attrs = {"accept": ".xlsx,.csv"}

    @property
    def media(self) -> forms.Media:
        return forms.Media()

    def clean_import_file(self) -> Any:
        upload = self.cleaned_data["import_file"]
        if upload.size > LARGEST_FILE:
            raise forms.ValidationError(f"The file has more than {LARGEST_FILE // 2**20} MB. Split it.")
        if _ending(upload.name) not in self.endings:
            raise forms.ValidationError(f"'{upload.name}' is no .xlsx and no .csv file. Save it as one of the two.")
        return upload

    def clean(self) -> dict[str, Any]:
        values = dict(super().clean() or self.cleaned_data)
        if "import_file" in values:
            values["format"] = str(self.endings.index(_ending(values["import_file"].name)))
        return values


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower()


class ConfirmForm(ConfirmImportForm):
    """The upload is named by a signature that holds for one user, tenant and kind, and for a day."""

    may_leave_out = forms.BooleanField(required=False, widget=forms.HiddenInput)
    seen = forms.CharField(required=False, widget=forms.HiddenInput)  # what the shown difference was made from

    def __init__(self, *args: Any, signer: TimestampSigner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.signer = signer

    def clean_import_file_name(self) -> str:
        try:
            name = self.signer.unsign(self.cleaned_data["import_file_name"], max_age=_A_DAY)
        except BadSignature:
            name = ""
        if not name or not UploadStorage(name=name).exists():
            raise forms.ValidationError("The upload is no longer here, or belongs to another tenant. Upload it again.")
        return name

    def clean_format(self) -> str:
        if self.cleaned_data["format"] not in {"0", "1"}:
            raise forms.ValidationError("That is no format.")
        return str(self.cleaned_data["format"])


def _wrong_row(row: Any, result: MappingResult) -> dict[str, Any]:
    """For the page: the row's number in the file, its cells, and every reason with its column."""
    reasons = [
        {"column": column_name(field), "message": message}
        for field, found in row.error_dict.items()
        for message in found
    ]
    cells = dict(zip(result.diff_headers, row.values, strict=True))
    shown = [_shown(cells[heading]) for heading in result.diff_headers if heading in result.headings]
    return {"place": result.numbers[row.number - 1], "reasons": reasons, "values": shown}


def _changes(rows: list[Any], result: MappingResult) -> tuple[list[dict[str, Any]], list[str]]:
    """New and changed rows with the columns that hold anything in one of them."""
    filled = [place for place in range(len(result.diff_headers)) if any(row.diff[place] for row in rows)]
    shown = [{"is_new": row.is_new(), "cells": [row.diff[place] for place in filled]} for row in rows]
    return shown, [result.diff_headers[place] for place in filled]


def _shown(cell: object) -> str:
    return f"{cell:%Y-%m-%d}" if isinstance(cell, dt.date) else str(cell)


class DownloadForm(ExportForm):
    """Excel unless CSV is asked for."""

    def _init_formats(self, formats: list[type[MappingFormat]]) -> None:
        choices = [(str(place), each().get_title()) for place, each in enumerate(formats)]
        self.fields["format"] = forms.ChoiceField(choices=choices, initial="0")


class MappingTransfer(TenantTransferMixin):
    """Import and export buttons of a mapping's list."""

    import_template_name = "admin/mappings/import.html"
    export_template_name = "admin/mappings/export.html"
    import_form_class = UploadForm
    confirm_form_class = ConfirmForm
    export_form_class = DownloadForm
    tmp_storage_class = UploadStorage
    from_encoding = None

    @property
    def kind(self) -> Kind:
        return KIND_OF_MODEL[self.model]

    def get_resource_classes(self, request: HttpRequest) -> list[type[MappingResource]]:
        return [RESOURCES[self.kind.name]]

    def get_import_formats(self) -> list[type[MappingFormat]]:
        return formats_of(self.kind)

    get_export_formats = get_import_formats

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_failed_rows"
        view = self.admin_site.admin_view(require_POST(self.failed_rows_view))
        return [path("failed-rows/", view, name=name), *super().get_urls()]

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        form = kwargs.pop("form", None)
        values = getattr(form, "cleaned_data", {})
        found = super().get_import_resource_kwargs(request, **kwargs)
        return {
            **found,
            "actor": actor_name(request.user),
            "may_leave_out": bool(values.get("may_leave_out")),
            "seen": values.get("seen", ""),
        }

    def get_confirm_form_kwargs(self, request: HttpRequest, import_form: Any = None) -> dict[str, Any]:
        return {**super().get_confirm_form_kwargs(request, import_form), "signer": self._signer(request)}

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        found = super().get_confirm_form_initial(request, import_form)
        if "import_file_name" in found:
            found["import_file_name"] = self._signer(request).sign(found["import_file_name"])
        return found

    def _signer(self, request: HttpRequest) -> TimestampSigner:
        tenant = access.of(request).tenant
        return TimestampSigner(salt=f"upload:{request.user.pk}:{tenant and tenant.pk}:{self.kind.name}")

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        if not isinstance(e, UnreadableFile):
            raise e
        form.add_error("import_file", str(e))

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The package's page, with the choice to save the correct rows only where some are wrong."""
        large = self._large(request)
        if large is not None:
            return HttpResponseRedirect(reverse("admin:mappings_mappingupload_change", args=[large.pk]))
        response = super().import_action(request, **kwargs)
        context = response.context_data
        result = context.get("result")
        context["kind"] = self.kind
        if result is not None and not result.has_errors():
            rows = [row for row in result.valid_rows() if not row.is_skip()]
            context["shown_rows"], context["shown_headings"] = _changes(rows[:_SHOWN], result)
            context["invalid_rows"] = [_wrong_row(row, result) for row in result.invalid_rows[:_SHOWN]]
            context["headings"] = [heading for heading in result.diff_headers if heading in result.headings]
            context["totals"] = result.totals
            if context.get("confirm_form"):
                context["confirm_form"].initial["seen"] = result.seen
            context["impact"] = self.impact(request, result.changes) if rows else []
            if result.invalid_rows:
                context["partial_form"] = self.create_confirm_form(request, import_form=context["form"])
                context["partial_form"].initial |= {"may_leave_out": "on", "seen": result.seen}
        return response

    def _large(self, request: HttpRequest) -> MappingUpload | None:
        """A file too large for a page goes to the background; what is wrong with it the page says."""
        file, tenant = request.FILES.get("import_file"), access.of(request).tenant
        if request.method != "POST" or file is None or tenant is None or not self.has_import_permission(request):
            return None
        endings = [each().get_extension() for each in self.get_import_formats()]
        if not LARGEST_ON_A_PAGE < (file.size or 0) <= LARGEST_FILE or _ending(file.name or "") not in endings:
            return None
        actor, now = actor_name(request.user), timezone.now()
        upload = receive(tenant, self.kind.name, file.name or "", file.read(), actor=actor, now=now)
        hand_over(tenant)
        return upload

    def failed_rows_view(self, request: HttpRequest) -> HttpResponse:
        """The wrong rows of an upload with their reasons, as a workbook to mend and upload."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = self.create_confirm_form(request)
        if not form.is_valid():
            return self._again(request, " ".join(error for errors in form.errors.values() for error in errors))
        content = UploadStorage(name=form.cleaned_data["import_file_name"]).read()
        dataset = self.get_import_formats()[int(form.cleaned_data["format"])]().create_dataset(content)
        result = self.get_resource_classes(request)[0](tenant=access.of(request).tenant).import_data(
            dataset, dry_run=True
        )
        errors = row_errors(self.kind.name, dataset, result)
        reply = HttpResponse(
            to_xlsx([failed_rows(self.kind.name, dataset, errors)]),
            content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        )
        reply["Content-Disposition"] = f'attachment; filename="{self.kind.name}-wrong-rows.xlsx"'
        return reply

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """A confirmation whose upload is gone, or that is another's, leads back to the upload."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = self.create_confirm_form(request)
        if request.method == "POST" and not form.is_valid():
            return self._again(request, " ".join(error for errors in form.errors.values() for error in errors))
        return super().process_import(request, **kwargs)

    def process_result(self, result: MappingResult, request: HttpRequest) -> HttpResponse:
        saved = result.saved
        if saved is None or (saved.refusals and not saved):
            reasons = [str(refusal.problem) for refusal in (saved.refusals if saved is not None else ())]
            reasons += [
                message for row in result.invalid_rows for found in row.error_dict.values() for message in found
            ]
            return self._again(request, f"Nothing was saved. {reasons[0] if reasons else ''} Upload the file again.")
        left_out = len(result.invalid_rows)
        wrong = f" {left_out} wrong rows were left out." if left_out else ""
        text = f"Saved: {saved.created} new, {saved.changed} changed, {saved.unchanged} unchanged.{wrong}"
        messages.success(request, text)
        self.saved_changes(request, saved)
        return HttpResponseRedirect(self._url("changelist"))

    def _again(self, request: HttpRequest, text: str) -> HttpResponse:
        messages.error(request, text)
        return HttpResponseRedirect(self._url("import"))

    def _url(self, name: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", current_app=self.admin_site.name)

    def get_export_data(self, file_format: Any, request: HttpRequest, queryset: Any, **kwargs: Any) -> Any:
        """Dates and rates as such where the format holds them."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        data = self.get_data_for_export(
            request, queryset, force_native_type=file_format.get_extension() == "xlsx", **kwargs
        )
        return file_format.export_data(data)

    def get_export_filename(self, request: HttpRequest, queryset: Any, file_format: Any) -> str:
        tenant = access.of(request).tenant
        return f"{tenant.slug if tenant else ''}-{self.kind.name}.{file_format.get_extension()}"

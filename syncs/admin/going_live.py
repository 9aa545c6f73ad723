"""Going live: one page for the cut-off, open items, what leans on older documents, backfills and the parallel run."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from connector.errors import Problem
from connector.ledger.compare import Period
from mappings.sheets import LARGEST_FILE, UnreadableFile
from syncs import backfilling, cancelling, opening, tasks
from syncs.admin import links, words
from syncs.admin.filters import CurrencyFilter
from syncs.admin.reading import ReadOnlyAdmin
from syncs.models import Backfill, OnAccount, OpeningItem, ParallelComparison, SourceDocument
from syncs.models.golive import OPENING_KINDS, OpeningState
from syncs.renewing import renew
from syncs.states import SourceState
from tenants import access, audit, navigation, policies
from tenants.access import Access, Action
from tenants.admin.changes import actor_of
from tenants.models import Tenant

SHOWN = 100
HUB = "admin:syncs_going_live"
navigation.register(navigation.Page("Documents", "Going live", HUB, order=80))
KIND_CHOICES = [(kind.value, f"{kind.label}s") for kind in OPENING_KINDS]


class UploadForm(forms.Form):
    """A spreadsheet of open items."""

    file = forms.FileField(label="Spreadsheet", widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"}))

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        if upload.size > LARGEST_FILE:
            raise forms.ValidationError(f"The file has more than {LARGEST_FILE // 2**20} MB. Split it.")
        return upload


class RangeForm(forms.Form):
    """Which older documents."""

    kind = forms.ChoiceField(label="Documents", choices=KIND_CHOICES)
    first = forms.DateField(label="from", widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label="to", widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.CharField(required=False, max_length=500)


class PeriodForm(forms.Form):
    """A month."""

    period = forms.CharField(max_length=7, widget=forms.TextInput(attrs={"type": "month", "placeholder": "2026-11"}))

    def clean_period(self) -> str:
        text = str(self.cleaned_data["period"])
        try:
            return Period.named(text).name
        except ValueError:
            raise forms.ValidationError(f"'{text}' is no period. Write one such as 2026-11.") from None


@admin.register(OpeningItem)
class OpeningItemAdmin(ReadOnlyAdmin):
    nav_group = ""
    list_title = "Opening items"
    list_help = (
        "What is still open from before the cut-off, with its number in QAD. Each counts once it is found there."
    )
    ordering = ("kind", "source_id")
    list_display = ("document", "qad_number", "amount", "badge", "sentence", "actor")
    list_filter = ("state", "kind", CurrencyFilter)
    search_fields = ("source_id", "qad_number")
    shows_times = False

    def find(self, tenant: Tenant, text: str) -> set[int]:
        rows = OpeningItem.objects.filter(tenant=tenant)
        return set(rows.filter(source_id=text).values_list("pk", flat=True)) | set(
            rows.filter(qad_number=text).values_list("pk", flat=True)
        )

    @admin.display(description="document")
    def document(self, item: OpeningItem) -> str:
        return str(item)

    @admin.display(description="open amount")
    def amount(self, item: OpeningItem) -> str:
        return words.money(item.open_minor, item.currency)

    @admin.display(description="state")
    def badge(self, item: OpeningItem) -> Any:
        tones = {OpeningState.VERIFIED: "posted", OpeningState.REFUSED: "rejected", OpeningState.WAITING: "waiting"}
        return words.badge(tones[OpeningState(item.state)], item.get_state_display())

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("going-live/", view(self.hub), name="syncs_going_live"),
            path("upload/", view(require_POST(self.upload)), name="syncs_openingitem_upload"),
            path("<int:pk>/remove/", view(require_POST(self.remove)), name="syncs_openingitem_remove"),
            path("backfill/", view(require_POST(self.backfill)), name="syncs_backfill_ask"),
            path("backfill/<int:pk>/cancel/", view(require_POST(self.cancel)), name="syncs_backfill_cancel"),
            path("backfill/<int:pk>/resume/", view(require_POST(self.resume)), name="syncs_backfill_resume"),
            path("parallel/", view(require_POST(self.parallel)), name="syncs_parallel_ask"),
            path("on-account/<int:pk>/", view(require_POST(self.on_account)), name="syncs_on_account"),
            *super().get_urls(),
        ]

    # The page

    def hub(self, request: HttpRequest, **more: Any) -> HttpResponse:
        found = self._access(request, None)
        tenant = cast(Tenant, found.tenant)
        decided = policies.read(tenant)
        items = OpeningItem.objects.filter(tenant=tenant)
        context = {
            "cut_off": sorted(decided["cut_off"].items()),
            "is_parallel": decided["parallel_run"] == "on",
            "policies_url": links.url("admin:tenants_tenant_policies", tenant.pk),
            "counts": [(state.label, items.filter(state=state).count()) for state in OpeningState],
            "refused": items.filter(state=OpeningState.REFUSED)[:SHOWN],
            "children": self._children(tenant),
            "backfills": Backfill.objects.filter(tenant=tenant)[:20],
            "comparisons": ParallelComparison.objects.filter(tenant=tenant).defer("found")[:20],
            "may_enter": found.may(Action.IMPORT_MAPPINGS) or found.may(Action.REPLAY),
            "may_decide": found.may(Action.REPLAY),
            "may_run": found.may(Action.RUN),
            "upload_form": UploadForm(),
            "range_form": RangeForm(),
            "period_form": PeriodForm(),
            "columns": opening.COLUMNS,
            "range_preview": None,
        }
        return self.page(request, "going_live.html", title="Going live", **{**context, **more})

    def _children(self, tenant: Tenant) -> list[dict[str, Any]]:
        held = SourceDocument.objects.filter(
            tenant=tenant, state=SourceState.HELD, codes__contains="|parent-before-cut-off|"
        )
        return [
            {
                "row": row,
                "url": links.document_url(row.pk),
                "sentence": row.problems[0]["message"] if row.problems else "",
                "may_stay": bool(row.problems) and "on account" in row.problems[0]["fix"],
                "amount": words.money(row.total_minor, row.currency),
            }
            for row in held[:SHOWN]
        ]

    # What its buttons do

    def upload(self, request: HttpRequest) -> HttpResponse:
        """Enter open items: all rows or, if one is wrong, none."""
        found = self._access(request, None)
        if not (found.may(Action.IMPORT_MAPPINGS) or found.may(Action.REPLAY)):
            raise PermissionDenied
        tenant = cast(Tenant, found.tenant)
        form = UploadForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.hub(request, upload_form=form)
        file = form.cleaned_data["file"]
        try:
            rows, wrong = opening.rows_of(file.read(), file.name)
        except UnreadableFile as error:
            form.add_error("file", str(error))
            return self.hub(request, upload_form=form)
        told = [*(str(one) for one in wrong), *opening.clashes(tenant, rows)]
        if told:
            return self.hub(request, upload_form=form, wrong_rows=told[:SHOWN], wrong_count=len(told))
        changed = opening.save(tenant, rows, now=timezone.now(), actor=actor_of(request))
        tasks.give_a_turn(tenant, "opening")
        text = f"{words.counted(len(rows), 'row')}, {changed} new or changed."
        messages.success(request, f"{text} Each is looked up in QAD now; reload this page.")
        return HttpResponseRedirect(reverse(HUB))

    def remove(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take an item that QAD does not confirm off the list."""
        found = self._access(request, Action.REPLAY)
        now = timezone.now()
        with transaction.atomic():
            item = OpeningItem.objects.filter(tenant=found.tenant, pk=pk).exclude(state=OpeningState.VERIFIED).first()
            if item is None:
                messages.error(request, "That item is found in QAD, or is off the list already.")
                return HttpResponseRedirect(reverse(HUB))
            before = {"qad_number": item.qad_number, "open_minor": item.open_minor, "currency": item.currency}
            line = audit.Line("opening-item-removed", f"{item.kind}:{item.source_id}", before)
            audit.record(item.tenant_id, [line], actor=actor_of(request), now=now)
            item.delete()
        messages.success(request, f"{item} is off the list.")
        return HttpResponseRedirect(reverse(HUB))

    def on_account(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Decide that what a document settles of older ones stays on account."""
        found = self._access(request, Action.REPLAY)
        reason = request.POST.get("reason", "").strip()
        now, actor = timezone.now(), actor_of(request)
        with transaction.atomic():
            rows = SourceDocument.objects.filter(
                tenant=found.tenant, pk=pk, state=SourceState.HELD, codes__contains="|parent-before-cut-off|"
            )
            row = rows.select_for_update().first()
            if row is None or len(reason) < 5:
                said = "It is not held for an older document any more." if row is None else backfilling.SHORT
                messages.error(request, said)
                return HttpResponseRedirect(reverse(HUB))
            given = {"reason": reason, "actor": actor, "decided_at": now, "tenant": row.tenant}
            OnAccount.objects.update_or_create(source=row, defaults=given)
            line = audit.Line("left-on-account", f"{row.kind}:{row.source_id}", reason=reason)
            audit.record(row.tenant_id, [line], actor=actor, now=now)
            renew(row.tenant_id, rows, reason, now=now, actor=actor)
        tasks.give_a_turn(row.tenant, "prepare")
        messages.success(request, f"{row} is prepared; what it settles of older documents stays on account.")
        return HttpResponseRedirect(reverse(HUB))

    def backfill(self, request: HttpRequest) -> HttpResponse:
        """Show what a range would do; with a reason, have it posted."""
        found = self._access(request, Action.REPLAY)
        tenant = cast(Tenant, found.tenant)
        form = RangeForm(request.POST)
        if not form.is_valid():
            return self.hub(request, range_form=form)
        kind, first, last = (form.cleaned_data[name] for name in ("kind", "first", "last"))
        wrong = backfilling.why_not(tenant, kind, first, last)
        if wrong:
            form.add_error(None, wrong)
            return self.hub(request, range_form=form)
        if "confirm" not in request.POST:
            seen = backfilling.preview(tenant, kind, first, last, now=timezone.now())
            return self.hub(request, range_form=form, range_preview=_shown(seen))
        reason = form.cleaned_data["reason"]
        now, actor = timezone.now(), actor_of(request)
        made = backfilling.start(tenant, kind, first, last, reason=reason, now=now, actor=actor)
        if isinstance(made, str):
            form.add_error("reason", made)
            seen = backfilling.preview(tenant, kind, first, last, now=now)
            return self.hub(request, range_form=form, range_preview=_shown(seen))
        tasks.give_a_turn(tenant, "backfill")
        text = f"{words.counted(made.total, 'document')} will be prepared and posted"
        messages.success(request, f"{text}; reload this page to see how far it is.")
        return HttpResponseRedirect(reverse(HUB))

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stop a backfill before its next batch."""
        found = self._access(request, Action.REPLAY)
        tenant, reason = cast(Tenant, found.tenant), request.POST.get("reason", "")
        made = cancelling.cancel(tenant, pk, reason=reason, now=timezone.now(), actor=actor_of(request))
        if isinstance(made, Problem):
            messages.error(request, made.message)
        else:
            left = "What it took goes on to QAD; the rest stays skipped. Go on takes the rest later."
            messages.success(request, f"{made} is stopped after {words.counted(made.done, 'document')}. {left}")
        return HttpResponseRedirect(reverse(HUB))

    def resume(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have a cancelled backfill go on."""
        found = self._access(request, Action.REPLAY)
        tenant = cast(Tenant, found.tenant)
        made = cancelling.resume(tenant, pk, now=timezone.now(), actor=actor_of(request))
        if isinstance(made, Problem):
            messages.error(request, made.message)
        else:
            tasks.give_a_turn(tenant, "backfill")
            messages.success(request, f"{made} goes on; reload this page to see how far it is.")
        return HttpResponseRedirect(reverse(HUB))

    def parallel(self, request: HttpRequest) -> HttpResponse:
        """Ask for a comparison of a period."""
        found = self._access(request, Action.RUN)
        form = PeriodForm(request.POST)
        if not form.is_valid():
            return self.hub(request, period_form=form)
        period = form.cleaned_data["period"]
        tasks.ask_for_parallel(cast(Tenant, found.tenant), period, actor_of(request))
        messages.success(request, f"{period} is compared as soon as a worker is free; reload this page then.")
        return HttpResponseRedirect(reverse(HUB))

    def _access(self, request: HttpRequest, action: Action | None) -> Access:
        found = access.of(request)
        if found.tenant is None or not found.may(action or Action.VIEW):
            raise PermissionDenied
        return found


@admin.register(ParallelComparison)
class ParallelComparisonAdmin(ReadOnlyAdmin):
    nav_group = ""
    list_title = "Parallel runs"
    list_help = "What would be posted beside what people keyed into QAD."
    list_display = ("period", "agreed", "differing", "only_here", "only_in_qad", "compared", "actor")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("tenant").defer("found")

    @admin.display(description="compared")
    def compared(self, row: ParallelComparison) -> str:
        return words.minute(row.compared_at, row.tenant.time_zone)

    def show(self, request: HttpRequest, row: Any) -> HttpResponse:
        compared = words.moment(row.compared_at, row.tenant.time_zone)
        return self.page(request, "parallel.html", title=str(row), row=row, compared=compared)


def _shown(seen: backfilling.Preview) -> dict[str, Any]:
    """A preview in words."""
    outcomes = {"ready": "would be posted", "held": "would be held", "skipped": "would be skipped by another rule"}
    return {
        "count": seen.count,
        "money": ", ".join(words.money(minor, code) for code, minor in sorted(seen.money.items()) if code),
        "rehearsed": seen.rehearsed,
        "outcomes": [(outcomes.get(name, name), count) for name, count in sorted(seen.outcomes.items())],
        "problems": seen.problems.most_common(20),
    }

"""The filters beside the lists, none of which reads a whole table to learn its choices."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from syncs.admin import attention, figures
from syncs.admin.figures import TITLES
from syncs.models import Assignment, Kind, Purpose, Run, SourceDocument
from syncs.states import Disposition, SourceState
from tenants import access

CODES_SHOWN = 40
RUNS_READ = 5


class DispositionFilter(SimpleListFilter):
    title = "disposition"
    parameter_name = "disposition"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name.value, str(name.label)) for name in Disposition]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        name = self.value()
        if name is None:
            return queryset
        tenant = access.of(request).tenant
        return figures.in_disposition(queryset, name, tenant) if name in Disposition.values else queryset.none()


class CurrencyFilter(SimpleListFilter):
    """The currencies of the last runs, which counted them anyway."""

    title = "currency"
    parameter_name = "currency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        runs = Run.objects.filter(tenant=access.of(request).tenant, purpose=Purpose.SYNC).exclude(equation=[])
        equations = runs.values_list("equation", flat=True)[:RUNS_READ]
        found = {one["currency"] for equation in equations for one in equation if one["currency"]}
        asked = request.GET.get(self.parameter_name, "")
        return [(code, code) for code in sorted(found | ({asked} if asked.isalpha() and len(asked) == 3 else set()))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else queryset.filter(currency=self.value())


class ProblemFilter(SimpleListFilter):
    """The problems of held documents; a rule that skipped one is found by its address only."""

    title = "problem"
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        held = SourceDocument.objects.filter(
            tenant=access.of(request).tenant, kind__in=Kind.values, state__in=figures.STUCK_SOURCES
        )
        texts = held.order_by().values_list("codes", flat=True).distinct()[:CODES_SHOWN]
        codes = {code for text in texts for code in text.split("|") if code}
        asked = request.GET.get(self.parameter_name, "")
        return [(code, TITLES.get(code, code)) for code in sorted(codes | ({asked} if asked else set()))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        states = (*figures.STUCK_SOURCES, SourceState.SKIPPED, SourceState.IGNORED)
        return queryset.filter(kind__in=Kind.values, state__in=states, codes__contains=f"|{self.value()}|")


class SubjectFilter(SimpleListFilter):
    """What a problem is about, as the list of causes links to it; there is nothing to choose from by itself."""

    title = "what it is about"
    parameter_name = "about"  # 'code:subject'

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = request.GET.get(self.parameter_name, "")
        return [(asked, asked.partition(":")[2])] if asked else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        tenant = access.of(request).tenant
        if self.value() is None or tenant is None:
            return queryset
        code, _, subject = (self.value() or "").partition(":")
        return queryset.filter(pk__in=attention.about(tenant, code, subject))


class AssignedFilter(SimpleListFilter):
    title = "looked after by"
    parameter_name = "assigned"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = Assignment.objects.filter(tenant=access.of(request).tenant).order_by("assigned_to")
        return [(name, name) for name in rows.values_list("assigned_to", flat=True).distinct()[:CODES_SHOWN]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        mine = Assignment.objects.filter(tenant=access.of(request).tenant, assigned_to=self.value())
        return queryset.filter(pk__in=mine.values("source_id"))

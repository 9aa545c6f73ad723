"""The page that copies another tenant's mappings here: choose, see the difference, save."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from mappings import copying
from mappings.copying import Comparison
from mappings.kinds import KINDS
from mappings.planning import Planned
from mappings.saving import Saved, save_rows
from tenants import access
from tenants.access import Access, Action
from tenants.audit import actor_name
from tenants.models import Tenant

SHOWN = 300  # rows of the difference on the page


class CopyForm(forms.Form):
    """Which tenant, and which kinds."""

    source = forms.ChoiceField(label="Copy from", error_messages={"invalid_choice": "That tenant is not one of yours."})
    kinds = forms.MultipleChoiceField(
        label="What to copy",
        widget=forms.CheckboxSelectMultiple,
        choices=[(name, f"{kind.title}s") for name, kind in KINDS.items()],
        initial=list(copying.USUAL),
        error_messages={"required": "Tick at least one kind."},
    )

    def __init__(self, *args: Any, sources: list[Tenant], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["source"]
        field.choices = [(tenant.slug, f"{tenant.name} ({tenant.get_mode_display().lower()})") for tenant in sources]


def sources_of(found: Access) -> list[Tenant]:
    """Other tenants whose mappings the user may take along."""
    here = found.tenant
    return [one for one in found.tenants if here and one.pk != here.pk and found.may(Action.EXPORT, one.pk)]


def values(request: HttpRequest) -> tuple[dict[str, Any], Saved | None]:
    """What the page shows, and what was saved if it was. Raises PermissionDenied."""
    found = access.of(request)
    if found.tenant is None or not found.may(Action.IMPORT_MAPPINGS):
        raise PermissionDenied
    sources = sources_of(found)
    form = CopyForm(request.POST if request.method == "POST" else None, sources=sources)
    shown: dict[str, Any] = {"form": form, "sources": sources, "target": found.tenant}
    if request.method != "POST" or not form.is_valid():
        return shown, None
    source = next(one for one in sources if one.slug == form.cleaned_data["source"])
    seen = copying.compare(source, found.tenant, form.cleaned_data["kinds"])
    is_as_shown = request.POST.get("mark") == seen.mark
    if "save" in request.POST and not is_as_shown:
        messages.error(request, "The difference is another one by now; nothing was saved. Look at it again.")
    elif "save" in request.POST and not seen.refusals:
        saved = _save(request, source, found.tenant, seen)
        if saved is not None:
            return shown, saved
    return shown | {"seen": seen, "rows": _rows(seen), "only_here": list(seen.only_here.items())}, None


def _save(request: HttpRequest, source: Tenant, target: Tenant, seen: Comparison) -> Saved | None:
    actor = f"{actor_name(request.user)}, copied from {source.slug}"[:150]
    saved = save_rows(target.pk, seen.changes, actor=actor, now=timezone.now(), seen=seen.seen)
    if saved.refusals:
        messages.error(request, "Another change came in between; nothing was saved. Look at the difference again.")
        return None
    messages.success(request, f"Copied from {source}: {saved.created} new, {saved.changed} changed.")
    return saved


def _rows(seen: Comparison) -> list[dict[str, str]]:
    fresh = [{"what": "New", "row": _subject(one), "columns": _given(one)} for one in seen.fresh]
    different = [{"what": "Changed", "row": _subject(one), "columns": copying.told(one)} for one in seen.different]
    return [*different, *fresh][:SHOWN]


def _subject(one: Planned) -> str:
    return KINDS[one.change.kind].subject(one.change.values)


def _given(one: Planned) -> str:
    kind = KINDS[one.change.kind]
    rest = [column for column in kind.columns if column.field not in kind.key]
    return ", ".join(
        f"{column.name} {one.change.values[column.field]}" for column in rest if one.change.values[column.field]
    )

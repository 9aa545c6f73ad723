"""The navigation at the left: groups by task, entries only where the user may look."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from tenants import access
from tenants.access import Action

GROUPS = (
    *("Overview", "Documents", "Month end", "Mappings", "Customers"),
    *("Tenants & connections", "Traffic", "Audit"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """An entry that is no list of rows: its group, label, URL name, place, and who sees it."""

    group: str
    label: str
    url_name: str
    order: int = 50
    action: Action = Action.VIEW


@dataclass(frozen=True, slots=True)
class Entry:
    label: str
    url: str
    order: int
    is_current: bool


_pages: list[Page] = [Page("Overview", "Dashboard", "admin:index", order=0)]


def register(page: Page) -> None:
    """Add a page; call it where the page's URL is defined."""
    if page.group not in GROUPS:
        raise ValueError(f"'{page.group}' is not a navigation group. Use one of: {', '.join(GROUPS)}.")
    if page not in _pages:
        _pages.append(page)


def groups(site: AdminSite, request: HttpRequest) -> list[tuple[str, list[Entry]]]:
    """Groups that hold anything, in order, each with its entries in order."""
    found: dict[str, list[Entry]] = {group: [] for group in GROUPS}
    for page in _pages:
        if page.url_name == "admin:index" or access.of(request).may(page.action):
            _add(found, page.group, (page.label, page.url_name, page.order), request)
    for model, screen in site._registry.items():
        if getattr(screen, "nav_group", "") and screen.has_module_permission(request):
            label = getattr(screen, "nav_label", "") or _capital(str(model._meta.verbose_name_plural))
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
            _add(found, screen.nav_group, (label, name, screen.nav_order), request)  # type: ignore[attr-defined]
    nearest = max(
        (entry.url for entries in found.values() for entry in entries if entry.is_current), key=len, default=""
    )
    return [
        (group, sorted(map(partial(_only, nearest), entries), key=lambda entry: (entry.order, entry.label)))
        for group, entries in found.items()
        if entries
    ]


def _only(nearest: str, entry: Entry) -> Entry:
    """A page below another's address is not that other page."""
    return replace(entry, is_current=entry.is_current and entry.url == nearest)


def _add(found: dict[str, list[Entry]], group: str, entry: tuple[str, str, int], request: Any) -> None:
    label, name, order = entry
    try:
        url = reverse(name)
    except NoReverseMatch:  # a page whose app is not installed
        return
    is_current = request.path == url or (name != "admin:index" and request.path.startswith(url))
    found[group].append(Entry(label, url, order, is_current))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

"""Where a problem is mended: the name that a problem carries -> a screen, opened at the row if it names one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from tenants.access import Access, Action


@dataclass(frozen=True, slots=True)
class Screen:
    """`list_name` and `add_name` are URL names, `label` what the button says."""

    list_name: str
    label: str
    add_name: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    url: str
    label: str


def _mapping(model: str, label: str) -> Screen:
    return Screen(f"admin:mappings_{model}_changelist", label, f"admin:mappings_{model}_add")


SCREENS: dict[str, Screen] = {
    "opening_items": Screen("admin:syncs_going_live", "Going live"),
    "item_mappings": _mapping("itemmapping", "Item mappings"),
    "tax_mappings": _mapping("taxmapping", "Tax mappings"),
    "account_roles": _mapping("accountrole", "Account roles"),
    "customer_mappings": _mapping("customermapping", "Customer mappings"),
    "accounts": Screen("admin:mappings_qadaccount_changelist", "GL accounts"),
    "mappings": Screen("admin:mappings_itemmapping_changelist", "Mappings"),
    "qad_lists": Screen("admin:mappings_mirrorstate_changelist", "QAD's lists"),
    "posting_dates": Screen("admin:syncs_dateapproval_changelist", "Posting dates"),
    "tenant": Screen("admin:tenants_tenant_changelist", "Tenant"),
    "customers": Screen("admin:mappings_qadcustomer_changelist", "QAD customers"),
    "qad_connection": Screen("admin:tenants_qadconnection_changelist", "QAD connection"),
    "chargebee_connection": Screen("admin:tenants_chargebeeconnection_changelist", "Chargebee connection"),
    "policies": Screen("admin:tenants_policysetting_changelist", "Policies"),
}

# code of a problem -> how its subject names the row that is missing, and the fields to open the form with
_PREFILL: dict[str, tuple[re.Pattern[str], str]] = {
    "item-not-mapped": (re.compile(r"(?P<level>Item price|Item|Item family) '(?P<key>.+)'\Z"), "Map it"),
    "customer-not-linked": (re.compile(r"Customer '(?P<chargebee_id>.+)'\Z"), "Link it"),
    "customer-has-candidates": (re.compile(r"Customer '(?P<chargebee_id>.+)'\Z"), "Link it"),
    "customer-not-in-qad": (re.compile(r"Customer '(?P<chargebee_id>.+)'\Z"), "Link it"),
}


def url(name: str, *args: object) -> str:
    """An address by its name, '' where no such screen is installed."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def document_url(pk: int, anchor: str = "") -> str:
    address = url("admin:syncs_sourcedocument_change", pk)
    return f"{address}#{anchor}" if address and anchor else address


def documents_url(**query: object) -> str:
    """The list of documents with these filters set."""
    return f"{url('admin:syncs_sourcedocument_changelist')}?{urlencode(query)}"


def fix(problem: Mapping[str, str], access: Access) -> Button | None:
    """The button that leads to where a problem is mended; None if there is no such screen."""
    screen = SCREENS.get(problem.get("link", ""))
    if screen is None:
        return None
    opened = _form(problem, screen) if access.may(Action.CHANGE_MAPPINGS) else None
    if opened is not None:
        return opened
    address = url(screen.list_name)
    return Button(address, screen.label) if address else None


def _form(problem: Mapping[str, str], screen: Screen) -> Button | None:
    """The form of the very row that is missing, with what the problem names filled in."""
    pattern, label = _PREFILL.get(problem.get("code", ""), (None, ""))
    named = pattern.match(problem.get("subject", "")) if pattern else None
    address = url(screen.add_name) if screen.add_name and named else ""
    if not address or named is None:
        return None
    given = named.groupdict()
    if "level" in given:
        given["level"] = given["level"].lower().replace(" ", "_")
    return Button(f"{address}?{urlencode(given)}", label)

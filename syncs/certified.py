"""Which certification counts for a tenant, where one may run, and with which codes of the test workspace."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q
from django.utils import timezone

from connector.errors import Configuration
from connector.ledger.documents import Coding
from connector.periods import business_date
from connector.qad.fingerprint import fingerprint
from mappings.models import BankMapping, ItemMapping, QadCustomer
from syncs.models import Certification, CertificationState
from tenants import connections
from tenants.models import ChargebeeConnection, Mode, Tenant
from tenants.origins import web_origin


def why_not_certified(tenant: Tenant) -> str:
    """'' for a test tenant, and for a live one whose profile was certified as it stands; else what to do."""
    if tenant.mode != Mode.LIVE:
        return ""
    try:
        mine = fingerprint(connections.qad_profile(tenant))
    except Configuration as error:
        return error.message
    passed = Certification.objects.filter(profile_hash=mine, state=CertificationState.PASSED)
    if any(is_same_company(tenant, row.tenant) for row in passed.select_related("tenant__qad", "tenant__chargebee")):
        return ""
    return (
        f"Live posting is off until the QAD profile of {tenant} is certified as it stands. Give a test tenant of the "
        "same company the same profile, and run manage.py certify with it."
    )


def is_same_company(one: Tenant, other: Tenant) -> bool:
    """Another company's instance says nothing: it must be the same Chargebee company, or the same QAD server."""
    return one.pk == other.pk or bool(_marks(one) & _marks(other))


def _marks(tenant: Tenant) -> set[str]:
    """Chargebee calls the test site of 'acme' 'acme-test'."""
    site = ChargebeeConnection.objects.filter(tenant=tenant).values_list("site", flat=True).first()
    address = connections.qad_connection(tenant).base_url
    return {mark for mark in (f"site {site.removesuffix('-test')}" if site else "", web_origin(address)) if mark}


def check_place(tenant: Tenant) -> None:
    """Raises Configuration unless the tenant posts into a test workspace."""
    if tenant.mode != Mode.TEST:
        raise Configuration(
            f"{tenant} is live; a certification posts documents that nobody ordered. Run it with a test tenant."
        )
    mine = connections.qad_connection(tenant)
    live = Tenant.objects.filter(mode=Mode.LIVE, qad__base_url=mine.base_url, qad__domain=mine.domain)
    same = live.filter(qad__entity=mine.entity).first()
    if same is not None:
        raise Configuration(f"{tenant} posts into the workspace of the live tenant {same}. Give it a test workspace.")


def codes_of(tenant: Tenant, customer: str = "") -> dict[str, Any]:
    """A customer, an account and a bank of the test workspace. Raises Configuration naming what is missing."""
    today = business_date(timezone.now(), tenant.time_zone)
    who = _customer(tenant, customer)
    return {
        "customer": who.code,
        "currency": who.currency or tenant.base_currency,
        "revenue": _coding(tenant, ItemMapping, today, "item mapping"),
        "bank": _coding(tenant, BankMapping, today, "bank mapping"),
        "on": today,
    }


def _customer(tenant: Tenant, code: str) -> QadCustomer:
    rows = QadCustomer.objects.filter(tenant=tenant, is_gone=False)
    if code:
        found = rows.filter(code=code).first()
        if found is None:
            raise Configuration(f"QAD has no customer '{code}'. Run manage.py refresh {tenant.slug}, or name another.")
        return found
    usable = rows.filter(Q(currency=tenant.base_currency) | Q(currency=""), is_active=True, is_complete=True)
    found = usable.order_by("code").first()
    if found is None:
        raise Configuration(
            f"QAD has no active customer in {tenant.base_currency} to post to. Run manage.py refresh {tenant.slug}, or "
            "name one with --customer."
        )
    return found


def _coding(tenant: Tenant, model: Any, today: dt.date, what: str) -> Coding:
    row = model.objects.filter(tenant=tenant, valid_from__lte=today).exclude(gl_account="").order_by("pk").first()
    if row is None:
        raise Configuration(
            f"{tenant} has no {what.split(' ', 1)[1]} in force, and the test documents need one. Add it."
        )
    return Coding(row.gl_account, row.sub_account, row.cost_centre, row.project)

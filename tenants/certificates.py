"""Which codes of QAD a tenant leans on, for the test of its connection: from here, and from whoever registers more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from connector.periods import business_date
from connector.qad.certificate import Wanted
from tenants import policies
from tenants.models import Tenant

Codes = Mapping[str, set[str]]
_sources: list[Callable[[Tenant], Codes]] = []


def register(source: Callable[[Tenant], Codes]) -> None:
    """Add codes of another app: list of QAD -> codes; call it where its screens are defined."""
    if source not in _sources:
        _sources.append(source)


def wanted(tenant: Tenant, now: dt.datetime) -> Wanted:
    """Everything that must be there, by list."""
    terms = policies.read(tenant)["credit_terms"]
    codes: dict[str, set[str]] = {"credit_terms": {terms} if terms else set()}
    for source in _sources:
        for name, found in source(tenant).items():
            codes.setdefault(name, set()).update(found)
    return Wanted(business_date(now, tenant.time_zone), tenant.base_currency, codes)

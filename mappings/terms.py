"""The QAD credit terms of a customer by its days to pay: its own row, the row for any other, or the policy's."""

from __future__ import annotations

import datetime as dt

from mappings.models import CreditTermsMapping


def terms(tenant_id: int, on: dt.date) -> dict[str, str]:
    """Days to pay ('' any other) -> QAD's code, in force on a date."""
    rows = CreditTermsMapping.objects.filter(tenant_id=tenant_id, valid_from__lte=on).order_by("valid_from")
    return dict(rows.values_list("days", "qad_terms"))


def terms_of(known: dict[str, str], days: int | None, otherwise: str) -> str:
    """`days` is None where Chargebee names no terms of the customer."""
    own = known.get(str(days)) if days is not None else None
    return own or known.get("") or otherwise

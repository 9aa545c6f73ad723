"""What QAD demands of a customer record and of its operational data."""

from __future__ import annotations

from typing import Any

from connector.sandbox.qad.company import Company
from connector.sandbox.qad.complaints import Complaint, complain
from connector.sandbox.qad.dialects import CUSTOMER_CODE_LENGTH, SEARCH_NAME_LENGTH
from connector.sandbox.qad.masters import DOMAIN, SHARED_SET

Row = dict[str, Any]
_MANDATORY = ("code", "name", "search_name", "currency", "credit_terms")
_PROFILES = ("invoice_status", "invoice_profile", "credit_note_profile", "prepayment_profile", "sales_profile")


def check_customer(company: Company, row: Row, *, needs_profiles: bool) -> list[Complaint]:
    """`row` is the whole record as it would be saved."""
    found = []
    for name in (*_MANDATORY, *(_PROFILES if needs_profiles else ())):
        if not row.get(name):
            found.append(complain("mandatory", name))
    limits = (("code", CUSTOMER_CODE_LENGTH), ("search_name", SEARCH_NAME_LENGTH))
    for name, limit in limits:
        if len(row.get(name) or "") > limit:
            found.append(complain("too_long", name, row[name], limit=limit + 1))
    for name in ("currency", "credit_terms"):
        if row.get(name) and row[name] not in company.masters[name]:
            found.append(complain("mandatory", name, row[name]))
    if row.get("shared_set") not in ("", None, SHARED_SET):
        found.append(complain("mandatory", "shared_set", row["shared_set"]))
    if row.get("is_active") is None:
        found.append(complain("mandatory", "is_active"))
    return found


def check_new_customer(company: Company, row: Row, *, needs_profiles: bool) -> list[Complaint]:
    found = check_customer(company, row, needs_profiles=needs_profiles)
    if row["code"] in company.parties.customers:
        found.append(complain("already_exists", "code", row["code"], what="Customer"))
    return found


def check_domain(company: Company, row: Row) -> list[Complaint]:
    """Operational data: the customer exists, site and daybook set resolve."""
    found = []
    if row["domain"] != DOMAIN:
        found.append(complain("mandatory", "domain", row["domain"]))
    if row["code"] not in company.parties.customers:
        found.append(complain("unknown_record", "code", row["code"], what="Customer"))
    for name in ("site", "daybook_set"):
        if row[name] not in company.masters[name]:
            found.append(complain("mandatory", name, row[name]))
    return found


def check_hash(company: Company, row: Row, sent: str) -> list[Complaint]:
    if company.modes.checks_hash and sent != row["hash"]:
        return [complain("stale", "hash", sent)]
    return []

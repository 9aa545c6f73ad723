"""A first pass without a first pass: both systems are read, or what was read last is, and nothing at all is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from connector.chargebee import parse
from connector.chargebee.client import ChargebeeClient
from connector.chargebee.paging import pages
from connector.chargebee.records import Customer
from connector.ledger.identity import of_qad as identity_of
from connector.ledger.party_fields import FIELDS, of_qad
from connector.ledger.rehearsal import Party, Rehearsal, Stage, rehearse
from connector.ledger.sharing import Sharing, sharing
from connector.qad.client import QadClient
from connector.qad.profile_shape import Profile
from mappings.models import CustomerMapping, QadCustomer
from syncs.alignment.people import chargebee_customers, kept_apart, qad_identity
from syncs.alignment.setting import BOTH_WAYS, OFF, Setting, days_of_terms, setting_of, stored_days_of_terms
from syncs.alignment.standing import standing
from tenants.models import Tenant


def from_both(tenant: Tenant, qad: QadClient, chargebee: ChargebeeClient) -> Rehearsal:
    """Read both systems now. Raises what the clients raise."""
    setting = setting_of(tenant, qad.profile, days_of_terms(qad))
    rule = sharing(setting.policies["shared_customers"])
    rows = (row for page in qad.browse("customers") for row in page)
    return rehearse(_listed(chargebee, setting), (_party(row, rule) for row in rows if row["code"]), _stage(setting))


def from_last_reading(tenant: Tenant, profile: Profile) -> Rehearsal:
    """What both systems said when they were read last; no network."""
    setting = setting_of(tenant, profile, stored_days_of_terms(tenant))
    rule = sharing(setting.policies["shared_customers"])
    mirrors = QadCustomer.objects.filter(tenant=tenant, is_gone=False).iterator()
    return rehearse(
        chargebee_customers(tenant, setting.policies), (_mirrored(row, rule) for row in mirrors), _stage(setting)
    )


def _stage(setting: Setting) -> Stage:
    tenant = setting.tenant
    return Stage(
        rules=setting.rules,
        projection=setting.projection,
        links=dict(CustomerMapping.objects.filter(tenant=tenant).values_list("chargebee_id", "qad_code")),
        apart=kept_apart(tenant),
        blocks=lambda customer: _why_blocked(tenant, customer),
        may_create_in_qad=setting.policies["create_customers"] == "create",
        may_create_in_chargebee=setting.mode in (BOTH_WAYS, OFF),
    )


def _why_blocked(tenant: Tenant, customer: Customer) -> str:
    state = standing(tenant, customer)
    return str(state.label).lower() if state else ""


def _listed(chargebee: ChargebeeClient, setting: Setting) -> Iterator[Customer]:
    for page in pages(chargebee, "customers"):
        for row in page.rows:
            found = parse.customer(row, minor_units=setting.policies["minor_units"])
            if isinstance(found, Customer):
                yield found


def _party(row: dict[str, Any], rule: Sharing) -> Party:
    values = of_qad(row)
    told: dict[str, Any] = {
        "customer_type": str(row.get("customer_type") or ""),
        "group": str(row.get("customer_group") or ""),
        "flag": str(row.get("shared_flag") or ""),
        "added_on": row.get("added_on"),
    }
    identity = identity_of(row["code"], str(row.get("external_reference") or ""), values)
    has_data = all(row[name] for name in ("site", "daybook_set") if row.get(name) is not None)
    return Party(identity, values, rule.takes(**told), _why_not(row.get("is_active") is not False, has_data))


def _mirrored(row: QadCustomer, rule: Sharing) -> Party:
    is_shared = rule.takes(
        customer_type=row.customer_type, group=row.customer_group, flag=row.shared_flag, added_on=row.added_on
    )
    return Party(qad_identity(row), row.content, is_shared, _why_not(row.is_active, row.is_complete))


def _why_not(is_active: bool, is_complete: bool) -> str:
    if not is_active:
        return "inactive in QAD"
    return "" if is_complete else "its domain data is not complete"


def told(rehearsal: Rehearsal) -> Iterable[str]:
    """The rehearsal in sentences."""
    counts = rehearsal.counts
    how = ", ".join(f"{count:,} by {name}" for name, count in sorted(rehearsal.how.items()))
    yield f"Linked already: {counts['linked']:,}."
    yield f"Would be linked: {counts['matched']:,}{f' ({how})' if how else ''}."
    yield f"Would be created in QAD: {counts['would create in QAD']:,}."
    yield f"Would be created in Chargebee: {counts['would create in Chargebee']:,}."
    yield f"Ambiguous, a person decides: {counts['ambiguous']:,}."
    yield f"Blocked: {counts['blocked']:,}."
    yield f"QAD customers that do not belong in Chargebee by rule: {counts['skipped']:,}."
    for (side, name), count in sorted(rehearsal.fields.items()):
        yield f"{FIELDS[name].label}: {count:,} to be written to {'QAD' if side == 'qad' else 'Chargebee'}."
    yield f"Values that would not be kept (each with a line in the conflict log): {rehearsal.lost:,}."

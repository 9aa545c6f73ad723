"""Both systems' customers as identities, from what was read last."""

from __future__ import annotations

from collections.abc import Iterator

from connector.chargebee import parse
from connector.chargebee.records import Customer
from connector.ledger.identity import Identity, Index, of_customer, of_qad
from connector.qad.profile_shape import Profile
from mappings.models import CustomerKind, CustomerMapping, QadCustomer
from syncs.alignment.setting import Setting, projection_of
from syncs.models import Kind, MatchReview, ReviewState, SourceDocument
from tenants import policies
from tenants.models import Tenant


def qad_index(tenant: Tenant, profile: Profile) -> Index:
    """QAD's customers, for a Chargebee customer that has no link yet."""
    rows = QadCustomer.objects.filter(tenant=tenant, is_gone=False)
    known = (qad_identity(row) for row in rows.only("code", "external_reference", "content").iterator())
    taken = {code: key for key, code in _linked(tenant)}
    return Index(known, projection_of(profile, policies.read(tenant), {}), taken, kept_apart(tenant))


def chargebee_index(setting: Setting) -> Index:
    """Chargebee's customers, for a QAD customer that has no link yet."""
    known = (of_customer(one, setting.projection) for one in chargebee_customers(setting.tenant, setting.policies))
    return Index(known, setting.projection, dict(_linked(setting.tenant)), kept_apart(setting.tenant))


def chargebee_customers(tenant: Tenant, decided: dict[str, object]) -> Iterator[Customer]:
    """Those that Chargebee has, as they were read last."""
    rows = SourceDocument.objects.filter(tenant=tenant, kind=Kind.CUSTOMER, is_deleted=False)
    for row in rows.only("raw").iterator():
        found = parse.customer(row.content, minor_units=decided["minor_units"])  # type: ignore[arg-type]
        if isinstance(found, Customer):
            yield found


def qad_identity(row: QadCustomer) -> Identity:
    return of_qad(row.code, row.external_reference, row.content)


def kept_apart(tenant: Tenant) -> list[tuple[str, str]]:
    rows = MatchReview.objects.filter(tenant=tenant, state__in=(ReviewState.APART, ReviewState.CREATED))
    return list(rows.values_list("chargebee_id", "qad_code"))


def _linked(tenant: Tenant) -> list[tuple[str, str]]:
    rows = CustomerMapping.objects.filter(tenant=tenant).exclude(kind=CustomerKind.COLLECTIVE)
    return list(rows.values_list("chargebee_id", "qad_code"))

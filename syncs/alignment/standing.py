"""Why a Chargebee customer is not one to be kept the same: deleted, in another business entity, or cleared."""

from __future__ import annotations

from connector.chargebee.records import Customer
from syncs.models import LinkState
from tenants.models import Tenant


def standing(tenant: Tenant, customer: Customer | None) -> LinkState | None:
    """The state that follows from the record itself, None for an ordinary customer."""
    if customer is None:
        return None
    if customer.deleted:
        return LinkState.DELETED
    if customer.pii_cleared:
        return LinkState.CLEARED
    entities = tenant.business_entities
    if entities and customer.business_entity_id and customer.business_entity_id not in entities:
        return LinkState.MOVED
    return None

"""Whether a tenant's addresses lie in the deployment's own networks, which only a sandbox does."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings

from tenants.models import ChargebeeConnection, QadConnection, Tenant


def is_sandbox(tenant: Tenant) -> bool:
    """True if a side of the tenant is on plain http or names an address inside OUTBOUND_ALLOW. No name is resolved."""
    chargebee = ChargebeeConnection.objects.filter(tenant=tenant).values_list("base_url", flat=True)
    qad = QadConnection.objects.filter(tenant=tenant).values_list("base_url", flat=True)
    return any(is_sandbox_url(url) for url in (*chargebee, *qad))


def is_sandbox_url(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "http" or host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    networks = [ipaddress.ip_network(network) for network in settings.OUTBOUND_ALLOW]
    return any(address in network for network in networks)

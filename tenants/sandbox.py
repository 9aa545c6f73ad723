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
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return _is_inside(host)


def url_problem(url: str) -> str:
    """'' if a base URL may be stored, else what would do. No name is resolved here; each call checks addresses."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "Use a full address such as https://erp.example.com/clouderp."
    if parts.scheme not in ("https", "http") or not host:
        return "Use a full address such as https://erp.example.com/clouderp."
    if "@" in parts.netloc:
        return "Leave user and password out of the address; they have fields of their own."
    if parts.query or parts.fragment:
        return "End it with its path; remove what follows '?' or '#'."
    if parts.scheme == "http" and not _is_inside(host):
        return "Use https. Plain http is for addresses inside OUTBOUND_ALLOW only."
    return ""


def _is_inside(host: str) -> bool:
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        return bool(settings.OUTBOUND_ALLOW)  # a name: the guard decides on its address when it is called
    return any(address in ipaddress.ip_network(network) for network in settings.OUTBOUND_ALLOW)

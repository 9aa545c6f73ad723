"""Which address a secret is for: it is bound to it when it is entered, and sent nowhere else."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

_PORTS = {"https": 443, "http": 80}


def web_origin(url: str) -> str:
    """Scheme, host and port of an address, written one way: 'https://erp.example.com:443'. '' if it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return ""
    return f"{parts.scheme}://{(parts.hostname or '').rstrip('.')}:{port}" if parts.hostname else ""


def chargebee_origin(row: Any) -> str:
    """Of a ChargebeeConnection: its sandbox, or the site and region from which its hosts follow."""
    if row.base_url:
        return web_origin(row.base_url)
    return f"Chargebee site {row.site} ({row.region})"


def qad_origin(row: Any) -> str:
    """Of a QadConnection."""
    return web_origin(row.base_url)

"""Which addresses this installation may talk to: public ones, and what the deployment allows by name of network.

The check is made on the address that is then connected to, so a name that changes its mind between two look-ups
(rebinding) gains nothing. Source of the list: OWASP's sheet on server-side request forgery.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Never reachable, whatever the deployment allows: instance metadata of the clouds, link-local, unspecified.
NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "169.254.0.0/16", "100.100.100.200/32", "192.0.0.192/32", "168.63.129.16/32", "0.0.0.0/8",
        "fe80::/10", "fd00:ec2::/32", "fd20:ce::254/128", "::/128",
    )
)  # fmt: skip
_TRANSITIONAL = tuple(
    ipaddress.ip_network(text)
    for text in ("::ffff:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fec0::/10")
)


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """The deployment's allow list (CIDR texts). Raises ValueError on a text that is no network."""
    return tuple(ipaddress.ip_network(text.strip()) for text in texts)


def literal(host: str) -> Address | None:
    """The address that a host is written as; None for a name, and for numbers that only some resolvers understand."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_allowed(address: Address, allow: tuple[Network, ...]) -> bool:
    """Inside a network that the deployment allows by name."""
    return any(address in network for network in allow) and not _is_never(address)


def is_reachable(address: Address, allow: tuple[Network, ...]) -> bool:
    """Public, or allowed by the deployment; never metadata or link-local."""
    if is_allowed(address, allow):
        return True
    return not _is_never(address) and _is_public(address)


def _is_never(address: Address) -> bool:
    return any(inner in network for inner in (address, *_embedded(address)) for network in NEVER)


def _is_public(address: Address) -> bool:
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not any(address in network for network in _TRANSITIONAL)


def _embedded(address: Address) -> tuple[ipaddress.IPv4Address, ...]:
    """The IPv4 address inside a mapped, compatible or translated IPv6 address."""
    if isinstance(address, ipaddress.IPv4Address) or address.is_loopback:
        return ()
    last = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    six_to_four = (address.sixtofour,) if address.sixtofour else ()
    return (last, *six_to_four) if any(address in network for network in _TRANSITIONAL) else ()

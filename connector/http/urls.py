"""A base URL that a person typed, checked before it is stored. Whether its name resolves to a lawful address is
checked at every connection (`egress`), since names change."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

import idna

from connector.errors import Problem
from connector.http import egress

_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z", re.IGNORECASE)
_PATH = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/-]*\Z")
_EXAMPLE = "Write it like https://erp.example.com/clouderp."


def clean_base_url(text: str, allow: tuple[str, ...] = ()) -> str | list[Problem]:
    """The URL in its stored form (lower-case ASCII host, no slash at the end), or everything that is wrong with it.

    `allow` is the deployment's OUTBOUND_ALLOW; plain http is for addresses inside it only.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
        host = _ascii_host(parts.hostname or "")
    except (ValueError, idna.IDNAError):
        return [_problem("url-unreadable", f"'{_short(text)}' is not a URL.")]
    problems = _part_problems(parts, text)
    problems += _host_problems(parts.scheme, host, egress.networks(allow), text)
    if problems:
        return problems
    shown = f"[{host}]" if ":" in host else host
    default = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{shown}{'' if port in (None, default) else f':{port}'}{parts.path.rstrip('/')}"


def _part_problems(parts: SplitResult, text: str) -> list[Problem]:
    found = []
    if parts.scheme not in ("https", "http"):
        found.append(_problem("url-scheme", f"'{_short(text)}' does not begin with https://."))
    if parts.username is not None:
        fix = "Enter them as credentials."
        found.append(_problem("url-userinfo", "A user name or password stands in the URL.", fix))
    if "?" in text:
        found.append(_problem("url-query", "The base URL has a query (the part after '?')."))
    if "#" in text:
        found.append(_problem("url-fragment", "The base URL has a fragment (the part after '#')."))
    if not _PATH.match(parts.path) or ".." in parts.path.split("/"):
        found.append(_problem("url-path", f"The path '{_short(parts.path)}' holds what a base URL may not hold."))
    return found


def _host_problems(scheme: str, host: str, allow: tuple[egress.Network, ...], text: str) -> list[Problem]:
    if not host:
        return [_problem("url-host", f"'{_short(text)}' names no host.")]
    address = egress.literal("127.0.0.1" if host == "localhost" else host)
    if address is None and _NUMERIC.match(host.rpartition(".")[2]):
        return [_problem("url-host", f"'{host}' is a number where a host name is expected.")]
    if address is not None and not egress.is_reachable(address, allow):
        fix = "Use the public name, or ask the person who runs this installation to add the network to OUTBOUND_ALLOW."
        return [_problem("url-private", f"'{host}' is a private or reserved address.", fix)]
    if scheme == "http" and (address is None or not egress.is_allowed(address, allow)):
        return [_problem("url-insecure", f"'{_short(text)}' is not encrypted.", "Begin it with https://.")]
    return []


def _ascii_host(host: str) -> str:
    lowered = host.rstrip(".").lower()
    if lowered.isascii():
        if not re.fullmatch(r"[a-z0-9._:-]*", lowered) or ".." in lowered or lowered.startswith("."):
            raise ValueError(host)
        return lowered
    return idna.encode(lowered, uts46=True).decode()


def _short(text: str) -> str:
    """For a message: without userinfo, and not endless."""
    return re.sub(r"//[^/@]*@", "//***@", text.strip())[:120]


def _problem(code: str, message: str, fix: str = _EXAMPLE) -> Problem:
    return Problem(code, "Base URL", message, fix)

"""Where a Chargebee site answers: one table from region to hosts, and the rule by which one of them is chosen."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from connector.errors import Problem

# Public evidence (Chargebee's API description, clients and pages) shows {site}.chargebee.com in all three regions; the
# regional names may exist as well. So the most specific is tried first and what answers is pinned.
HOSTS = {
    "US": ("{site}.chargebee.com",),
    "EU": ("{site}.eu.chargebee.com", "{site}.chargebee.com"),
    "AU": ("{site}.au.chargebee.com", "{site}.chargebee.com"),
}
_SITE = re.compile(r"[a-z0-9][a-z0-9-]{0,49}\Z")
_WHERE = "Correct it under Tenants > Chargebee connection."


class Outcome(Enum):
    """What trying one host showed."""

    ANSWERED = "answered"
    NO_SUCH_NAME = "no such name"  # DNS says that the name does not exist
    SITE_NOT_FOUND = "site not found"  # Chargebee answers there and does not know the site
    STOP = "stop"  # anything else: a time-out, 5xx, TLS or a refused key says nothing about other hosts


@dataclass(frozen=True, slots=True)
class Tried:
    """One host, what came of it, and the sentence a person reads."""

    host: str
    outcome: Outcome
    message: str = ""


@dataclass(frozen=True, slots=True)
class Pin:
    """`host` is '' when none may be pinned; `tried` says why, in order."""

    host: str
    tried: tuple[Tried, ...]


def hosts(site: str, region: str) -> tuple[str, ...]:
    """Candidate hosts, most specific first. Raises ValueError on a site or region that `site_problems` refuses."""
    if not _SITE.match(site) or region not in HOSTS:
        raise ValueError(f"'{site}' in region '{region}' is not a Chargebee site.")
    return tuple(pattern.format(site=site) for pattern in HOSTS[region])


def pin(candidates: tuple[str, ...], try_one: Callable[[str], Tried]) -> Pin:
    """The first host that authenticates the site; the next is tried only when a host is proved to be the wrong one."""
    tried: list[Tried] = []
    for host in candidates:
        tried.append(try_one(host))
        if tried[-1].outcome is Outcome.ANSWERED:
            return Pin(host, tuple(tried))
        if tried[-1].outcome is Outcome.STOP:
            break
    return Pin("", tuple(tried))


def is_test_site(site: str) -> bool:
    """Chargebee gives each account a live site and a test site of the same name with '-test'."""
    return site.endswith("-test")


def site_problems(*, site: str, region: str, mode: str) -> list[Problem]:
    """Why this site may not be stored for a tenant of this mode ('test' or 'live')."""
    found = []
    subject = f"Chargebee site '{site}'"
    if not _SITE.match(site):
        message = f"'{site}' is not a Chargebee site name: only lower-case letters, digits and '-' stand in one."
        fix = "Enter the part before '.chargebee.com' of the address you log in at."
        found.append(Problem("site-name", subject, message, fix))
    if region not in HOSTS:
        message = f"'{region}' is not a region of Chargebee."
        found.append(Problem("site-region", subject, message, f"Choose one of {', '.join(HOSTS)}."))
    if mode == "test" and not is_test_site(site):
        message = f"The tenant is in test mode, and '{site}' is a live site (its name does not end with '-test')."
        found.append(Problem("site-mode", subject, message, _WHERE))
    if mode == "live" and is_test_site(site):
        message = f"The tenant is in live mode, and '{site}' is a test site."
        found.append(Problem("site-mode", subject, message, _WHERE))
    return found


def key_warnings(*, mode: str, api_key: str) -> list[Problem]:
    """Warnings only: that a key's prefix tells its kind is seen everywhere and promised nowhere."""
    other = {"test": "live_", "live": "test_"}.get(mode, "")
    if not other or not api_key.startswith(other):
        return []
    message = f"The tenant is in {mode} mode, but the API key begins with '{other}'."
    fix = f"If it is the key of the other site, replace it by the {mode} site's own key."
    return [Problem("key-mode", "Chargebee API key", message, fix)]

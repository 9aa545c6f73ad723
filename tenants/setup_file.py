"""Reads the TOML file that describes a tenant. Pure but for the checks of names; every problem is told at once."""

from __future__ import annotations

import difflib
import re
import tomllib
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.chargebee.site import HOSTS, site_problems
from connector.errors import Configuration, ConnectorError, Problem
from connector.qad.calls import checked_base_url
from connector.qad.presets import PRESETS
from connector.qad.profile import ProfileError
from tenants import policies, setup_blackouts, setup_calendar
from tenants.connections import profile_of
from tenants.fields import Secret
from tenants.models import Mode, Plan, prefix_rule, slug_rule
from tenants.sandbox import is_sandbox_url, url_problem


@dataclass(frozen=True, slots=True)
class Rule:
    """What one key takes: `kind` is text, whole, texts, secret or profile."""

    kind: str = "text"
    is_required: bool = False
    choices: tuple[str, ...] = ()
    low: int = 0
    high: int = 0
    longest: int = 120
    rule: Callable[[str], str] | None = None  # '' or what would do


def _matches(validator: Any) -> Callable[[str], str]:
    return lambda text: "" if validator.regex.match(text) else str(validator.message)


def _time_zone(text: str) -> str:
    return "" if text in zoneinfo.available_timezones() else "Use a name such as Europe/Berlin or UTC."


def _currency(text: str) -> str:
    return "" if len(text) == 3 and text.isascii() and text.isupper() else "Use three capital letters such as USD."


SECTIONS: dict[str, dict[str, Rule]] = {
    "tenant": {
        "slug": Rule(is_required=True, longest=40, rule=_matches(slug_rule)),
        "name": Rule(),
        "mode": Rule(choices=tuple(Mode.values)),
        "time_zone": Rule(rule=_time_zone),
        "base_currency": Rule(rule=_currency),
        "business_entities": Rule("texts"),
    },
    "chargebee": {
        "site": Rule(is_required=True, longest=50),
        "region": Rule(choices=tuple(HOSTS)),
        "api_key": Rule("secret"),
        "base_url": Rule(longest=200, rule=lambda text: url_problem(text) if text else ""),
        "plan": Rule(choices=tuple(Plan.values)),
        "share_percent": Rule("whole", low=1, high=100),
        "calls_per_minute": Rule("whole", low=1, high=100_000),
        "concurrency": Rule("whole", low=1, high=20),
    },
    "qad": {
        "base_url": Rule(is_required=True, longest=300, rule=url_problem),
        "domain": Rule(is_required=True, longest=20),
        "entity": Rule(is_required=True, longest=20),
        "workspace": Rule(longest=60),
        "shared_set": Rule(longest=20),
        "reference_prefix": Rule(longest=6, rule=_matches(prefix_rule)),
        "concurrency": Rule("whole", low=1, high=32),
        "deadline_seconds": Rule("whole", low=1, high=300),
        "client_id": Rule(longest=100),
        "username": Rule(longest=100),
        "password": Rule("secret"),
        "token": Rule("secret"),
        "profile": Rule("profile"),
    },
    "policies": {},
    "calendar": {},
    "blackouts": {},
}


@dataclass(frozen=True, slots=True)
class Setup:
    """What a file says: by section, only the keys that stand in it. A section that is absent is None."""

    tenant: dict[str, Any]
    chargebee: dict[str, Any] | None = None
    qad: dict[str, Any] | None = None
    policies: dict[str, Any] = field(default_factory=dict)
    calendar: list[dict[str, Any]] = field(default_factory=list)
    blackouts: list[dict[str, Any]] = field(default_factory=list)


def read(text: str, variables: Mapping[str, str]) -> Setup | list[Problem]:
    """The set-up that a file describes, or every problem of it. `variables` are where { env = "NAME" } looks."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return [
            Problem("file", "The file", f"The file is not valid TOML: {error}.", "Correct that place and try again.")
        ]
    problems: list[Problem] = []
    for name in given:
        if name not in SECTIONS:
            problems.append(_unknown(f"[{name}]", "section", name, SECTIONS))
    sections = {
        name: _section(name, given[name], variables, problems)
        for name in ("tenant", "chargebee", "qad")
        if name in given
    }
    if "tenant" not in sections:
        problems.append(Problem("file", "[tenant]", "The file has no [tenant] section.", 'Add one with slug = "…".'))
    decided = given.get("policies", {})
    problems += _policy_problems(decided)
    rules, wrong = setup_calendar.read(given.get("calendar", []))
    closed, amiss = setup_blackouts.read(given.get("blackouts", []))
    problems += wrong + amiss
    setup = Setup(sections.get("tenant", {}), sections.get("chargebee"), sections.get("qad"), decided, rules, closed)
    problems += [] if problems else _together(setup)
    return problems or setup


def profile_parts(value: Any) -> tuple[str, dict[str, Any]]:
    """(preset, what differs) of a `profile`: a preset's name, or a table that may name one under `preset`."""
    if isinstance(value, dict):
        return str(value.get("preset", PRESETS[0])), {key: item for key, item in value.items() if key != "preset"}
    return str(value), {}


def _section(name: str, given: Any, variables: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    if not isinstance(given, dict):
        problems.append(_problem(name, "", given, "Write it as a section of its own."))
        return {}
    rules = SECTIONS[name]
    found: dict[str, Any] = {}
    for key, value in given.items():
        if key not in rules:
            problems.append(_unknown(f"[{name}] {key}", "key", key, rules))
            continue
        taken, wanted = _value(rules[key], value, variables)
        if wanted:
            problems.append(_problem(name, key, _showable(rules[key], value), wanted))
        found[key] = taken
    for key, rule in rules.items():
        if rule.is_required and key not in given:
            problems.append(
                Problem("file", f"[{name}] {key}", f"[{name}] has no {key}.", f'Add {key} = "…" to [{name}].')
            )
    return found


def _showable(rule: Rule, value: Any) -> Any:
    """What a refusal may quote: never a secret, nor what stands before the host of an address."""
    if rule.kind == "secret":
        return "…"
    return re.sub(r"//[^/]*@", "//…@", value) if isinstance(value, str) else value


def _value(rule: Rule, value: Any, variables: Mapping[str, str]) -> tuple[Any, str]:
    """(the value, '') or (None, what would do)."""
    if rule.kind == "secret":
        return _secret(value, variables)
    if rule.kind == "profile":
        return (
            (value, "") if isinstance(value, str | dict) else (None, f"Use one of: {', '.join(PRESETS)}, or a table.")
        )
    if rule.kind == "whole":
        is_whole = isinstance(value, int) and not isinstance(value, bool) and rule.low <= value <= rule.high
        return (value, "") if is_whole else (None, f"Use a whole number from {rule.low} to {rule.high}.")
    if rule.kind == "texts":
        is_texts = isinstance(value, list) and all(isinstance(item, str) and item for item in value)
        return (value, "") if is_texts else (None, 'Use a list of texts such as ["us", "eu"].')
    return _text(rule, value)


def _text(rule: Rule, value: Any) -> tuple[Any, str]:
    if not isinstance(value, str) or (rule.is_required and not value.strip()):
        return None, "Use a text in quotation marks."
    if rule.choices and value not in rule.choices:
        return None, f"Use one of: {', '.join(rule.choices)}."
    if len(value) > rule.longest:
        return None, f"Use at most {rule.longest} characters."
    wanted = rule.rule(value) if rule.rule else ""
    return (None, wanted) if wanted else (value.strip(), "")


def _secret(value: Any, variables: Mapping[str, str]) -> tuple[Any, str]:
    """Never quotes the value."""
    if isinstance(value, dict) and set(value) == {"env"} and isinstance(value["env"], str):
        text = variables.get(value["env"], "").strip()
        return (Secret(text), "") if text else (None, f"Set the environment variable {value['env']}; it is empty.")
    if isinstance(value, str) and value.strip():
        return Secret(value.strip()), ""
    return None, 'Use a text, or { env = "NAME" } to take it from the environment.'


def _policy_problems(given: Any) -> list[Problem]:
    if not isinstance(given, dict):
        return [_problem("policies", "", given, "Write it as a section of its own.")]
    found = [problem for key, value in given.items() for problem in policies.check(key, value)]
    return [Problem(one.code, one.subject, f"[policies] {one.message}", one.fix) for one in found]


def _together(setup: Setup) -> list[Problem]:
    """What only shows when the sections are read together."""
    found: list[Problem] = []
    mode = setup.tenant.get("mode", Mode.TEST.value)
    if setup.chargebee is not None:
        region = setup.chargebee.get("region", "US")
        for problem in site_problems(site=setup.chargebee["site"], region=region, mode=mode):
            found.append(_problem("chargebee", "site", setup.chargebee["site"], problem.message))
        found += _sandbox_problems(setup.chargebee.get("base_url", ""), mode)
    if setup.qad is not None:
        found += _qad_problems(setup.qad)
    return found


def _sandbox_problems(base_url: str, mode: str) -> list[Problem]:
    if base_url and mode == Mode.LIVE:
        return [_problem("chargebee", "base_url", base_url, "Leave it out: a live tenant has no sandbox.")]
    if base_url and not is_sandbox_url(base_url):
        return [_problem("chargebee", "base_url", base_url, "Leave it out, or name an address inside OUTBOUND_ALLOW.")]
    return []


def _qad_problems(given: dict[str, Any]) -> list[Problem]:
    if "token" in given and "password" in given:
        return [_problem("qad", "token", "…", "Give a token, or username and password, not both.")]
    try:
        checked_base_url(given["base_url"])
        preset, override = profile_parts(given.get("profile", PRESETS[0]))
        names = {key: given.get(key, "") for key in ("domain", "entity", "shared_set")}
        profile_of(preset, override, **names)
    except ProfileError as error:
        return [Problem(one.code, one.subject, f"[qad.profile] {one.message}", one.fix) for one in error.problems]
    except (Configuration, ConnectorError) as error:
        return [Problem("file", "[qad]", f"[qad] {error.message}", "Correct it in the file.")]
    return []


def _problem(section: str, key: str, value: Any, wanted: str) -> Problem:
    subject = f"[{section}] {key}".strip()
    return Problem("file", subject, f"{subject} is {value!r}.", wanted)


def _unknown(subject: str, what: str, name: str, known: Mapping[str, Any]) -> Problem:
    near = difflib.get_close_matches(name, list(known), n=1)
    fix = f"Did you mean '{near[0]}'?" if near else f"Use one of: {', '.join(known)}."
    return Problem("file", subject, f"{subject} is not a {what} of this file.", fix)

"""Who exists before anything is billed: the customers both systems may know and QAD's chart of accounts."""

from __future__ import annotations

import random
from dataclasses import dataclass


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_STEMS = _words(
    """Alder Basalt Cobalt Dune Ember Fjord Garnet Harbor Iris Juniper Kestrel Larch Meridian Nimbus Onyx Pioneer
    Quarry Ridge Summit Tundra Umber Vertex Willow Xenon Yarrow Zephyr"""
)
_TRADES = _words("Dental Foods Freight Labs Media Optics Plastics Robotics Software Tooling Valves Works")
_FIRST = _words(
    "Ada Ben Chiara Dmitri Elif Farah Grace Hana Ivo Jonas Keiko Liam Mona Nadia Omar Pia Rosa Søren Tom Yuki"
)
_LAST = _words("Abel Brandt Costa Dvořák Evans Fischer García Haddad Ito Jansen Kim López Müller Novak O'Brien Popov")
_STREETS = ("Mill Road", "Station Street", "Harbour Lane", "Kings Avenue", "Foundry Way", "Orchard Close")
_CODES = 1_000_000


@dataclass(frozen=True, slots=True)
class Person:
    """A customer in Chargebee; `qad_code` (8 characters) is '' while QAD does not have him."""

    id: str
    company: str
    first_name: str
    last_name: str
    email: str
    vat_number: str  # with its country prefix
    country: str
    street: str
    city: str
    zip: str
    state: str
    currency: str
    qad_code: str


@dataclass(frozen=True, slots=True)
class Place:
    country: str
    city: str
    zip: str
    state: str
    currency: str
    company_form: str
    vat_prefix: str  # '' where the country has no VAT number
    vat_digits: int = 9


@dataclass(frozen=True, slots=True)
class GlAccount:
    """A row of the chart of accounts; `flags` name what the account controls."""

    code: str
    description: str
    type: str  # asset | liability | equity | revenue | expense
    active: bool = True
    flags: tuple[str, ...] = ()


# Weighted by repetition: most of the money is in dollars, as on a US-based site.
_PLACES = (
    Place("US", "Denver", "80202", "CO", "USD", "Inc", ""),
    Place("US", "Austin", "78701", "TX", "USD", "LLC", ""),
    Place("US", "Chicago", "60601", "IL", "USD", "Corp", ""),
    Place("DE", "Hamburg", "20095", "HH", "EUR", "GmbH", "DE"),
    Place("GB", "Leeds", "LS1 4AP", "", "GBP", "Ltd", "GB"),
    Place("US", "San Diego", "92101", "CA", "USD", "Inc", ""),
    Place("FR", "Lyon", "69002", "", "EUR", "SARL", "FR", 11),
    Place("JP", "Osaka", "530-0001", "", "JPY", "KK", ""),
    Place("US", "New York", "10013", "NY", "USD", "LLC", ""),
    Place("NL", "Utrecht", "3511 AX", "", "EUR", "BV", "NL"),
    Place("CA", "Toronto", "M5H 2N2", "ON", "USD", "Inc", ""),
    Place("KW", "Kuwait City", "13001", "", "KWD", "WLL", ""),
    Place("US", "Seattle", "98101", "WA", "USD", "Inc", ""),
    Place("XI", "Belfast", "BT1 5GS", "", "GBP", "Ltd", "XI"),
    Place("IE", "Cork", "T12 W8KP", "", "EUR", "DAC", "IE", 7),
)


def customers(seed: int, n: int) -> list[Person]:
    """The first `n` customers of this seed; a longer list starts with the same people."""
    return [_person(seed, index) for index in range(n)]


def _person(seed: int, index: int) -> Person:
    chance = random.Random(f"{seed}:person:{index}")
    place = _PLACES[index % len(_PLACES)]
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    company = "" if index % 25 == 11 else f"{_company_stem(seed, index)} {place.company_form}"
    return Person(
        id=f"cust-{index + 1:05d}" if index % 3 else _opaque_id(chance),
        company=company,
        first_name=first,
        last_name=last,
        email=f"{first}.{last}.{index + 1}@example.com".lower().replace("'", "").encode("ascii", "ignore").decode(),
        vat_number=_vat(chance, place),
        country=place.country,
        street=f"{chance.randint(1, 240)} {chance.choice(_STREETS)}",
        city=place.city,
        zip=place.zip,
        state=place.state,
        currency=place.currency,
        qad_code=f"C{(seed * 7919 + index * 13 + 1000) % _CODES + 1_000_000:07d}" if index % 3 == 0 else "",
    )


def _company_stem(seed: int, index: int) -> str:
    """Every fortieth customer carries the name of the one before it: two branches, or a duplicate; nobody knows."""
    owner = index - 1 if index % 40 == 39 else index
    chance = random.Random(f"{seed}:company:{owner}")
    return f"{chance.choice(_STEMS)} {chance.choice(_TRADES)} {owner + 1}"


def _opaque_id(chance: random.Random) -> str:
    """Like the ids Chargebee makes itself."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return "".join(chance.choice(letters) for _ in range(16))


def _vat(chance: random.Random, place: Place) -> str:
    if not place.vat_prefix:
        return ""
    return place.vat_prefix + "".join(str(chance.randint(0, 9)) for _ in range(place.vat_digits))


def gl_accounts() -> list[GlAccount]:
    """A US-style chart; the last row is inactive on purpose."""
    return list(_CHART)


_CHART = (
    GlAccount("1010", "Operating bank account", "asset", flags=("bank",)),
    GlAccount("1090", "Payment gateway clearing", "asset", flags=("clearing",)),
    GlAccount("1200", "Accounts receivable control", "asset", flags=("control",)),
    GlAccount("1250", "Withholding tax receivable", "asset"),
    GlAccount("2200", "Sales tax payable, state", "liability", flags=("tax",)),
    GlAccount("2210", "Sales tax payable, county", "liability", flags=("tax",)),
    GlAccount("2220", "Sales tax payable, city", "liability", flags=("tax",)),
    GlAccount("2230", "VAT payable", "liability", flags=("tax",)),
    GlAccount("2400", "Deferred revenue", "liability"),
    GlAccount("2450", "Promotional credit liability", "liability"),
    GlAccount("2460", "Customer payments on account", "liability"),
    GlAccount("3000", "Retained earnings", "equity"),
    GlAccount("4000", "Subscription revenue", "revenue"),
    GlAccount("4100", "Add-on revenue", "revenue"),
    GlAccount("4200", "Usage revenue", "revenue"),
    GlAccount("4300", "Set-up and service revenue", "revenue"),
    GlAccount("4400", "Other revenue", "revenue"),
    GlAccount("4800", "Discounts given", "revenue", flags=("contra",)),
    GlAccount("4850", "Promotional credits given", "revenue", flags=("contra",)),
    GlAccount("6500", "Bad debt expense", "expense"),
    GlAccount("6900", "Rounding differences", "expense"),
    GlAccount("7800", "Exchange gain and loss", "expense"),
    GlAccount("4990", "Legacy licence revenue", "revenue", active=False),
)

"""Which taxes a line bears, by where its customer is. Rates are plausible, not advice."""

from __future__ import annotations

from connector.sandbox.chargebee.documents import Rates
from connector.sandbox.chargebee.store import Document

_US: dict[str, Rates] = {
    "CA": (
        ("California State Tax", "6.0", "state"),
        ("San Diego County Tax", "0.25", "county"),
        ("San Diego City Tax", "1.5", "city"),
    ),
    "CO": (
        ("Colorado State Tax", "2.9", "state"),
        ("Denver County Tax", "1.0", "county"),
        ("Denver City Tax", "4.81", "city"),
    ),
    "IL": (("Illinois State Tax", "6.25", "state"), ("Chicago City Tax", "1.25", "city")),
    "NY": (("New York State Tax", "4.0", "state"), ("New York City Tax", "4.5", "city")),
    "TX": (("Texas State Tax", "6.25", "state"), ("Austin City Tax", "2.0", "city")),
    "WA": (("Washington State Tax", "6.5", "state"), ("King County Tax", "3.6", "county")),
}
_COUNTRIES: dict[str, Rates] = {
    "CA": (("Ontario HST", "13", "other"),),
    "DE": (("Germany VAT", "19", "country"),),
    "FR": (("France VAT", "20", "country"),),
    "GB": (("United Kingdom VAT", "20", "country"),),
    "IE": (("Ireland VAT", "23", "country"),),
    "JP": (("Japan Consumption Tax", "10", "country"),),
    "NL": (("Netherlands VAT", "21", "country"),),
    "XI": (("United Kingdom VAT", "20", "country"),),
}
_REVERSE_CHARGE = ("DE", "FR", "IE", "NL")
INCLUSIVE = ("GB", "JP", "XI")  # prices there are quoted with tax


def rates(customer: Document) -> tuple[Rates, str]:
    """(rates, '') or ((), the reason of the exemption)."""
    place = customer.get("billing_address", {})
    country = place.get("country", "")
    if customer.get("taxability") == "exempt":
        return (), "customer_exempt"
    found = _US.get(place.get("state_code", ""), ()) if country == "US" else _COUNTRIES.get(country, ())
    return found, "" if found else "region_non_taxable"


def may_reverse(customer: Document) -> bool:
    """A business in the EU with a VAT number may owe the tax itself."""
    country = customer.get("billing_address", {}).get("country")
    return country in _REVERSE_CHARGE and bool(customer.get("vat_number"))

"""The fields of a customer that both systems keep: who owns each by default, and what each side has in it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from connector.chargebee.records import Customer
from connector.ledger.customers import name_of, tax_key

Owner = Literal["chargebee", "qad", "shared"]
Values = Mapping[str, str]  # our field name -> the text that a side has
OWNERS: tuple[Owner, ...] = ("chargebee", "qad", "shared")


def one_line(text: str) -> str:
    """Composed letters, no control characters, blanks never doubled or at an end."""
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in unicodedata.normalize("NFC", text))
    return " ".join(kept.split())


def _phone(text: str) -> str:
    return re.sub(r"[^0-9+]", "", text)


def bare_tax_id(text: str) -> str:
    """A tax id as it counts: some systems keep the country in front of it, some do not. XI says more than a country."""
    key = tax_key(text)
    has_country = key[:2].isalpha() and len(key) > 6 and key[:2] != "XI"
    return key[2:] if has_country else key


@dataclass(frozen=True, slots=True)
class PartyField:
    """`longest` is Chargebee's limit; `key` makes texts comparable, `is_coded` says that a table translates it.

    `may_own` leaves out who cannot: what QAD is never told, it owns.
    """

    name: str
    label: str
    owner: Owner
    longest: int
    key: Callable[[str], str] = one_line
    may_own: tuple[Owner, ...] = OWNERS
    is_cut: bool = True  # a text that is too long is cut; else it is shown to a person


def _qad(name: str, label: str) -> PartyField:
    return PartyField(name, label, "qad", 100, may_own=("qad",))


def _email(text: str) -> str:
    return one_line(text).casefold()


FIELDS: dict[str, PartyField] = {
    field.name: field
    for field in (
        PartyField("name", "Company name", "chargebee", 250),
        PartyField("email", "E-mail", "chargebee", 70, _email, is_cut=False),
        PartyField("telephone", "Telephone", "chargebee", 50, _phone),
        PartyField("contact", "Contact", "chargebee", 150),
        PartyField("street1", "Address, line 1", "chargebee", 150),
        PartyField("street2", "Address, line 2", "chargebee", 150),
        PartyField("street3", "Address, line 3", "chargebee", 150),
        PartyField("city", "City", "chargebee", 50),
        PartyField("zip", "Postcode", "chargebee", 20, is_cut=False),
        PartyField("state", "State", "chargebee", 50, is_cut=False),
        PartyField("country", "Country", "chargebee", 50, is_cut=False),
        PartyField("tax_id", "Tax ID", "chargebee", 20, bare_tax_id, is_cut=False),
        PartyField("credit_terms", "Credit terms", "qad", 4, may_own=("qad",), is_cut=False),
        _qad("credit_limit", "Credit limit"),
        _qad("credit_hold", "Credit hold"),
        _qad("gl_profile", "Control GL profile"),
        _qad("tax_class", "Tax class"),
        _qad("is_active", "Active in QAD"),
    )
}
LETTERED = ("name", "contact", "street1", "street2", "street3", "city")  # what QAD may keep in capitals


def of_chargebee(customer: Customer) -> dict[str, str]:
    """What Chargebee has in each field."""
    address = customer.billing_address
    return {
        "name": name_of(customer),
        "email": customer.email or address.email,
        "telephone": customer.phone or address.phone,
        "contact": f"{customer.first_name} {customer.last_name}".strip(),
        "street1": address.line1,
        "street2": address.line2,
        "street3": address.line3,
        "city": address.city,
        "zip": address.zip,
        "state": address.state_code or address.state,
        "country": address.country,
        "tax_id": customer.vat_number,
        "credit_terms": "" if customer.net_term_days is None else str(customer.net_term_days),
        **{
            name: customer.noted.get(f"qad_{name}", "")
            for name in ("credit_limit", "credit_hold", "gl_profile", "tax_class")
        },
        "is_active": customer.noted.get("qad_is_active", "true"),
    }


def of_qad(row: Mapping[str, Any]) -> dict[str, str]:
    """What QAD has in each field that its profile shows; a field that it does not show is not in the answer."""
    return {name: text_of(row[name]) for name in FIELDS if name in row}


def text_of(value: Any) -> str:
    """A value of QAD's as text: amounts in plain digits, flags as true and false."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def version_of(row: Mapping[str, Any], values: Values) -> str:
    """A mark that changes with a record of QAD: its fields, and its stamp and hash where the instance shows them.

    Without either, a change that was undone before it was read leaves no trace.
    """
    marks = [row.get("modified_at"), row.get("version")]
    text = repr([sorted(values.items()), [text_of(mark) for mark in marks]])
    return hashlib.sha256(text.encode()).hexdigest()[:32]

"""Customers, their business relations and their operational data of the domain, with hashes against stale writes."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from connector.sandbox.population import Person
from connector.sandbox.qad.masters import DOMAIN, SHARED_SET

Row = dict[str, Any]
_TERMS = ("N30", "N15", "N00")
_PROFILES = {
    "invoice_status": "APPROVED",
    "invoice_profile": "CI-PROF",
    "credit_note_profile": "CC-PROF",
    "prepayment_profile": "CP-PROF",
    "sales_profile": "SA-PROF",
}
_CAPITALS = ("name", "search_name", "street1", "street2", "street3", "city")
_QAD_ONLY = ("Borealis Instruments", "Cinder Logistics", "Delmar Textiles")  # sold to without a subscription


class Parties:
    """Rows by code in three tables of the same key."""

    def __init__(self) -> None:
        self.customers: dict[str, Row] = {}
        self.domains: dict[str, Row] = {}
        self.relations: dict[str, Row] = {}
        self.by_reference: dict[str, list[Row]] = {}
        self.rotates_hash = True
        self.stamps = True  # off: records carry no moment of their last change
        self.capitals = False  # on: names and addresses are kept in capitals, whatever is sent
        self.shared_names = False  # on: a relation lends its customers its name
        self._saves = 0

    def add(self, row: Row, now: dt.datetime) -> Row:
        """A new customer; QAD makes the relation and an incomplete domain row beside it."""
        code = row["code"]
        row.setdefault("extras", {})
        row.setdefault("added_on", now.date())
        self._lose(row)
        row["shared_set"] = SHARED_SET
        row["business_relation"] = row.get("business_relation") or code
        self.customers[code] = row
        self.domains[code] = {"domain": DOMAIN, "code": code, "site": "", "daybook_set": "", "is_complete": False}
        relation = {"shared_set": SHARED_SET, "code": row["business_relation"], "is_active": True, "extras": {}}
        relation |= {"name": row["name"], "search_name": row["search_name"]}
        self.relations.setdefault(relation["code"], relation)
        for saved in (row, self.domains[code], self.relations[relation["code"]]):
            self.stamp(saved, now)
        self._index(row, "")
        return row

    def update(self, row: Row, changes: Row, now: dt.datetime) -> Row:
        before = row.get("reference", "")
        extras = {**row.get("extras", {}), **changes.pop("extras", {})}
        row.update(changes)
        row["extras"] = extras
        self._lose(row)
        self.stamp(row, now)
        if self.shared_names:
            self._lend_name(row, now)
        if row.get("code") in self.customers and self.customers[row["code"]] is row:
            self._index(row, before)
        return row

    def _lend_name(self, row: Row, now: dt.datetime) -> None:
        """A saved customer takes the name of his relation, and a saved relation gives its own to its customers."""
        mine = self.customers.get(row.get("code", "")) is row
        relation = self.relations[row["business_relation"]] if mine else row
        for one in (row,) if mine else self.customers.values():
            if one["business_relation"] == relation["code"] and one["name"] != relation["name"]:
                one["name"], one["search_name"] = relation["name"], relation["search_name"]
                self.stamp(one, now)

    def remove(self, code: str) -> None:
        """Gone with its domain row and relation; documents that name it stay."""
        row = self.customers.pop(code)
        if row.get("reference"):
            self.by_reference[row["reference"].lower()].remove(row)
        del self.domains[code]
        self.relations.pop(row["business_relation"], None)

    def complete(self, code: str, site: str, daybook_set: str, now: dt.datetime) -> Row:
        row = self.domains[code]
        row |= {"site": site, "daybook_set": daybook_set, "is_complete": bool(site and daybook_set)}
        self.stamp(row, now)
        return row

    def stamp(self, row: Row, now: dt.datetime) -> None:
        """Who and when, and a new hash where this instance rotates them."""
        self._saves += 1
        if self.rotates_hash or not row.get("hash"):
            row["hash"] = hashlib.sha1(f"{row['code']}:{self._saves}".encode(), usedforsecurity=False).hexdigest()[:16]
        row["modified_at"] = now if self.stamps else None
        seconds = now.hour * 3600 + now.minute * 60 + now.second
        row["modified_date"], row["modified_time"] = (now.date(), seconds) if self.stamps else ("", "")
        row["modified_user"] = "connector"

    def _lose(self, row: Row) -> None:
        if self.capitals:
            row.update({name: row[name].upper() for name in _CAPITALS if isinstance(row.get(name), str)})

    def _index(self, row: Row, before: str) -> None:
        if before and before != row.get("reference"):
            self.by_reference[before.lower()].remove(row)
        if row.get("reference") and before != row["reference"]:
            self.by_reference.setdefault(row["reference"].lower(), []).append(row)


def blank_customer(code: str, name: str, **values: Any) -> Row:
    """A complete customer record with the domain's usual defaults."""
    words = (
        "email telephone street1 street2 street3 city zip state country language tax_id comment reference "
        "business_relation contact customer_type customer_group shared_flag tax_class"
    )
    row: Row = dict.fromkeys(words.split(), "")
    row |= {"code": code, "name": name, "search_name": name.upper()[:28], "currency": "USD", "credit_terms": "N30"}
    flags = {"is_active": True, "is_taxable": True, "credit_limit": None, "credit_hold": False}
    return row | flags | {**_PROFILES, **values}


def people(parties: Parties, persons: list[Person], now: dt.datetime) -> None:
    """Those the population says QAD has, ready for invoicing, and a few that Chargebee never met."""
    for index, person in enumerate(person for person in persons if person.qad_code):
        name = person.company or f"{person.first_name} {person.last_name}"
        address = {"street1": person.street, "city": person.city, "zip": person.zip, "state": person.state}
        row = blank_customer(person.qad_code, name, currency=person.currency, country=person.country, **address)
        row |= {"email": person.email, "tax_id": person.vat_number, "credit_terms": _TERMS[index % len(_TERMS)]}
        parties.add(row, now)
        parties.complete(person.qad_code, "10-100", "DBS1", now)
    for index, name in enumerate(_QAD_ONLY if persons else ()):
        code = f"Q{index + 1:07d}"
        parties.add(blank_customer(code, name, country="US", city="Tulsa", email=f"ap{index}@example.com"), now)
        parties.complete(code, "10-100", "DBS1", now)

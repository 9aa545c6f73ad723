"""Who is who in the two systems: certain by a reference, by tax id and country, or by name, postcode and e-mail
together. Anything weaker is a candidate that a person judges, and while there is one nobody is created."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from connector.chargebee.records import Customer
from connector.ledger.customers import Match, name_of
from connector.ledger.names import normalised
from connector.ledger.party_fields import bare_tax_id
from connector.ledger.projecting import Projection

REFERENCE, TAX_ID, ADDRESS = "reference", "tax id and country", "name, postcode and e-mail"


@dataclass(frozen=True, slots=True)
class Identity:
    """One customer of one system. `names` are customers of the other system that this one refers to."""

    key: str  # Chargebee's id or QAD's code
    names: str
    name: str
    tax_id: str
    country: str
    zip: str
    email: str

    @property
    def by_tax_id(self) -> tuple[str, str] | None:
        return (self.tax_id, self.country) if self.tax_id and self.country else None

    @property
    def by_address(self) -> tuple[str, str, str] | None:
        found = (self.name, self.zip, self.email)
        return found if all(found) else None


def of_customer(customer: Customer, projection: Projection) -> Identity:
    """A Chargebee customer, his country in QAD's code."""
    address = customer.billing_address
    return Identity(
        key=customer.id,
        names=customer.qad_reference,
        name=normalised(name_of(customer)),
        tax_id=bare_tax_id(customer.vat_number),
        country=projection.to_qad("country", address.country).upper(),
        zip=_zip(address.zip),
        email=(customer.email or address.email).strip().casefold(),
    )


def of_qad(code: str, reference: str, values: Mapping[str, str]) -> Identity:
    return Identity(
        key=code,
        names=reference,
        name=normalised(values.get("name", "")),
        tax_id=bare_tax_id(values.get("tax_id", "")),
        country=values.get("country", "").upper(),
        zip=_zip(values.get("zip", "")),
        email=values.get("email", "").strip().casefold(),
    )


@dataclass(slots=True)
class Index:
    """One system's customers by everything that a match rests on.

    `taken` are customers with a link already (key -> with whom), `apart` pairs that a person keeps apart.
    """

    known: Iterable[Identity]
    projection: Projection = field(default_factory=Projection)
    taken: Mapping[str, str] = field(default_factory=dict)
    apart: Collection[tuple[str, str]] = ()
    keys: set[str] = field(init=False, default_factory=set)
    _by: dict[str, dict[object, list[str]]] = field(init=False)
    _kept_apart: set[tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self._kept_apart = {*self.apart, *((other, one) for one, other in self.apart)}
        self._by = {way: defaultdict(list) for way in ("names", "tax", "address", "name", "tax_only", "email")}
        for one in self.known:
            self.keys.add(one.key)
            for way, value in _ways(one):
                if value:
                    self._by[way][value].append(one.key)

    def match(self, customer: Customer) -> Match:
        """For a Chargebee customer among QAD's."""
        return self.find(of_customer(customer, self.projection))

    def find(self, who: Identity) -> Match:
        """The certain match, else every candidate with what speaks for it."""
        for how, found in self._certain(who):
            free = [key for key in found if key not in self.taken]
            if len(found) == 1 and free:
                return Match(code=found[0], how=how)
            if found:
                return Match(candidates=tuple((key, self._why(how, key)) for key in found))
        return Match(candidates=tuple((key, self._why(how, key)) for key, how in self._weak(who).items()))

    def _certain(self, who: Identity) -> Iterable[tuple[str, list[str]]]:
        named = [who.names] if who.names in self.keys else []
        yield REFERENCE, self._allowed(who, [*named, *self._by["names"].get(who.key, [])])
        yield TAX_ID, self._allowed(who, self._by["tax"].get(who.by_tax_id, []))
        yield ADDRESS, self._allowed(who, self._by["address"].get(who.by_address, []))

    def _weak(self, who: Identity) -> dict[str, str]:
        found: dict[str, str] = {}
        for way, value, how in (
            ("tax_only", who.tax_id, "tax id"),
            ("name", who.name, "name"),
            ("email", who.email, "e-mail"),
        ):
            for key in self._allowed(who, self._by[way].get(value, []) if value else []):
                found.setdefault(key, how)
        return found

    def _allowed(self, who: Identity, keys: Iterable[str]) -> list[str]:
        return [key for key in dict.fromkeys(keys) if (who.key, key) not in self._kept_apart]

    def _why(self, how: str, key: str) -> str:
        return f"{how}; linked to '{self.taken[key]}' already" if key in self.taken else f"the {how}"


def _ways(one: Identity) -> Iterable[tuple[str, object]]:
    yield "names", one.names
    yield "tax", one.by_tax_id
    yield "address", one.by_address
    yield "name", one.name
    yield "tax_only", one.tax_id
    yield "email", one.email


def _zip(text: str) -> str:
    return "".join(text.split()).upper()

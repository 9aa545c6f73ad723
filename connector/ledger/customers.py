"""Which QAD customer is this Chargebee customer? Linked by reference alone; anything weaker is for a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from connector.chargebee.records import Customer
from connector.ledger.documents import QadCustomer
from connector.ledger.names import normalised

SEARCH_NAME_LONGEST = 28  # QAD: "Field length should be less than 29."


@dataclass(frozen=True, slots=True)
class Known:
    """A customer as QAD's mirror has it; `name_key` is the normalised name."""

    code: str
    name_key: str
    tax_id: str
    external_reference: str


@dataclass(frozen=True, slots=True)
class Match:
    """`code` is a certain match and `how` it was found; `candidates` are (code, why) that forbid creating another."""

    code: str = ""
    how: str = "reference"
    candidates: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Directory:
    """QAD's customers by everything that a match may rest on."""

    known: Iterable[Known]
    by_code: dict[str, Known] = field(init=False, default_factory=dict)
    by_reference: dict[str, list[Known]] = field(init=False)
    by_tax_id: dict[str, list[Known]] = field(init=False)
    by_name: dict[str, list[Known]] = field(init=False)

    def __post_init__(self) -> None:
        self.by_reference, self.by_tax_id, self.by_name = defaultdict(list), defaultdict(list), defaultdict(list)
        for one in self.known:
            self.by_code[one.code] = one
            for index, key in (
                (self.by_reference, one.external_reference),
                (self.by_tax_id, tax_key(one.tax_id)),
                (self.by_name, one.name_key),
            ):
                if key:
                    index[key].append(one)

    def match(self, customer: Customer) -> Match:
        """A certain match by reference in either system, else every candidate by tax id and by name."""
        referenced = {one.code for one in self.by_reference.get(customer.id, [])}
        if customer.qad_reference in self.by_code:
            referenced.add(customer.qad_reference)
        if len(referenced) == 1:
            return Match(code=referenced.pop())
        candidates = dict.fromkeys(sorted(referenced), "the reference")
        for one in self.by_tax_id.get(tax_key(customer.vat_number), []):
            candidates.setdefault(one.code, f"the tax id {customer.vat_number}")
        for one in self.by_name.get(normalised(name_of(customer)), []):
            candidates.setdefault(one.code, f"the name '{name_of(customer)}'")
        return Match(candidates=tuple(candidates.items()))


def tax_key(tax_id: str) -> str:
    """A tax id without blanks, dots and hyphens, in capitals."""
    return "".join(c for c in tax_id.upper() if c.isalnum())


def name_of(customer: Customer) -> str:
    """Company, else the person's name, else the id."""
    person = f"{customer.first_name} {customer.last_name}".strip()
    return customer.company or customer.billing_address.company or person or customer.id


def as_qad_customer(customer: Customer, code: str, *, currency: str, credit_terms: str) -> QadCustomer:
    """What QAD is told about a customer that it does not have yet. `currency` is used where Chargebee names none."""
    address, name = customer.billing_address, name_of(customer)
    return QadCustomer(
        code=code,
        name=name,
        search_name=name[:SEARCH_NAME_LONGEST],
        external_reference=customer.id,
        currency=customer.preferred_currency or currency,
        credit_terms=credit_terms,
        email=customer.email or address.email,
        telephone=customer.phone or address.phone,
        street1=address.line1,
        street2=address.line2,
        street3=address.line3,
        city=address.city,
        zip=address.zip,
        state=address.state_code or address.state,
        country=address.country,
        tax_id=customer.vat_number,
    )

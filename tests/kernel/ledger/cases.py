"""Records, a mapping table and what QAD holds, for the tests of this folder."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

from connector.chargebee import parse
from connector.chargebee.records import CreditNote, Invoice, Transaction
from connector.ledger.coding import (
    AccountFacts,
    BankRule,
    CustomerFacts,
    CustomerLink,
    ItemRule,
    MappingTable,
    RoleRule,
    TaxRule,
)
from connector.ledger.credit_notes import CreditNoteRules
from connector.ledger.documents import Coding, Posted
from connector.ledger.journals import journal
from connector.ledger.payments import TransactionRules
from connector.money import Money, plain
from tests.kernel.chargebee import cash_documents as raw
from tests.kernel.chargebee import documents as billed
from tests.kernel.chargebee.documents import DAY

ZONE = "Europe/Berlin"
ON = dt.datetime.fromtimestamp(DAY, dt.UTC).date()
LATER = ON + dt.timedelta(days=20)
START = dt.date(2020, 1, 1)
ROLES = {"discount": "4800", "promotional_granted": "4850", "promotional_bought": "2450", "round_off": "6900",
         "write_off": "6500", "withheld_tax": "1250", "refund_clearing": "1099", "on_account": "2460"}  # fmt: skip
BANKS = {("stripe", "", ""): "1090", ("stripe", "card", "USD"): "1091", ("not_applicable", "check", ""): "1010"}
NOTE_RULES = CreditNoteRules(ZONE)
RULES = TransactionRules(ZONE)


def a_note(**changes: Any) -> CreditNote:
    return _read(parse.credit_note(raw.a_note(**changes), minor_units={}))


def a_plain_note(total: int, **changes: Any) -> CreditNote:
    return _read(parse.credit_note(raw.a_plain_note(total, **changes), minor_units={}))


def a_payment(**changes: Any) -> Transaction:
    return _read(parse.transaction(raw.a_payment(**changes), minor_units={}))


def a_refund(**changes: Any) -> Transaction:
    return _read(parse.transaction(raw.a_refund(**changes), minor_units={}))


def an_invoice(**changes: Any) -> Invoice:
    return _read(parse.invoice(billed.an_invoice(**changes), minor_units={}))


def a_table(**changes: Any) -> MappingTable:
    """Everything mapped, and in QAD; `roles` and `banks` may be given as account by key."""
    roles, banks = changes.pop("roles", ROLES), changes.pop("banks", BANKS)
    used = {*roles.values(), *banks.values(), "4000", "2230"}
    table = MappingTable(
        items=(ItemRule("fallback", "", START, Coding("4000")),),
        taxes=(TaxRule("", "", "", START, Coding("2230")),),
        roles=tuple(RoleRule(role, START, Coding(account)) for role, account in roles.items()),
        banks=tuple(BankRule(g, m, c, START, Coding(account)) for (g, m, c), account in banks.items()),
        customers={"acme-1": CustomerLink("C1"), "beta": CustomerLink("C2")},
        accounts={account: AccountFacts() for account in used},
        customers_known={"C1": CustomerFacts(), "C2": CustomerFacts()},
    )
    return replace(table, **changes) if changes else table


def without(role: str) -> MappingTable:
    return a_table(roles={name: account for name, account in ROLES.items() if name != role})


def posted(name: str, on: dt.date = ON, customer: str = "C1", kind: str = "invoice") -> Posted:
    return Posted(f"CB-{name}", f"2026-{name}", on, customer, kind)


def invoices(*names: str, **options: Any) -> dict[str, Posted]:
    return {name: posted(name, **options) for name in names}


def told(document: Any) -> list[str]:
    """['Dr 1090 200.00', 'Cr 1200 150.00', ...]; problems as their codes."""
    if isinstance(document, list):
        return [problem.code for problem in document]
    return [
        f"Dr {line.account} {plain(line.debit)}" if line.debit else f"Cr {line.account} {plain(line.credit)}"
        for line in journal(document, "1200")
    ]


def eur(text: str) -> Money:
    return Money(Decimal(text), "EUR")


def _read(found: Any) -> Any:
    assert not isinstance(found, list), [str(problem) for problem in found]
    return found

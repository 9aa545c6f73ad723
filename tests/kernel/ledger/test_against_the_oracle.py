"""An independent reading of the same raw documents says the same, account by account and item by item."""

from __future__ import annotations

import copy
import datetime as dt
from collections import Counter
from functools import lru_cache
from typing import Any

import pytest

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
from connector.ledger.documents import Coding
from connector.ledger.payments import TransactionRules
from connector.sandbox.world import World
from tests.kernel.ledger.planner import Planner
from tests.oracle.compare import differences, gross_differences
from tests.oracle.fold import fold
from tests.oracle.model import Earlier, Mapping, Policies

ZONE = "America/New_York"
START = dt.date(2020, 1, 1)
ROLES = {"discount": "4800", "promotional_granted": "4850", "promotional_bought": "2450", "round_off": "6900",
         "write_off": "6500", "withheld_tax": "1250", "refund_clearing": "1099", "on_account": "2460"}  # fmt: skip
TAXES = {"Germany VAT": "2230", "United Kingdom VAT": "2231", "California State Tax": "2201", "": "2200"}
BANKS = {("stripe", "", ""): "1090", ("stripe", "card", "JPY"): "1091", ("", "", "GBP"): "1092",
         ("not_applicable", "", ""): "1010", ("not_applicable", "check", "EUR"): "1011"}  # fmt: skip
DAY = 86_400
Raw = dict[str, Any]


@lru_cache
def the_site(customers: int) -> dict[str, list[Raw]]:
    """A billed site. Every third payment came in ten days before its invoice, so that its application is late."""
    world = World(seed=3, customers=customers)
    world.bill_cycle(kinds="all")
    site = {f"{kind}s": copy.deepcopy(world.chargebee.all(kind)) for kind in ("invoice", "credit_note", "transaction")}
    for row in site["transactions"][::3]:
        row["date"] -= 10 * DAY
    for row in site["credit_notes"][::3]:
        row["date"] -= 10 * DAY
    return site


@lru_cache
def codes(customers: int) -> tuple[dict[str, str], dict[str, str]]:
    """Customers, and an account for every other item price; the rest falls back."""
    site = the_site(customers)
    people = sorted({row["customer_id"] for rows in site.values() for row in rows})
    prices = sorted(
        {line["entity_id"] for row in site["invoices"] for line in row["line_items"] if "entity_id" in line}
    )
    return (
        {person: f"C{place:07d}" for place, person in enumerate(people)},
        {price: f"4{place:03d}" for place, price in enumerate(prices) if place % 2},
    )


def earlier_versions(site: dict[str, list[Raw]]) -> dict[tuple[str, str], Raw]:
    """What stood before it was voided or failed late."""
    before = {}
    for row in site["credit_notes"]:
        if row["status"] == "voided":
            status = "adjusted" if row["type"] == "adjustment" else "refund_due"
            before["credit_note", row["id"]] = {**row, "status": status}
    for row in site["transactions"]:
        if row["type"] == "payment" and row["status"] == "late_failure":
            before["payment", row["id"]] = {**row, "status": "success", "updated_at": row["date"]}
    for row in site["invoices"]:
        if row["status"] == "voided":
            before["invoice", row["id"]] = {**row, "status": "posted", "amount_to_collect": row["amount_due"]}
    return before


def both(customers: int, *, before: bool = True, **policies: Any) -> tuple[Planner, Any, Any]:
    """(planner, our books, the oracle's)."""
    site, (people, prices) = the_site(customers), codes(customers)
    known = earlier_versions(site) if before else {}
    offline = policies.pop("offline", {"": "chargebee"})
    oracle = Mapping(
        zone=ZONE,
        customers=people,
        roles={"accounts_receivable": "1200", **ROLES},
        item_prices=dict(prices),
        charge="4400",
        fallback="4000",
        taxes={("", name, ""): account for name, account in TAXES.items()},
        banks=dict(BANKS),
        policies=Policies(offline=offline, **policies),
        posted_before={key: [Earlier(row)] for key, row in known.items()},
    )
    planner = Planner(
        a_table(people, prices),
        CreditNoteRules(ZONE, write_off_tax=policies.get("write_off_tax", "gross"), rounding_tolerance_minor=0),
        TransactionRules(
            ZONE,
            payment_mode=policies.get("payment_mode", "customer_payment"),
            refund_account=policies.get("refund_account", "gateway"),
            offline=offline,
        ),
        known,
    )
    return planner, planner.books(site), fold(site, oracle)


def a_table(people: dict[str, str], prices: dict[str, str]) -> MappingTable:
    rows = [*(("item_price", *pair) for pair in prices.items()), ("charge", "adhoc", "4400"), ("fallback", "", "4000")]
    used = {*prices.values(), *ROLES.values(), *TAXES.values(), *BANKS.values(), "4400", "4000"}
    return MappingTable(
        items=tuple(ItemRule(level, key, START, Coding(account)) for level, key, account in rows),
        taxes=tuple(TaxRule("", name, "", START, Coding(account)) for name, account in TAXES.items()),
        roles=tuple(RoleRule(role, START, Coding(account)) for role, account in ROLES.items()),
        banks=tuple(BankRule(g, m, c, START, Coding(account)) for (g, m, c), account in BANKS.items()),
        customers={person: CustomerLink(code) for person, code in people.items()},
        accounts={account: AccountFacts() for account in used},
        customers_known={code: CustomerFacts() for code in people.values()},
    )


CASES = {
    "customer payments": {},
    "nothing posted before": {"before": False},
    "journal to clearing": {"payment_mode": "journal_to_clearing"},
    "tax relief on write-offs": {"write_off_tax": "relief"},
    "refunds through clearing": {"refund_account": "refund_clearing"},
    "cheques booked in QAD": {"offline": {"": "chargebee", "check": "qad"}},
    "all offline booked in QAD": {"offline": {}},
}


@pytest.mark.parametrize("policies", CASES.values(), ids=CASES)
@pytest.mark.slow
def test_it_books_every_document_as_the_oracle_does(policies):
    planner, ours, oracle = both(120, **policies)
    assert differences(oracle, ours) == []
    assert {problem.code for problem in planner.problems} <= {"offline-in-qad"}
    parts = Counter((entry.kind, entry.part) for entry in ours.entries)
    assert parts["credit_note", "credit_note"] > 20 and parts["invoice", "invoice"] > 300


@pytest.mark.slow
def test_it_posts_nothing_that_it_takes_back_again():
    """Debits and credits apart, where no correction nets them."""
    _, ours, oracle = both(120, before=False)
    assert gross_differences(oracle, ours) == []


@pytest.mark.slow
def test_the_oracle_saw_every_way_that_a_document_can_go():
    _, ours, _ = both(120)
    parts = Counter((entry.kind, entry.part) for entry in ours.entries)
    ways = [("payment", "payment"), ("payment", "application"), ("payment", "reversal"), ("refund", "refund"),
            ("credit_note", "reversal"), ("invoice", "reversal")]  # fmt: skip
    assert all(parts[way] for way in ways), parts


@pytest.mark.slow
@pytest.mark.parametrize("policies", CASES.values(), ids=CASES)
def test_it_books_a_large_site_as_the_oracle_does(policies):
    _, ours, oracle = both(600, **policies)
    assert differences(oracle, ours) == []

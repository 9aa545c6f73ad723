"""Whatever Chargebee may bill: its journal balances, equals its total, and is what an independent oracle expects."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as some

from connector.chargebee import parse
from connector.chargebee.records import Invoice
from connector.ledger.coding import AccountFacts, CustomerFacts, CustomerLink, ItemRule, MappingTable, RoleRule, TaxRule
from connector.ledger.documents import Coding, CustomerInvoice, journal
from connector.ledger.invoices import InvoiceRules, projection, translate
from connector.ledger.stored import content_hash, from_json, to_json
from connector.money import KNOWN, Money, minor_digits, plain, rounded, total
from connector.sandbox.chargebee import arithmetic
from connector.sandbox.chargebee.documents import Bill, Charge, invoice
from tests.flows.setting import ROLES, SINCE
from tests.oracle.fold import fold
from tests.oracle.model import Mapping, Policies

pytestmark = pytest.mark.slow
DEPTH = settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
ZONES = ("America/Denver", "Etc/UTC", "Pacific/Auckland", "Asia/Kolkata")
TABLE = MappingTable(
    items=(ItemRule("fallback", "", SINCE, Coding("4000")), ItemRule("charge", "adhoc", SINCE, Coding("4400"))),
    taxes=(TaxRule("", "", "", SINCE, Coding("2230")),),
    roles=tuple(RoleRule(role, SINCE, Coding(account)) for role, account in ROLES.items()),
    customers={"c-1": CustomerLink("C0000001")},
    customers_known={"C0000001": CustomerFacts()},
    accounts={account: AccountFacts() for account in ("4000", "4400", "2230", *ROLES.values())},
)

cents = some.integers(0, 2_000_000)
rates = some.lists(
    some.tuples(
        some.sampled_from(["State Tax", "County Tax", "City Tax", "VAT"]),
        some.decimals(0, 30, places=3).map(lambda rate: f"{rate.normalize():f}"),
        some.sampled_from(["state", "county", "city", "country"]),
    ),
    max_size=4,
    unique_by=lambda tax: tax[0],
).map(tuple)


@some.composite
def charges(draw: some.DrawFn) -> Charge:
    amount = draw(cents)
    return Charge(
        amount,
        draw(some.sampled_from(["pro-USD-Monthly", "seats-USD-Monthly", ""])),
        quantity=draw(some.integers(1, 1_000)),
        discount=draw(some.integers(0, amount)) if draw(some.booleans()) else 0,
        taxes=draw(rates),
    )


@some.composite
def invoices(draw: some.DrawFn) -> dict:
    lines = tuple(draw(some.lists(charges(), min_size=1, max_size=8)))
    left = sum(line.amount - line.discount for line in lines)
    document_discount = draw(some.integers(0, left)) if draw(some.booleans()) else 0
    promotional = draw(some.integers(0, left - document_discount)) if draw(some.booleans()) else 0
    bill = Bill(
        "INV-1",
        {"id": "c-1"},
        lines,
        date=draw(some.integers(1_600_000_000, 1_900_000_000)),
        currency=draw(some.sampled_from(["USD", "EUR", "GBP", "JPY", "KWD"])),
        price_type=draw(some.sampled_from(["tax_exclusive", "tax_inclusive"])),
        document_discount=document_discount,
        promotional_credits=promotional,
        round_off=draw(some.integers(-5, 5)) if draw(some.booleans()) else 0,
    )
    document = invoice(bill)
    assume(document["total"] >= 0)
    assume(all(line["amount"] >= line["discount_amount"] for line in document["line_items"]))
    return json.loads(json.dumps(document), parse_float=Decimal)


def parsed(document: dict) -> Invoice:
    record = parse.invoice(document, minor_units={})
    assert isinstance(record, Invoice), record
    return record


def translated(document: dict, zone: str = "America/Denver") -> CustomerInvoice:
    made = translate(parsed(document), TABLE, InvoiceRules(zone=zone), "CB-INV-1")
    assert isinstance(made, CustomerInvoice), made
    return made


@DEPTH
@given(invoices())
def test_its_journal_balances_and_its_receivable_is_its_total(document):
    made = translated(document)

    lines = journal(made, "1200")

    sides = [total((getattr(line, side) for line in lines), made.currency) for side in ("debit", "credit")]
    assert sides[0] == sides[1]
    owed = total((line.debit - line.credit for line in lines if line.account == "1200"), made.currency)
    assert owed == made.total == Money.of_minor(document["total"], made.currency)
    assert not [line for line in lines if line.debit < Money.zero(made.currency)]


@DEPTH
@given(invoices(), some.sampled_from(ZONES))
def test_its_journal_is_the_oracles(document, zone):
    made = translated(document, zone)
    mapping = Mapping(
        zone=zone,
        customers={"c-1": "C0000001"},
        roles={**ROLES, "accounts_receivable": ROLES["receivable"]},
        charge="4400",
        fallback="4000",
        taxes={("", "", ""): "2230"},
        policies=Policies(rounding_tolerance=5),
    )

    books = fold({"invoices": [document]}, mapping)

    ours: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in journal(made, "1200"):
        ours[line.account, f"{made.posting_date:%Y-%m}"] += line.debit.amount - line.credit.amount
    theirs: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for (account, _, period), (debit, credit) in books.trial_balance.items():
        theirs[account, period] += debit - credit
    assert {key: sum_ for key, sum_ in ours.items() if sum_} == {key: sum_ for key, sum_ in theirs.items() if sum_}


@DEPTH
@given(invoices(), some.data())
def test_a_payment_does_not_change_what_is_posted_and_an_edit_does(document, data):
    before = projection(parsed(document))
    paid = data.draw(some.integers(0, document["total"]))
    payment = {"txn_id": "t-1", "applied_amount": paid, "applied_at": document["date"], "txn_status": "success"}
    settled = arithmetic.settle_invoice({**document, "linked_payments": [payment], "status": "paid"})

    after = {**settled, "paid_at": document["date"], "updated_at": document["date"]}

    assert projection(parsed(after)) == before
    assert to_json(translated(settled)) == to_json(translated(document))
    position = data.draw(some.integers(0, len(document["line_items"]) - 1))
    lines = [dict(line) for line in document["line_items"]]
    lines[position]["amount"] += 1
    assert projection(parsed({**document, "line_items": lines})) != before


@DEPTH
@given(invoices())
def test_it_is_the_same_after_a_round_through_the_database(document):
    made = translated(document)

    stored = json.loads(json.dumps(to_json(made)))

    assert from_json(stored) == made
    assert content_hash(stored) == content_hash(to_json(translated(document)))


@DEPTH
@given(some.integers(-(2**53), 2**53), some.sampled_from(sorted(KNOWN)))
def test_money_keeps_every_minor_unit(minor, currency):
    money = Money.of_minor(minor, currency)

    assert money.minor == minor
    assert Decimal(plain(money)) == money.amount
    assert money - money == Money.zero(currency)
    assert Money(Decimal(plain(money)), currency) + Money.of_minor(1, currency) == Money.of_minor(minor + 1, currency)


@DEPTH
@given(some.decimals(-(10**12), 10**12, places=6), some.sampled_from(["USD", "JPY", "KWD"]), some.integers(0, 4))
def test_it_rounds_half_away_from_zero_and_never_by_more_than_a_half(amount, currency, places):
    result = rounded(Money(amount, currency), places).amount

    unit = Decimal(1).scaleb(-places)
    assert abs(result - amount) <= unit / 2
    assert result == amount.quantize(unit, rounding=ROUND_HALF_UP)
    assert rounded(Money(-amount, currency), places).amount == -result


def test_every_known_currency_has_a_number_of_digits():
    assert {minor_digits(currency) for currency in KNOWN} == {0, 2}

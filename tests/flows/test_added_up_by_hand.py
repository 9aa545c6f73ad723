"""Hard documents whose journals somebody added up with a pencil from Chargebee's figures; QAD must have the same."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from connector.sandbox.chargebee.documents import Charge
from syncs.models import Posting
from tests.flows.ledgers import assert_books_agree
from tests.flows.scene import Scene, a_scene

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

VAT = (("Germany VAT", "19", "country"),)
UK = (("United Kingdom VAT", "20", "country"),)
JAPAN = (("Japan Consumption Tax", "10", "country"),)
COLORADO = (("Colorado State Tax", "2.9", "state"), ("Denver City Tax", "4.81", "city"))
DAY = 86_400
Journal = dict[str, str]  # "account currency" -> debit above zero
Build = Callable[[Scene, str], None]


def plan(amount: int, currency: str = "USD", **fields: Any) -> Charge:
    return Charge(amount, f"pro-{currency}-Monthly", **fields)


def bill(scene: Scene, who: str, *charges: Charge, currency: str = "USD", **fields: Any) -> str:
    bills = {"document_discount", "promotional_credits", "round_off", "price_type"}
    given = {name: fields.pop(name) for name in bills & fields.keys()}
    return scene.invoice(who, charges=charges, currency=currency, bill=given, **fields)


def inclusive(scene: Scene, who: str) -> None:
    bill(scene, who, plan(120_00, "GBP", taxes=UK), currency="GBP", price_type="tax_inclusive")


def inclusive_discounted(scene: Scene, who: str) -> None:
    charge = plan(120_00, "GBP", taxes=UK, discount=12_00)
    bill(scene, who, charge, currency="GBP", price_type="tax_inclusive")


def inclusive_credited(scene: Scene, who: str) -> None:
    number = bill(scene, who, plan(120_00, "GBP", taxes=UK), currency="GBP", price_type="tax_inclusive")
    scene.world.chargebee.credit(number, 60_00)


def yen(scene: Scene, who: str) -> None:
    number = bill(scene, who, plan(1_100, "JPY", taxes=JAPAN), currency="JPY", price_type="tax_inclusive")
    scene.world.chargebee.pay({number: 600})


def dinar(scene: Scene, who: str) -> None:
    number = bill(scene, who, plan(12_50, "KWD"), currency="KWD")
    payment = scene.world.chargebee.pay({number: 12_50}, unused=2_00)
    scene.world.chargebee.refund_payment(payment["id"], 75)


def negative_line(scene: Scene, who: str) -> None:
    bill(scene, who, plan(100_00, taxes=VAT), Charge(-30_00, taxes=VAT))


def given_away(scene: Scene, who: str) -> None:
    bill(scene, who, plan(50_00, discount=50_00, taxes=VAT), Charge(10_00, taxes=VAT))


def promoted(scene: Scene, who: str) -> None:
    bill(scene, who, plan(100_00, taxes=VAT), promotional_credits=20_00)


def twice_discounted(scene: Scene, who: str) -> None:
    bill(scene, who, plan(100_00, discount=10_00, taxes=COLORADO), Charge(50_00), document_discount=14_00)


def rounded_up(scene: Scene, who: str) -> None:
    bill(scene, who, plan(99_99), round_off=1)


def rounded_down(scene: Scene, who: str) -> None:
    bill(scene, who, plan(100_01), round_off=-1)


def written_off(scene: Scene, who: str) -> None:
    scene.world.chargebee.write_off(bill(scene, who, plan(100_00, taxes=VAT)))


def paid_credited_and_written_off(scene: Scene, who: str) -> None:
    number = bill(scene, who, plan(100_00, taxes=VAT))
    scene.world.chargebee.pay({number: 59_50})
    scene.world.chargebee.credit(number, 23_80)
    scene.world.chargebee.write_off(number)


def more_credit_than_the_next_invoice(scene: Scene, who: str) -> None:
    site, first = scene.world.chargebee, bill(scene, who, plan(100_00))
    site.pay({first: 100_00})
    note = site.credit(first, 100_00, "refundable")
    second = bill(scene, who, plan(40_00))
    site.apply_note(note["id"], second, 40_00)


def partly_refunded(scene: Scene, who: str) -> None:
    site, number = scene.world.chargebee, bill(scene, who, plan(100_00, taxes=VAT))
    payment = site.pay({number: 119_00})
    note = site.credit(number, 59_50, "refundable")
    site.refund_note(note["id"], 20_00, payment["id"])


def charged_back(scene: Scene, who: str) -> None:
    site, number = scene.world.chargebee, bill(scene, who, plan(100_00))
    payment = site.pay({number: 100_00})
    note = site.credit(number, 100_00, "refundable", "Chargeback")
    site.refund_note(note["id"], 100_00, payment["id"], payment_method="chargeback")


def stored_credit(scene: Scene, who: str) -> None:
    number = bill(scene, who, plan(100_00, taxes=VAT))
    scene.world.chargebee.pay({number: 119_00})
    scene.world.chargebee.credit(number, 50_00, "store")


def one_payment_for_two(scene: Scene, who: str) -> None:
    first, second = bill(scene, who, plan(70_00)), bill(scene, who, Charge(30_00))
    scene.world.chargebee.pay({first: 70_00, second: 10_00}, unused=5_00, payment_method="check")


# Each with QAD's debit (above zero) and credit by account, added up over all documents of the customer.
BY_HAND: dict[str, tuple[Build, str, Journal]] = {
    # 120.00 with 20.00 of tax inside
    "inclusive": (inclusive, "GBP", {"1200": "120.00", "4000": "-100.00", "2230": "-20.00"}),
    # 120.00 less 12.00 is 108.00, with 18.00 of tax inside; the discount stands gross, the tax is off the line
    "inclusive, discounted": (
        inclusive_discounted, "GBP", {"1200": "108.00", "4000": "-102.00", "4800": "12.00", "2230": "-18.00"},
    ),
    # half of it goes back with half of the tax
    "inclusive, credited": (inclusive_credited, "GBP", {"1200": "60.00", "4000": "-50.00", "2230": "-10.00"}),
    "yen": (yen, "JPY", {"1200": "500", "4000": "-1000", "2230": "-100", "1090": "600"}),
    # hundredths in Chargebee, three decimals in QAD: 12.50 settled; of 2.00 on account 0.75 go back
    "dinar": (dinar, "KWD", {"1200": "-1.250", "4000": "-12.500", "1090": "13.750"}),
    # 70.00 and 19 % of it: 19.00 less 5.70
    "negative line": (negative_line, "USD", {"1200": "83.30", "4000": "-100.00", "4400": "30.00", "2230": "-13.30"}),
    # only the second line costs anything, and only it bears tax
    "given away": (
        given_away, "USD", {"1200": "11.90", "4000": "-50.00", "4800": "50.00", "4400": "-10.00", "2230": "-1.90"},
    ),
    # tax is due on 80.00
    "promoted": (promoted, "USD", {"1200": "95.20", "4000": "-100.00", "4850": "20.00", "2230": "-15.20"}),
    # 14.00 over 90.00 and 50.00 is 9.00 and 5.00: 2.9 % and 4.81 % of 81.00 are 2.35 and 3.90
    "twice discounted": (
        twice_discounted, "USD",
        {"1200": "132.25", "4000": "-100.00", "4400": "-50.00", "4800": "24.00", "2230": "-6.25"},
    ),
    "rounded up": (rounded_up, "USD", {"1200": "100.00", "4000": "-99.99", "6900": "-0.01"}),
    "rounded down": (rounded_down, "USD", {"1200": "100.00", "4000": "-100.01", "6900": "0.01"}),
    # gross against bad debt; the tax stays
    "written off": (written_off, "USD", {"4000": "-100.00", "2230": "-19.00", "6500": "119.00"}),
    # 119.00 less 59.50 paid, less 20.00 and 3.80 of tax credited: 35.70 are given up
    "paid, credited, written off": (
        paid_credited_and_written_off, "USD", {"4000": "-80.00", "2230": "-15.20", "6500": "35.70", "1090": "59.50"},
    ),
    # 100.00 paid and credited, 40.00 billed: 60.00 are owed to the customer
    "more credit than the next invoice": (
        more_credit_than_the_next_invoice, "USD", {"1200": "-60.00", "4000": "-40.00", "1090": "100.00"},
    ),
    # half goes back on the account, and 20.00 of that in cash
    "partly refunded": (
        partly_refunded, "USD", {"1200": "-39.50", "4000": "-50.00", "2230": "-9.50", "1090": "99.00"},
    ),
    "charged back": (charged_back, "USD", {}),
    # a store note has no tax when it is made
    "stored credit": (
        stored_credit, "USD", {"1200": "-50.00", "4000": "-50.00", "2230": "-19.00", "1090": "119.00"},
    ),
    # 15.00 of 100.00 stay open: 20.00 owed, 5.00 on account; a cheque goes to the bank
    "one payment for two": (
        one_payment_for_two, "USD", {"1200": "15.00", "4000": "-70.00", "4400": "-30.00", "1010": "85.00"},
    ),
}  # fmt: skip


def journals(scene: Scene) -> dict[tuple[str, str], Journal]:
    """(QAD customer, currency) -> what all its documents add up to by account, without what evens out."""
    sums: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for document in scene.world.ledger()["documents"]:
        for row in document["journal"]:
            sums[document["customer"], row["currency"]][row["account"]] += Decimal(row["amount"])
    return {
        key: {account: str(amount) for account, amount in accounts.items() if amount} for key, accounts in sums.items()
    }


@pytest.mark.parametrize("dialect", ["adaptive", "offset-rest"])
def test_what_an_accountant_adds_up_is_what_qad_has(dialect):
    with a_scene(dialect=dialect) as scene:
        customers = {name: scene.customer(currency) for name, (_, currency, _) in BY_HAND.items()}
        for name, (build, _, _) in BY_HAND.items():
            build(scene, customers[name])

        scene.sync()
        scene.clock.forward(60)
        scene.sync()

        found = journals(scene)
        codes = dict(scene.tenant.customer_mappings.values_list("chargebee_id", "qad_code"))
        have = {name: found.get((codes[who], BY_HAND[name][1]), {}) for name, who in customers.items()}
        assert have == {name: journal for name, (_, _, journal) in BY_HAND.items()}
        assert_books_agree(scene)


@pytest.mark.parametrize("dialect", ["adaptive", "offset-rest"])
def test_a_note_applied_to_an_invoice_of_another_period_is_applied_in_the_later_one(dialect):
    with a_scene(dialect=dialect) as scene:
        site, who = scene.world.chargebee, scene.customer()
        before = scene.world.clock.seconds() - 40 * DAY
        first = bill(scene, who, plan(100_00), date=before)
        site.pay({first: 100_00}, date=before)
        note = site.credit(first, 100_00, "refundable")
        site.edit("credit_note", note["id"], date=before)
        scene.sync()
        second = bill(scene, who, plan(40_00))
        site.apply_note(note["id"], second, 40_00)
        scene.clock.forward(60)
        scene.sync()

        days = dict(Posting.objects.filter(tenant=scene.tenant).values_list("kind", "posting_date"))
        assert days["credit_note"] < days["application"] - dt.timedelta(days=30)
        assert days["application"] == scene.posting(second).posting_date
        assert_books_agree(scene)


@pytest.mark.parametrize("dialect", ["adaptive", "offset-rest"])
def test_an_invoice_that_a_discount_makes_nothing_is_posted_where_the_policy_says_so(dialect):
    with a_scene(dialect=dialect, policies={"zero_invoices": "post"}) as scene:
        bill(scene, scene.customer(), plan(50_00, discount=50_00, taxes=VAT))

        scene.sync()

        (found,) = journals(scene).values()
        assert found == {"4000": "-50.00", "4800": "50.00"}
        assert scene.world.ledger()["open_items"] == {}

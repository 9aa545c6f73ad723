"""Tax that the customer keeps back: on his invoice when it is told, and back with a credit note."""

from __future__ import annotations

from connector.ledger.invoices import InvoiceRules, projection, translate
from connector.ledger.withheld import withheld
from tests.kernel.chargebee.documents import DAY
from tests.kernel.ledger.cases import LATER, ON, ZONE, a_table, an_invoice, eur, posted, told, without

ROW = {"id": "tw_1", "amount": 1_000, "date": DAY, "reference_number": "W-1"}


UNPAID = {"linked_payments": [], "amount_paid": 0}


def with_tax():
    due = an_invoice().total.minor - 1_000
    return an_invoice(**UNPAID, linked_taxes_withheld=[ROW], amount_due=due, amount_to_collect=due)


def test_it_is_a_credit_of_its_own_on_the_invoice_against_what_the_state_owes():
    invoice = with_tax()
    document = withheld(invoice, invoice.withheld_taxes[0], a_table(), ZONE, "CB-WHT-1", posted("INV-1"))
    assert told(document) == ["Dr 1250 10.00", "Cr 1200 10.00"]
    (edge,) = document.applications
    assert (edge.reference, edge.amount, document.payment_reference) == ("CB-INV-1", eur("10"), "W-1")


def test_it_is_dated_by_itself_but_never_before_its_invoice():
    invoice = with_tax()
    tax = invoice.withheld_taxes[0]
    for day, expected in ((ON, ON), (LATER, LATER)):
        document = withheld(invoice, tax, a_table(), ZONE, "R", posted("INV-1", on=day))
        assert document.posting_date == expected


def test_it_needs_its_account():
    invoice = with_tax()
    found = withheld(invoice, invoice.withheld_taxes[0], without("withheld_tax"), ZONE, "R", posted("INV-1"))
    assert told(found) == ["role-not-mapped"]


def test_the_invoice_itself_is_posted_whole_and_does_not_change_with_it():
    rules = InvoiceRules(ZONE)
    due = an_invoice().total.minor
    plain, kept = an_invoice(**UNPAID, amount_due=due, amount_to_collect=due), with_tax()
    assert translate(kept, a_table(), rules, "R") == translate(plain, a_table(), rules, "R")
    assert projection(kept) == projection(plain)

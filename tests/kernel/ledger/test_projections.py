"""What makes a posted document an edited one is pinned: another formula would make every document look edited."""

from __future__ import annotations

from connector.ledger import credit_notes, invoices, payments
from tests.kernel.ledger.cases import a_note, a_payment, an_invoice


def test_the_formula_is_the_one_that_posted_documents_were_stored_with():
    assert invoices.projection(an_invoice()) == "08c0f80e2cf0d8b2799385634d205da3d7f71b83968b8e0e16b25610969fabfa"
    assert credit_notes.projection(a_note()) == "b8fa17e54fb4eb7029d13e381f1ed1cb29719aeebca0ddb9fe2364be69bccd64"
    assert payments.projection(a_payment()) == "1c6c4daa08861cc17c2230aefbd044cf7f72ce46a40ec0bf252e673cfadabb57"

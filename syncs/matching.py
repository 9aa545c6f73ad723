"""Is the document that QAD has the one that we mean?"""

from __future__ import annotations

from connector.money import Money, plain
from connector.qad.client import Found
from syncs.models import Posting


def judge(posting: Posting, found: Found) -> list[str]:
    """What differs between a posting and what was found under its reference, as clauses; [] if it is ours.

    In which sign an instance shows the total of a refund is its own affair; the reading back compares that too.
    """
    differences = []
    if found.reference != posting.reference:
        differences.append(f"its reference is {found.reference}")
    if found.total is not None and abs(found.total) != abs(posting.total.amount):
        theirs = plain(Money(found.total, posting.currency))
        differences.append(f"its total is {theirs} and ours is {plain(posting.total)}")
    if found.currency and found.currency != posting.currency:
        differences.append(f"its currency is {found.currency} and ours is {posting.currency}")
    if found.customer and found.customer != posting.customer_code:
        differences.append(f"its customer is {found.customer} and ours is {posting.customer_code}")
    return differences

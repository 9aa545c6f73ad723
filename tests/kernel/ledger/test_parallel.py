"""What would be posted against what people keyed by hand."""

import datetime as dt
from decimal import Decimal

import pytest

from connector.ledger.compare import Copy, Sent
from connector.ledger.parallel import matched

DAY = dt.date(2026, 11, 10)


def ours(name="CB-INV-1", total="100.00", customer="C1", currency="EUR", day=DAY):
    return Sent(name, customer, currency, Decimal(total), day, "")


def theirs(number="900", total="100.00", customer="C1", currency="EUR", day=DAY):
    return Copy("by hand", number, customer, currency, None if total is None else Decimal(total), day)


def names(found):
    return (
        [(pair.ours.reference, pair.theirs.number) for pair in found.agreed],
        [(pair.ours.reference, pair.theirs.number) for pair in found.differing],
        [one.reference for one in found.only_ours],
        [one.number for one in found.only_theirs],
    )


def test_the_same_document_agrees_whatever_its_sign_and_trailing_zeros():
    assert names(matched([ours()], [theirs(total="-100.0")])) == ([("CB-INV-1", "900")], [], [], [])


def test_another_total_differs_with_both_values():
    found = matched([ours()], [theirs(total="90.00")])
    assert names(found)[1] == [("CB-INV-1", "900")]
    assert found.differing[0].reasons == ("total 100.00 here, 90.00 in QAD",)


def test_another_date_within_five_days_differs_and_beyond_is_another_document():
    near = matched([ours()], [theirs(day=DAY + dt.timedelta(days=5))])
    assert near.differing[0].reasons == ("dated 2026-11-10 here, 2026-11-15 in QAD",)
    far = matched([ours()], [theirs(day=DAY + dt.timedelta(days=6))])
    assert names(far) == ([], [], ["CB-INV-1"], ["900"])


@pytest.mark.parametrize("other", [{"customer": "C2"}, {"currency": "USD"}, {"total": None}])
def test_another_customer_or_currency_or_no_total_never_pairs(other):
    assert names(matched([ours()], [theirs(**other)])) == ([], [], ["CB-INV-1"], ["900"])


def test_the_nearest_date_pairs_first_and_each_document_once():
    later = DAY + dt.timedelta(days=2)
    found = matched([ours("A"), ours("B", day=later)], [theirs("1", day=later), theirs("2"), theirs("3")])
    assert sorted(names(found)[0]) == [("A", "2"), ("B", "1")]
    assert names(found)[3] == ["3"]


def test_an_exact_total_is_not_taken_by_a_nearer_date():
    found = matched([ours("A", "90.00"), ours("B")], [theirs("1", "100.00")])
    assert names(found) == ([("B", "1")], [], ["A"], [])


def test_nothing_against_nothing_is_clean():
    assert matched([], []).is_clean
    assert not matched([ours()], []).is_clean

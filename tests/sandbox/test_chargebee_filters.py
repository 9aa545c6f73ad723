from __future__ import annotations

import pytest

from tests.sandbox.site_desk import NOON, T0, a_site, get, ids, refusal

DAY = 86_400


@pytest.fixture
def site():
    """Three invoices, updated at noon, a minute and two minutes later; dated today, yesterday and long ago."""
    site = a_site()
    site.add_invoice(id="A", total=100, date=T0, status="paid")
    site.clock.advance(60)
    site.add_invoice(id="B", total=200, date=T0 - DAY, po_number="PO")
    site.clock.advance(60)
    site.add_invoice(id="C", total=300, date=T0 - 400 * DAY, status="voided", currency="JPY")
    return site


CASES = [
    ({"updated_at__after": T0}, "BC"),
    ({"updated_at__after": T0 - 1}, "ABC"),
    ({"updated_at__before": T0 + 60}, "A"),
    ({"updated_at__between": f"[{T0},{T0 + 60}]"}, "AB"),
    ({"updated_at__between": f'["{T0 + 60}","{T0 + 120}"]'}, "BC"),
    ({"updated_at__between": f"[{T0 + 1},{T0 + 59}]"}, ""),
    ({"date__on": T0 + 3600}, "A"),
    ({"date__on": NOON.strftime("%Y-%m-%d")}, "A"),
    ({"date__after": T0 - DAY}, "A"),
    ({"date__before": T0 - DAY}, "C"),
    ({"date__between": f"[{T0 - DAY},{T0}]"}, "AB"),
    ({"paid_at__is_present": "true"}, "A"),
    ({"voided_at__is_present": "false"}, "AB"),
    ({"id__is": "B"}, "B"),
    ({"id__is_not": "B"}, "AC"),
    ({"id__in": '["A","C","none"]'}, "AC"),
    ({"id__in": "[A,B]"}, "AB"),
    ({"id__in": "['A', 'B']"}, "AB"),
    ({"id__not_in": '["A"]'}, "BC"),
    ({"id__starts_with": "B"}, "B"),
    ({"status__is": "paid"}, "A"),
    ({"status__is_not": "paid"}, "BC"),
    ({"status__in": '["posted","voided"]'}, "BC"),
    ({"status__not_in": "[posted,voided]"}, "A"),
    ({"total__gt": 100}, "BC"),
    ({"total__gte": 100}, "ABC"),
    ({"total__lt": 200}, "A"),
    ({"total__lte": 200}, "AB"),
    ({"total__between": "[150,250]"}, "B"),
    ({"amount_due__is": 0}, "A"),
    ({"recurring__is": "true"}, "ABC"),
    ({"recurring__is": "false"}, ""),
    ({"updated_at__after": T0, "status__is": "posted"}, "B"),
    ({"business_entity_id__is": "be"}, "ABC"),
    ({"po_number__is": "PO"}, "ABC"),
]


@pytest.mark.parametrize(("query", "found"), CASES, ids=[str(query) for query, _ in CASES])
def test_it_filters(site, query, found):
    assert sorted(ids(site, "invoices", **query)) == list(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("updated_at[since]", "1"),
        ("updated_at[after]", "yesterday"),
        ("updated_at[between]", "[1]"),
        ("updated_at[between]", "1,2"),
        ("id[in]", "A"),
        ("total[gt]", "much"),
        ("recurring[is]", "perhaps"),
        ("status[starts_with]", "pa"),
    ],
)
def test_it_refuses_a_filter_it_cannot_read(site, name, value):
    assert refusal(get(site, "invoices", {name: value})) == (400, "param_wrong_value", name)


def test_a_row_without_updated_at_is_lost_to_every_filter_on_it_and_nobody_says_so():
    site = a_site(customers=60)
    old = next(row["id"] for row in site.all("customer") if "updated_at" not in row)
    assert old in ids(site, "customers")
    assert old not in ids(site, "customers", updated_at__after=0)
    assert old not in ids(site, "customers", updated_at__between=f"[0,{T0 * 2}]")
    assert old not in ids(site, "customers", updated_at__before=T0 * 2)


def test_transactions_and_events_filter_by_their_own_fields():
    site = a_site()
    site.bill_cycle(kinds="all")
    assert set(ids(site, "transactions", type__is="refund")) == {
        row["id"] for row in site.all("transaction") if row["type"] == "refund"
    }
    generated = ids(site, "events", event_type__in='["invoice_deleted","credit_note_created"]')
    assert len(generated) == len(site.all("credit_note"))

"""What is read off a document before anyone parses it: odd values become empty, nothing is lost, nothing raises."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from syncs.rows import canonical
from syncs.rows import row_of as _row

ODD = [
    None,
    True,
    1.5,
    Decimal("1.5"),
    "",
    "text",
    "\x00",
    "\ud800",
    [],
    {},
    [1],
    {"a": 1},
    -1,
    2**63,
    10**30,
    "x" * 500,
]
FIELDS = (
    *("id", "resource_version", "updated_at", "deleted", "status", "customer_id", "relationship", "currency_code"),
    *("total", "date"),
)
anything = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.text()
    | some.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def test_it_reads_what_everything_else_rests_on():
    row = _row(
        {
            "id": "INV-1", "resource_version": 7, "updated_at": 86_400, "deleted": True, "status": "paid",
            "customer_id": "c-1", "currency_code": "USD", "total": 100, "date": 0, "relationship": {"parent_id": "p-1"},
        }
    )  # fmt: skip

    assert (row.source_id, row.resource_version, row.is_deleted, row.status) == ("INV-1", 7, True, "paid")
    assert (row.customer_id, row.parent_id, row.currency, row.total) == ("c-1", "p-1", "USD", 100)
    assert row.updated_at == dt.datetime(1970, 1, 2, tzinfo=dt.UTC)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", ODD, ids=[f"{value!r:.12}" for value in ODD])
def test_an_odd_value_fits_its_column_or_is_left_empty(field, value):
    row = _row({"id": "INV-1", field: value})

    assert row.source_id
    assert max(len(row.source_id), len(row.customer_id), len(row.parent_id)) <= 100
    assert "\x00" not in row.source_id + row.status + row.customer_id + row.currency
    (row.source_id + row.status + row.customer_id + row.content.decode()).encode()
    assert row.total is None or abs(row.total) < 2**63


@pytest.mark.parametrize("document", [None, [], "text", 7, True, {}, {"id": None}, {"id": 7}, {"id": "x" * 101}])
def test_a_document_without_a_usable_id_is_named_by_its_content(document):
    assert _row(document).source_id == _row(document).source_id
    assert _row(document).source_id.startswith("(no id) ")


def test_two_documents_without_an_id_are_two():
    assert _row({"total": 1}).source_id != _row({"total": 2}).source_id


def test_the_order_of_keys_makes_no_new_version():
    assert _row({"id": "a", "total": 1}).digest == _row({"total": 1, "id": "a"}).digest


@settings(max_examples=100, deadline=None)
@given(some.dictionaries(some.sampled_from(FIELDS) | some.text(max_size=4), anything, max_size=6))
@pytest.mark.slow
def test_whatever_chargebee_sends_is_kept_as_json(document):
    row = _row(document)

    assert isinstance(json.loads(row.content), dict)
    assert len(row.digest) == 64


@pytest.mark.parametrize("number", ["0.0125", "1.715625", "137.25", "19.99", "12345678901234567.89"])
def test_a_decimal_is_kept_to_its_last_digit(number):
    kept = json.loads(_row({"id": "a", "n": Decimal(number)}).content, parse_float=Decimal)["n"]

    assert Decimal(kept) == Decimal(number)


@settings(max_examples=100, deadline=None)
@given(anything)
@pytest.mark.slow
def test_what_is_stored_says_what_was_sent(value):
    """Against the standard library, whichever of the two writers a value took."""
    plain = json.loads(json.dumps(value, default=lambda number: float(number) if _is_short(number) else str(number)))

    assert json.loads(canonical(value)) == plain


def _is_short(number: Decimal) -> bool:
    return Decimal(repr(float(number))) == number

"""How a value of one system looks in the other, and which QAD customers belong in Chargebee."""

from __future__ import annotations

import datetime as dt

import pytest

from connector.ledger.projecting import Projection, written_in
from connector.ledger.sharing import sharing

CODES = {"country": {"GB": "UK", "XI": "UK", "DE": "DEU"}}


@pytest.mark.parametrize(
    ("characters", "text", "written"),
    [
        ("unicode", "Dvořák Œuvre", "Dvořák Œuvre"),
        ("latin-1", "Dvořák Müller", "Dvorák Müller"),
        ("ascii", "Dvořák Straße Œuvre 東京", "Dvorak Strasse OEuvre ??"),
    ],
)
def test_a_text_is_written_in_the_characters_that_qad_keeps(characters, text, written):
    assert written_in(text, characters) == written


@pytest.mark.parametrize(
    ("name", "chargebee", "qad", "are_same"),
    [
        ("country", "GB", "UK", True),
        ("country", "XI", "UK", True),
        ("country", "DE", "FRA", False),
        ("email", "Ada@Acme.example", "ada@acme.example", True),
        ("telephone", "+1 (303) 555-01", "+130355501", True),
        ("tax_id", "123456789", "DE123456789", True),
        ("tax_id", "XI123456789", "GB123456789", False),
        ("name", "  Acme \t Works ", "Acme Works", True),
        ("name", "Acme Works of Denver", "Acme Works", True),
        ("name", "Acme", "ACME", False),
        ("credit_terms", "30", "N30", True),
        ("credit_terms", "30", "N15", False),
    ],
)
def test_two_values_are_the_same_if_either_is_what_the_other_becomes(name, chargebee, qad, are_same):
    projection = Projection(longest={"name": 10}, codes=CODES, term_days={"N30": "30", "N15": "15"})
    assert projection.same(name, chargebee, qad) is are_same


def test_qads_code_goes_back_as_the_first_of_chargebees_that_means_it():
    projection = Projection(codes=CODES)
    assert projection.to_chargebee("country", "UK") == "GB"


def test_what_may_not_be_cut_is_shown_to_a_person():
    projection = Projection(longest={"email": 10, "name": 4})
    assert projection.to_qad("name", "Acme Works") == "Acme"
    problem = projection.problem("email", "qad", projection.to_qad("email", "ada@acme.example"))
    assert problem is not None
    assert "longer than the 10 characters that QAD keeps" in problem.message


@pytest.mark.parametrize(
    ("stored", "customer_type", "added_on", "is_shared"),
    [
        ({}, "SUB", dt.date(2026, 5, 1), False),
        ({"types": "SUB WEB"}, "WEB", None, True),
        ({"types": "SUB"}, "OEM", None, False),
        ({"types": "SUB", "added_after": "2026-01-01"}, "SUB", dt.date(2025, 12, 31), False),
        ({"types": "SUB", "added_after": "2026-01-01"}, "SUB", None, False),
        ({"added_after": "2026-01-01"}, "OEM", dt.date(2026, 1, 1), True),
        ({"flags": "Y"}, "OEM", None, True),
    ],
)
def test_the_rule_says_which_customers_belong_in_chargebee(stored, customer_type, added_on, is_shared):
    found = sharing(stored).takes(customer_type=customer_type, group="", flag="Y", added_on=added_on)
    assert found is is_shared


def test_a_rule_with_another_key_is_refused():
    with pytest.raises(ValueError, match="'kinds' is not one of"):
        sharing({"kinds": "SUB"})

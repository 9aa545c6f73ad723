"""Company names made comparable."""

import pytest

from connector.ledger.names import normalised


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Acme Inc", "acme"),
        ("ACME, Inc.", "acme"),
        ("Dvořák Tooling, s.r.o.", "dvorak tooling"),
        ("Müller & Söhne GmbH & Co. KG", "muller and sohne"),
        ("Smith & Sons Ltd", "smith and sons"),
        ("Smith and Sons Limited", "smith and sons"),
        ("The Home Depot, Inc.", "home depot"),
        ("ACME S.A.R.L.", "acme"),
        ("Ørsted A/S", "orsted"),
        ("AB Volvo", "volvo"),
        ("Foo B.V.", "foo"),
        ("O'Brien's LLC", "obriens"),
        ("O’Brien’s L.L.C.", "obriens"),
        ("Straße AG", "strasse"),
        ("3M Company", "3m"),
        ("Sea-Land   Freight\tSA", "sea land freight"),
        ("株式会社トヨタ", "株式会社トヨタ"),
        ("GmbH", "gmbh"),
        ("Company of Heroes Ltd", "of heroes"),
        ("Cola Co Trading Ltd", "cola co trading"),
        ("  ", ""),
        ("", ""),
    ],
)
def test_it_makes_names_comparable(name, expected):
    assert normalised(name) == expected


def test_it_changes_nothing_the_second_time():
    for name in ("Müller & Söhne GmbH", "The Home Depot, Inc.", "Ørsted A/S"):
        assert normalised(normalised(name)) == normalised(name)

"""Credit terms of customers that are created in QAD, by their days to pay."""

import datetime as dt

import pytest

from mappings.cells import CellError, days
from mappings.models import CreditTermsMapping, QadCode
from mappings.planning import Change
from mappings.saving import save_rows
from mappings.terms import terms, terms_of
from tests.builders import a_tenant
from tests.mappings.build import NOW, SINCE

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 26)


def a_row(tenant, days, code, since=SINCE):
    return CreditTermsMapping.objects.create(tenant=tenant, days=days, qad_terms=code, valid_from=since)


def test_own_days_win_then_any_other_then_the_policy():
    tenant = a_tenant()
    a_row(tenant, "30", "N30")
    a_row(tenant, "", "NET")
    known = terms(tenant.pk, TODAY)
    assert [terms_of(known, asked, "POL") for asked in (30, 60, None)] == ["N30", "NET", "NET"]
    assert terms_of({}, 30, "POL") == "POL"


def test_the_row_in_force_counts_and_never_another_tenant_s():
    tenant = a_tenant()
    a_row(tenant, "30", "N30")
    a_row(tenant, "30", "X30", TODAY)
    a_row(a_tenant("theirs"), "60", "N60")
    assert terms(tenant.pk, TODAY) == {"30": "X30"}
    assert terms(tenant.pk, TODAY - dt.timedelta(days=1)) == {"30": "N30"}


@pytest.mark.parametrize(("cell", "expected"), [("", ""), (None, ""), (30, "30"), ("030", "30"), (30.0, "30")])
def test_days_are_read_as_people_write_them(cell, expected):
    assert days(cell) == expected


@pytest.mark.parametrize("cell", ["soon", "-5", "1.5", "30 days", "99999"])
def test_what_is_no_number_of_days_is_refused(cell):
    with pytest.raises(CellError, match="is no number of days"):
        days(cell)


def change(code):
    return Change("credit_terms", {"days": "30", "qad_terms": code, "valid_from": SINCE})


def test_terms_that_qad_does_not_have_are_refused_with_their_name():
    tenant = a_tenant()
    QadCode.objects.create(tenant=tenant, list_name="credit_terms", code="N30", seen_at=NOW)
    tenant.mirror_states.create(list_name="credit_terms", refreshed_at=NOW, sentence="Read.")
    refused = save_rows(tenant.pk, [change("N99")], actor="ada", now=NOW).refusals
    assert [one.problem.code for one in refused] == ["code-unknown"]
    assert "QAD does not have credit terms N99." in refused[0].problem.message
    assert save_rows(tenant.pk, [change("N30")], actor="ada", now=NOW).created == 1

"""QAD's lists in the mirrors."""

import datetime as dt

import pytest

from connector.errors import Transient
from mappings.catalog import refresh_mirror
from mappings.models import MirrorState, QadAccount, QadCustomer
from tests.builders import a_tenant
from tests.mappings.build import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + dt.timedelta(hours=1)


class Listing:
    """A QAD client with fixed pages; an exception among them is raised where it stands."""

    def __init__(self, *pages):
        self.pages = pages

    def browse(self, list_name, filters=()):
        for page in self.pages:
            if isinstance(page, Exception):
                raise page
            yield page


def accounts(*codes):
    return [{"code": code, "description": f"Account {code}", "is_active": True} for code in codes]


def refresh(tenant, *pages, now=NOW, name="gl_accounts"):
    return refresh_mirror(tenant, Listing(*pages), name, now)


def shown():
    return list(QadAccount.objects.values_list("code", "is_gone"))


def test_it_keeps_what_qad_lists():
    tenant = a_tenant()
    row = {
        "code": "4000",
        "description": "Subscription revenue",
        "type": "standard",
        "is_active": "false",
        "currency": "EUR",
        "cost_centre_required": "true",
        "project_required": None,
    }
    state = refresh(tenant, [row], accounts("4100"))
    account = QadAccount.objects.get(code="4000")
    assert str(account) == "4000 — Subscription revenue"
    assert (account.is_active, account.needs_cost_centre, account.needs_project) == (False, True, False)
    assert (account.currency, account.account_type, account.seen_at) == ("EUR", "standard", NOW)
    assert (state.rows, state.refreshed_at, state.sentence) == (2, NOW, "QAD lists 2 GL accounts.")


def test_a_second_pass_updates_and_marks_what_vanished():
    tenant = a_tenant()
    refresh(tenant, accounts("4000", "4100"))
    state = refresh(tenant, [{"code": "4000", "description": "New name"}], now=LATER)
    assert shown() == [("4000", False), ("4100", True)]
    assert QadAccount.objects.get(code="4000").description == "New name"
    assert state.sentence == "QAD lists 1 GL accounts; 1 are gone."


def test_what_comes_back_is_no_longer_gone():
    tenant = a_tenant()
    refresh(tenant, accounts("4000", "4100"))
    refresh(tenant, accounts("4000"), now=LATER)
    refresh(tenant, accounts("4000", "4100"), now=LATER + dt.timedelta(hours=1))
    assert shown() == [("4000", False), ("4100", False)]


def test_a_list_that_turns_empty_is_not_believed():
    tenant = a_tenant()
    refresh(tenant, accounts("4000"))
    state = refresh(tenant, [], now=LATER)
    assert shown() == [("4000", False)]
    assert state.refreshed_at == NOW
    assert state.sentence.startswith("Empty, not confirmed: QAD listed no GL accounts. The 1 known ones are kept.")


def test_a_first_empty_list_counts_as_never_read():
    assert refresh(a_tenant()).refreshed_at is None


def test_a_broken_pass_marks_nothing_gone():
    tenant = a_tenant()
    refresh(tenant, accounts("4000", "4100"))
    with pytest.raises(Transient):
        refresh(tenant, accounts("4000"), Transient("Later."), now=LATER)
    assert shown() == [("4000", False), ("4100", False)]
    assert MirrorState.objects.get().refreshed_at == NOW


def test_it_makes_customers_findable():
    tenant = a_tenant()
    rows = [
        {"code": "C1", "name": "Müller GmbH", "external_reference": "cust-1", "site": "S1", "daybook_set": ""},
        {"code": "C2", "name": "Acme Inc", "is_active": False},
        {"code": "", "name": "No code"},
    ]
    refresh(tenant, rows, name="customers")
    first, second = QadCustomer.objects.all()
    assert (first.search_key, first.external_reference, first.is_complete) == ("muller", "cust-1", False)
    assert (second.search_key, second.is_active, second.is_complete) == ("acme", False, True)


def test_tenants_have_lists_of_their_own():
    mine, theirs = a_tenant(), a_tenant("other")
    refresh(theirs, accounts("4000"))
    refresh(mine, accounts("4100"), now=LATER)
    assert shown() == [("4000", False), ("4100", False)]


def test_a_row_listed_twice_counts_once():
    assert refresh(a_tenant(), accounts("4000", "4000"), accounts("4000")).rows == 1

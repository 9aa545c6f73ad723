"""The pages of customers fit the window in Chromium, whatever stands in them, and nothing complains."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from playwright.sync_api import Page

from tests.browser.test_a_persons_way import TOO_WIDE, log_in, page
from tests.builders import a_tenant
from tests.syncs.test_admin_customers import a_conflict, a_pair, a_review, addresses

__all__ = ["page"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LONG = "an-address-that-is-as-long-as-an-address-may-be-without-a-place-to-break@example.com"
INSIDE = """() => [...document.querySelectorAll('#result_list td, #result_list th')].filter(cell => {
  const box = document.querySelector('#changelist .results').getBoundingClientRect();
  const far = Math.max(...[cell, ...cell.children].map(one => one.getBoundingClientRect().right));
  return far > box.right + 1 || cell.scrollWidth > cell.clientWidth + 1;
}).map(cell => cell.textContent.trim())"""


def test_the_pages_of_customers_fit_the_window(page: Page) -> None:
    tenant = a_tenant("mine")
    pair = a_pair(tenant, "Kestrel Freight 151 Inc", chargebee_id="xSfTgYcHZp3vRRLJ-more", reason=f"E-mail '{LONG}'")
    conflict = a_conflict(pair, LONG, state="waiting", field="email")
    a_conflict(pair, "30", field="credit_terms", kind="first-link")
    log_in(page, SimpleNamespace(tenant=tenant))  # type: ignore[arg-type]
    for address in addresses(pair, conflict, a_review(tenant)):
        page.goto(address)
        assert page.evaluate(TOO_WIDE) == [], address
        if page.query_selector("#result_list"):
            assert page.evaluate(INSIDE) == [], address
    assert page.complaints == []  # type: ignore[attr-defined]

"""A finance user's way through the pages in Chromium: a held document, its mapping, Replay, a spreadsheet."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, sync_playwright

from connector.sandbox.chargebee.documents import Charge
from mappings.models import ItemMapping
from syncs import tasks
from tenants.models import Role
from tests.builders import a_user
from tests.flows.scene import Scene, a_scene

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
TRAINING = Charge(75_000, "training-USD", "charge_item_price")
WIDTH = 1280
PASSWORD = "correct horse battery"
# What sticks out of the window, or out of a box that hides what is too much for it.
TOO_WIDE = """() => {
  const wide = document.documentElement.scrollWidth > window.innerWidth ? ['the page'] : [];
  for (const one of document.querySelectorAll('h1, h2, td, th, p, a, button, label, dd, dt, li')) {
    const box = one.getBoundingClientRect();
    const scrolls = one.closest('.scroll, .results, .overflow, pre, table');
    if (box.width && box.right > innerWidth + 1 && !scrolls) wide.push(one.tagName + ' ' + one.textContent.trim());
  }
  return wide;
}"""


@pytest.fixture
def scene() -> Iterator[Scene]:
    """An invoice that waits for one mapping, and one that QAD refused."""
    with a_scene(customers=4) as made:
        ItemMapping.objects.filter(key="services").delete()
        made.refused = made.invoice(id="INV-REFUSED")  # type: ignore[attr-defined]
        made.held = made.invoice(id="INV-HELD", charges=(TRAINING,))  # type: ignore[attr-defined]
        made.prepare()
        today = made.clock()
        for back in range(40):
            made.world.qad.lock_period(*_month(today, back))
        made.post()
        for back in range(40):
            made.world.qad.unlock_period(*_month(today, back))
        yield made


def _month(today: dt.datetime, back: int) -> tuple[int, int]:
    day = today - dt.timedelta(days=back)
    return day.year, day.month


@pytest.fixture
def page(live_server: Any, monkeypatch: Any) -> Iterator[Page]:
    """A page of the window's width that notes every complaint of the browser."""
    if not BROWSER:
        pytest.skip("Chromium is not installed here.")
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the browser's driver runs an event loop
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        shown = browser.new_page(viewport={"width": WIDTH, "height": 900}, base_url=live_server.url)
        shown.complaints = []  # type: ignore[attr-defined]
        shown.on("console", lambda said: said.type in ("error", "warning") and _complain(shown, said.text))
        shown.on("pageerror", lambda error: _complain(shown, str(error)))
        shown.on("response", lambda answer: answer.status >= 400 and _complain(shown, f"{answer.status} {answer.url}"))
        yield shown
        browser.close()


def _complain(page: Any, text: str) -> None:
    page.complaints.append(f"{page.url}: {text}")


def log_in(page: Page, scene: Scene) -> None:
    user = a_user({scene.tenant: list(Role)}, name="mira")
    user.set_password(PASSWORD)
    user.save()
    page.goto("/")
    page.fill("input[name=username]", "mira")
    page.fill("input[name=password]", PASSWORD)
    page.click("input[type=submit]")
    page.wait_for_url("**/admin/")


def go(page: Page, pressed: str) -> None:
    """Press what leads to another page, and wait until that is there."""
    with page.expect_navigation():
        page.click(pressed)


def assert_sound(page: Any) -> None:
    assert page.complaints == []
    assert page.evaluate(TOO_WIDE) == [], page.url


def open_document(page: Page, scene: Scene, number: str) -> None:
    page.goto(reverse("admin:syncs_sourcedocument_change", args=[scene.source(number).pk]))
    assert_sound(page)


def heading(page: Page) -> str:
    """The document's name and its state."""
    return page.inner_text("#content").splitlines()[0]


def test_a_held_document_leads_to_its_mapping_and_is_posted_once_that_is_saved(page, scene):
    log_in(page, scene)
    assert_sound(page)
    go(page, "nav a:text-is('Documents')")
    open_document(page, scene, scene.held)
    assert "Held" in heading(page)
    go(page, "a:text-is('Map it')")
    assert_sound(page)
    assert page.input_value("[name=key]") == "training-USD"
    page.select_option("[name=gl_account]", "4300")
    page.fill("[name=valid_from]", "2020-01-01")
    go(page, "[name=_save]")
    assert_sound(page)
    assert "750.00 USD" in page.inner_text("#content"), "what it would do is shown first"
    go(page, "text=Save and release")
    assert_sound(page)
    assert "1 document waited for mappings of this kind; 1 released: 750.00 USD." in page.inner_text("body")
    for lane in ("prepare", "post"):
        tasks.work(scene.tenant.pk, lane)
    open_document(page, scene, scene.held)
    assert "Posted" in heading(page)


def test_a_refused_document_is_replayed_and_posted(page, scene):
    log_in(page, scene)
    open_document(page, scene, scene.refused)
    assert "Rejected" in heading(page)
    go(page, "a[href*='/rebuild/'] >> nth=0")
    assert_sound(page)
    go(page, "button:text-is('Rebuild and post')")
    assert_sound(page)
    for lane in ("prepare", "post", "sweep"):
        tasks.work(scene.tenant.pk, lane)
    open_document(page, scene, scene.refused)
    assert "Posted" in heading(page)


def test_a_spreadsheet_with_a_wrong_row_names_it_and_saves_nothing(page, scene, tmp_path):
    file = tmp_path / "items.csv"
    file.write_text("level,key,gl_account,valid_from\nitem,training,4300,2020-01-01\nitem,other,9999,2020-01-01\n")
    log_in(page, scene)
    before = ItemMapping.objects.count()
    page.goto(reverse("admin:mappings_itemmapping_import"))
    assert_sound(page)
    page.set_input_files("[type=file]", str(file))
    go(page, "[type=submit]:visible >> nth=-1")
    assert_sound(page)
    assert "9999" in page.inner_text("body")
    assert ItemMapping.objects.count() == before


def test_every_page_of_the_navigation_is_sound(page, scene):
    log_in(page, scene)
    links = page.eval_on_selector_all("nav a[href^='/admin/']", "all => all.map(one => one.getAttribute('href'))")
    assert len(links) > 15
    for link in dict.fromkeys(links):
        if "logout" not in link:
            page.goto(link)
            assert_sound(page)

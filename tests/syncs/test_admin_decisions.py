"""Every decision by its button: who may press it, whose documents it reaches, and what the page says."""

from __future__ import annotations

import datetime as dt
import html
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from syncs import forcing
from syncs.models import Assignment, ForceRequest, Ignore, Posting, Remark, SourceDocument, Surplus
from tenants.access import MATRIX, Action
from tenants.models import AuditEntry, Role
from tests.builders import a_tenant, a_user
from tests.flows import decided, hand
from tests.flows.scene import a_scene
from tests.syncs.rows import HOSTILE, NOW, UNMAPPED, a_document, a_posting

pytestmark = pytest.mark.django_db
flow = pytest.mark.django_db(transaction=True)
DAY = dt.date.today() + dt.timedelta(days=20)  # noqa: DTZ011 - any day ahead
BUTTONS = {
    "ignore": (Action.IGNORE, {"reason": "A test order", "owner": "ada", "until": DAY.isoformat()}),
    "take_back": (Action.IGNORE, {}),
    "mark_posted": (Action.MARK_POSTED, {"number": "4711"}),
    "settle": (Action.SETTLE_CONFLICT, {"button": "wrong", "reason": "A typing error"}),
    "force": (Action.REQUEST_FORCE, {"reason": "It was deleted by mistake."}),
    "surplus": (Action.SETTLE_CONFLICT, {"surplus": "1"}),
    "note": (Action.REMARK, {"text": "Called them."}),
    "assign": (Action.REMARK, {"who": "ada"}),
    "rebuild": (Action.REPLAY, {}),
    "resend": (Action.REPLAY, {}),
}
ONLY_POST = ("take_back", "answer_force", "surplus", "note", "assign", "resend", "look_up")


@pytest.fixture
def mine():
    tenant = a_tenant("mine")
    a_user({tenant: "accountant"}, name="ada")
    return tenant


def address(button, row):
    return reverse(f"admin:syncs_sourcedocument_{button}", args=[row.pk])


def a_stuck(tenant, name="INV-1", state="rejected"):
    row = a_document(tenant, name)
    return a_posting(row, state=state, problems=[{**UNMAPPED, "link": "document"}])


def standing():
    """Everything that a decision could change."""
    models = (Ignore, ForceRequest, Remark, Assignment, Surplus, AuditEntry)
    states = [*SourceDocument.objects.values_list("pk", "state"), *Posting.objects.values_list("pk", "state")]
    return [model.objects.count() for model in models], sorted(states), list(Posting.objects.values_list("problems"))


def text_of(answer):
    return answer.content.decode()


@pytest.mark.parametrize("button", BUTTONS)
@pytest.mark.parametrize("role", list(Role))
def test_a_button_is_for_those_whose_role_the_matrix_names(client, mine, button, role):
    posting = a_stuck(mine)
    action, data = BUTTONS[button]
    client.force_login(a_user({mine: role}))
    before = standing()
    if role in MATRIX[action]:
        assert client.get(address(button, posting.source)).status_code in (200, 302, 405)
        return
    assert client.post(address(button, posting.source), data).status_code == 403
    assert button in ONLY_POST or client.get(address(button, posting.source)).status_code == 403
    assert standing() == before


@pytest.mark.parametrize("button", [*BUTTONS, "answer_force", "look_up"])
def test_no_button_reaches_another_tenants_document(client, mine, button):
    theirs = a_tenant("theirs")
    ada = a_user({theirs: "accountant"})
    posting = a_stuck(theirs, "foreign-text", state="verified" if button == "answer_force" else "rejected")
    data = dict(BUTTONS.get(button, (None, {}))[1])
    if button == "answer_force":
        assert forcing.ask(theirs, posting, ada, reason="Deleted there by mistake.", now=timezone.now()) == ""
        data = {"request": ForceRequest.objects.get().pk, "button": "approve"}
    before = standing()
    client.force_login(a_user({mine: list(Role)}))
    answer = client.post(address(button, posting.source), data, follow=True)
    assert "foreign-text" not in text_of(answer)
    assert standing() == before


def test_a_request_or_surplus_of_another_document_is_not_answered_through_ones_own(client, mine):
    theirs = a_tenant("theirs")
    foreign = a_stuck(theirs, "foreign", state="verified")
    assert forcing.ask(theirs, foreign, a_user({theirs: "accountant"}), reason="Deleted by mistake.", now=NOW) == ""
    surplus = Surplus.objects.create(
        tenant=theirs, posting=foreign, qad_number="7", instruction="x", named_by="x", named_at=NOW
    )
    own = a_stuck(mine)
    client.force_login(a_user({mine: list(Role)}))
    before = standing()
    request = ForceRequest.objects.get()
    client.post(address("answer_force", own.source), {"request": request.pk, "button": "approve"})
    client.post(address("surplus", own.source), {"surplus": surplus.pk})
    client.post(address("surplus", own.source), {"surplus": "1 OR 1=1"})
    assert standing() == before


@pytest.mark.parametrize("button", ONLY_POST)
def test_a_link_alone_decides_nothing(client, mine, button):
    posting = a_stuck(mine)
    client.force_login(a_user({mine: list(Role)}))
    before = standing()
    assert client.get(address(button, posting.source)).status_code == 405
    assert standing() == before


def test_an_accountant_ignores_and_takes_back_in_the_browser(client, mine):
    row = a_document(mine, state="held", problems=[UNMAPPED])
    client.force_login(a_user({mine: "accountant"}, name="bob"))
    wrong = client.post(address("ignore", row), {"reason": "", "owner": "ada", "until": "yesterday"})
    assert wrong.status_code == 200
    assert not Ignore.objects.exists()

    done = client.post(address("ignore", row), BUTTONS["ignore"][1], follow=True)

    assert f"is ignored until {DAY}" in text_of(done)
    assert "Stop ignoring it" in text_of(done)
    listed = client.get(reverse("admin:syncs_ignore_changelist"))
    assert "Ignored now: 1 invoice, 12.50 EUR." in text_of(listed)
    assert "A test order" in text_of(listed)
    assert "It is held until somebody presses Replay" in text_of(client.post(address("take_back", row), follow=True))
    assert "Nothing is ignored now." in text_of(client.get(reverse("admin:syncs_ignore_changelist")))
    assert "A test order" in text_of(client.get(reverse("admin:syncs_ignore_changelist"), {"standing": "ended"}))


@pytest.mark.slow
def test_two_people_send_again_in_the_browser_and_the_overview_tells_the_second(client, mine):
    posting = a_stuck(mine, state="verified")
    client.force_login(a_user({mine: [Role.ACCOUNTANT, Role.INTEGRATION_ADMIN]}, name="bob"))
    client.post(address("force", posting.source), BUTTONS["force"][1])
    request = ForceRequest.objects.get()
    page = text_of(client.get(reverse("admin:syncs_sourcedocument_change", args=[posting.source_id])))
    assert "Withdraw it" in page
    assert ">Approve<" not in page
    own = client.post(
        address("answer_force", posting.source), {"request": request.pk, "button": "approve"}, follow=True
    )
    assert "Who asks may not approve" in text_of(own)

    client.force_login(a_user({mine: "integration_admin"}, name="carol"))
    assert "bob asks to send" in text_of(client.get(reverse("admin:index")))
    assert "It was deleted by mistake." in text_of(client.get(reverse("admin:syncs_forcerequest_changelist")))
    done = client.post(
        address("answer_force", posting.source), {"request": request.pk, "button": "approve"}, follow=True
    )

    assert "Approved. It is looked up in QAD first" in text_of(done)
    assert Posting.objects.get().state == "uncertain"


def test_a_finance_user_notes_and_assigns_and_finds_what_is_theirs(client, mine):
    row = a_document(mine, state="held", problems=[UNMAPPED])
    a_document(mine, "INV-2", state="held", problems=[UNMAPPED])
    client.force_login(a_user({mine: "finance_user"}, name="bob"))
    client.post(address("note", row), {"text": HOSTILE})
    client.post(address("assign", row), {"who": "ada"})
    refused = client.post(address("assign", row), {"who": "mallory"}, follow=True)

    assert "&#x27;mallory&#x27; does not belong to Mine" in text_of(refused)
    page = text_of(client.get(reverse("admin:syncs_sourcedocument_change", args=[row.pk])))
    assert "ada looks after it" in page
    assert "&lt;script&gt;alert" in page
    assert "<script>alert" not in page
    listed = client.get(reverse("admin:syncs_sourcedocument_changelist"), {"assigned": "ada"})
    assert [one.source_id for one in listed.context["cl"].result_list] == ["INV-1"]


def test_causes_are_grouped_by_what_they_are_about_and_retried_together(client, mine):
    for number in range(3):
        a_document(mine, f"A-{number}", state="held", problems=[UNMAPPED])
    other = {**UNMAPPED, "subject": "Item price 'max-USD'", "message": "Item price 'max-USD' has no GL account."}
    a_document(mine, "B-1", state="held", problems=[other], currency="USD", total_minor=999)
    a_document(mine, "C-1", state="held", problems=[])
    client.force_login(a_user({mine: "accountant"}))

    page = text_of(client.get(reverse("admin:syncs_attention")))

    assert "Retry these 3…" in page
    assert "37.50 EUR" in page
    assert "9.99 USD" in page
    assert "No reason is recorded" in page
    listed = client.get(
        reverse("admin:syncs_sourcedocument_changelist"), {"about": f"item-not-mapped:{UNMAPPED['subject']}"}
    )
    assert len(listed.context["cl"].result_list) == 3
    form = page.partition("Retry these 3…")[0].rpartition("<form")[2]
    data = dict(re.findall(r'name="(action|_selected_action|select_across|index)" value="([^"]+)"', form))
    asked = client.post(html.unescape(re.search(r'action="([^"]+)"', form)[1]), data)
    assert "Rebuild and post: 3 documents" in text_of(asked)
    assert "37.50 EUR" in text_of(asked)


def test_another_tenants_causes_are_not_shown(client, mine):
    a_document(a_tenant("theirs"), "F-1", state="held", problems=[{**UNMAPPED, "subject": "foreign-text"}])
    client.force_login(a_user({mine: list(Role)}))
    assert "foreign-text" not in text_of(client.get(reverse("admin:syncs_attention")))
    listed = client.get(reverse("admin:syncs_sourcedocument_changelist"), {"about": "item-not-mapped:foreign-text"})
    assert listed.context["cl"].result_count == 0


@pytest.mark.parametrize("text", ["INV-7", "CB-INV-INV-7", "2026-77"])
def test_the_search_box_opens_the_one_document_that_it_finds(client, mine, text):
    row = a_document(mine, "INV-7")
    a_posting(row, qad_number="2026-77")
    client.force_login(a_user({mine: "auditor"}))
    assert 'id="finder"' in text_of(client.get(reverse("admin:index")))
    found = client.get(reverse("admin:syncs_sourcedocument_find"), {"q": text})
    assert found.headers["Location"] == reverse("admin:syncs_sourcedocument_change", args=[row.pk])
    nothing = client.get(reverse("admin:syncs_sourcedocument_find"), {"q": "nowhere"}, follow=True)
    assert nothing.context["cl"].result_count == 0


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        ("rejected", ["Replay…", "Mark as posted by hand…", "Ignore…"]),
        ("parked", ["Replay…", "Mark as posted by hand…", "Ignore…"]),
        ("uncertain", ["Look it up in QAD", "Mark as posted by hand…", "Ask to send it again…"]),
        ("conflict", ["Compare and settle…", "Mark as posted by hand…"]),
        ("duplicate", ["Compare and settle…"]),
        ("verified", ["Look it up in QAD", "Ask to send it again…"]),
    ],
)
def test_each_state_has_the_buttons_that_apply_each_with_a_sentence(client, mine, state, buttons):
    posting = a_stuck(mine, state=state)
    client.force_login(a_user({mine: "accountant"}))
    page = text_of(client.get(reverse("admin:syncs_sourcedocument_change", args=[posting.source_id])))
    choices = page.partition('<ul class="choices">')[2].partition("</ul>")[0]
    assert re.findall(r">([^<>]+)</(?:a|button)>", choices) == buttons
    assert choices.count("<p>") == len(buttons)
    client.force_login(a_user({mine: "auditor"}))
    page = text_of(client.get(reverse("admin:syncs_sourcedocument_change", args=[posting.source_id])))
    assert '<ul class="choices">' not in page


@flow
@pytest.mark.slow
def test_a_conflict_is_settled_in_the_browser_with_both_sides_in_sight(client):
    with a_scene() as scene:
        source_id = decided.a_conflict(scene)
        row = scene.source(source_id)
        client.force_login(a_user({scene.tenant: "accountant"}))
        page = text_of(client.get(address("settle", row)))
        assert "100.00" in page
        assert "99.00" in page
        number = re.search(r'name="number" value="([^"]+)"', page)[1]
        without = client.post(address("settle", row), {"button": "adopt", "number": number})
        assert "the auditor will ask" in text_of(without)
        noted = client.post(address("settle", row), {"button": "wrong", "reason": "A typing error"}, follow=True)
        assert "The alarm stays" in text_of(noted)
        again = client.post(address("settle", row), {"button": "look"}, follow=True)
        assert "total 99.00 instead of 100.00" in text_of(again)
        done = client.post(
            address("settle", row), {"button": "adopt", "number": number, "reason": "As agreed"}, follow=True
        )
        assert f"is {number} in QAD from now on" in text_of(done)
        assert scene.posting(source_id).state == "posted"


@flow
@pytest.mark.slow
def test_a_document_is_marked_as_posted_in_the_browser_or_the_difference_is_shown(client):
    with a_scene() as scene:
        source_id = decided.refused(scene, total=100_00)
        wrong, right = decided.keyed_in(scene, source_id, "99.00"), decided.keyed_in(scene, source_id)
        row = scene.source(source_id)
        client.force_login(a_user({scene.tenant: "accountant"}))
        refused = client.post(address("mark_posted", row), {"number": wrong})
        assert "its total is 99.00 and ours is 100.00" in text_of(refused)
        done = client.post(address("mark_posted", row), {"number": right}, follow=True)
        assert f"is posted as {right}" in text_of(done)
        story = text_of(client.get(reverse("admin:syncs_sourcedocument_change", args=[row.pk])))
        for said in ("Read from Chargebee", "Prepared", "Sending began", "Rejected", "Marked as posted"):
            assert said in story, said


@flow
@pytest.mark.slow
def test_a_held_document_without_a_posting_is_marked_in_the_browser(client):
    with a_scene() as scene:
        source_id = hand.held(scene)
        wrong, right = (hand.keyed_in(scene, source_id, total=total) for total in ("99.00", "100.00"))
        row = scene.source(source_id)
        client.force_login(a_user({scene.tenant: "accountant"}))
        page = reverse("admin:syncs_sourcedocument_change", args=[row.pk])
        assert "Mark as posted by hand" in text_of(client.get(page))
        shown = text_of(client.get(address("mark_posted", row)))
        assert "100.00" in shown and "neither corrected nor reversed from here later" in shown
        refused = client.post(address("mark_posted", row), {"number": wrong})
        assert "its total is 99.00 and ours is 100.00" in text_of(refused)
        done = client.post(address("mark_posted", row), {"number": right}, follow=True)
        assert f"is posted as {right}" in text_of(done)
        story = text_of(client.get(page))
        assert "Marked as posted" in story and "Entered in QAD by hand" in story
        assert "Mark as posted by hand" not in story


def test_a_page_of_a_decision_has_no_inline_script_or_style(client, mine):
    posting = a_stuck(mine)
    a_document(mine, "H", state="held", problems=[{**UNMAPPED, "message": HOSTILE, "subject": HOSTILE}])
    client.force_login(a_user({mine: list(Role)}))
    inline = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>|<style|<[^>]+\s(?:style|on[a-z]+)=\"", re.IGNORECASE)
    pages = [address(name, posting.source) for name in ("ignore", "mark_posted", "rebuild")]
    names = ("ignore", "forcerequest", "surplus", "replayjob")
    pages += [reverse(f"admin:syncs_{name}_changelist") for name in names]
    for page in [*pages, reverse("admin:syncs_attention")]:
        shown = client.get(page)
        assert shown.status_code == 200, page
        assert not inline.findall(text_of(shown)), page
        assert "<img src=x" not in text_of(shown), page

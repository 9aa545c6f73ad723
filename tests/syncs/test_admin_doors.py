"""Every page and button of the syncs screens, tried in every role and as the user of another tenant."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.urls import reverse
from django_q.models import OrmQ

from syncs.models import Attempt, CustomerCreation, Posting, Run, SourceDocument
from tenants.models import AuditEntry, Role
from tests.builders import a_tenant, a_user
from tests.syncs.rows import HOSTILE, NOW, UNMAPPED, a_balance, a_document, a_posting, a_run, an_attempt

pytestmark = pytest.mark.django_db
MODELS = (SourceDocument, Posting, Attempt, CustomerCreation, Run)


@pytest.fixture
def mine():
    return a_tenant("mine")


@pytest.fixture
def full(mine):
    """One row for every screen, with hostile text wherever another system may put text."""
    return filled(mine, HOSTILE)


def filled(tenant, text):
    held = a_document(
        tenant, text[:90], state="held", problems=[{**UNMAPPED, "message": text, "subject": text}], content={"id": text}
    )
    sent = a_document(tenant, "INV-2", customer_id=text[:90], content={"id": text, "customer_id": text})
    posting = a_posting(sent, text=text, state="rejected", problems=[{**UNMAPPED, "message": text, "link": "document"}])
    attempt = an_attempt(posting, sentence=text, outcome="rejected")
    customer = a_document(
        tenant, "cust-1", kind="customer", state="held", currency="", total_minor=None, problems=[UNMAPPED]
    )
    creation = CustomerCreation.objects.create(
        tenant=tenant, source=customer, code="C9", document={}, problems=[{**UNMAPPED, "message": text}],
        created_at=NOW, changed_at=NOW,
    )  # fmt: skip
    run = a_run(tenant, state="red", equation=[a_balance(listed=3, missing=[text])], sentence=text)
    return {"held": held, "sent": sent, "posting": posting, "attempt": attempt, "creation": creation, "run": run}


def addresses(rows):
    """Every address that shows rows of a tenant."""
    lists = [reverse(f"admin:syncs_{model._meta.model_name}_changelist") for model in MODELS]
    pages = [reverse("admin:syncs_sourcedocument_change", args=[rows[name].pk]) for name in ("held", "sent")]
    pages.append(reverse("admin:syncs_run_change", args=[rows["run"].pk]))
    return [reverse("admin:index"), *lists, *pages]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.slow
def test_every_role_may_look_at_everything_of_its_tenant(client, mine, full, role):
    client.force_login(a_user({mine: role}))
    assert [client.get(address).status_code for address in addresses(full)] == [200] * len(addresses(full))


@pytest.mark.slow
def test_hostile_text_is_shown_and_does_nothing(client, mine, full):
    client.force_login(a_user({mine: Role.ACCOUNTANT}))
    for address in [*addresses(full), reverse("admin:syncs_sourcedocument_rebuild", args=[full["held"].pk])]:
        text = client.get(address).content.decode()
        assert "<script>alert" not in text, address
        assert "<img src=x" not in text, address
    assert "&lt;script&gt;alert" in client.get(addresses(full)[1]).content.decode()


@pytest.mark.slow
def test_no_page_has_an_inline_style_or_script(client, mine, full):
    client.force_login(a_user({mine: [Role.ACCOUNTANT, Role.INTEGRATION_ADMIN]}))
    inline = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>|<style|<[^>]+\s(?:style|on[a-z]+)=\"", re.IGNORECASE)
    for address in [*addresses(full), reverse("admin:syncs_sourcedocument_rebuild", args=[full["held"].pk])]:
        shown = client.get(address)
        assert not inline.findall(shown.content.decode()), address
        assert "unsafe-inline" not in shown.headers["Content-Security-Policy"]


@pytest.mark.slow
def test_nothing_of_another_tenant_is_shown(client, mine, full):
    theirs = filled(a_tenant("theirs"), "foreign-text")
    client.force_login(a_user({mine: list(Role)}))
    for address in addresses(full):
        assert "foreign-text" not in client.get(address).content.decode(), address
    for address in addresses(full)[1:3]:
        for text in ("foreign-text", full["posting"].reference):
            assert client.get(address, {"q": text}).context["cl"].result_count == (text != "foreign-text")
    for address in addresses(theirs)[len(MODELS) + 1 :]:
        answer = client.get(address, follow=True)
        assert "foreign-text" not in answer.content.decode()
        assert answer.redirect_chain


@pytest.mark.parametrize("door", ["posting", "attempt", "customercreation"])
def test_a_row_of_the_queue_leads_to_its_document(client, mine, full, door):
    client.force_login(a_user({mine: Role.AUDITOR}))
    row = full["creation" if door == "customercreation" else door]
    answer = client.get(reverse(f"admin:syncs_{door}_change", args=[row.pk]))
    assert answer.headers["Location"].startswith("/admin/syncs/sourcedocument/")


@pytest.mark.parametrize("door", ["posting", "attempt", "customercreation"])
def test_a_row_of_another_tenants_queue_leads_nowhere(client, mine, door):
    theirs = filled(a_tenant("theirs"), "foreign-text")
    client.force_login(a_user({mine: list(Role)}))
    row = theirs["creation" if door == "customercreation" else door]
    answer = client.get(reverse(f"admin:syncs_{door}_change", args=[row.pk]))
    assert answer.headers["Location"] == reverse("admin:index")


@pytest.mark.parametrize("model", MODELS)
def test_nobody_adds_changes_or_deletes_by_hand(client, mine, full, model):
    client.force_login(a_user({mine: list(Role)}))
    name = model._meta.model_name
    row = model.objects.first()
    assert client.get(reverse(f"admin:syncs_{name}_add")).status_code == 403
    assert client.post(reverse(f"admin:syncs_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    screen = admin.site._registry[model]
    assert (screen.change_action, screen.add_action, screen.delete_action) == (None, None, None)
    assert "delete_selected" not in client.get(reverse(f"admin:syncs_{name}_changelist")).content.decode()


@pytest.mark.parametrize("button", ["rebuild", "resend", "look_up"])
@pytest.mark.parametrize("role", [role for role in Role if role != Role.ACCOUNTANT])
def test_only_an_accountant_may_replay(client, mine, full, button, role):
    client.force_login(a_user({mine: role}))
    assert client.post(reverse(f"admin:syncs_sourcedocument_{button}", args=[full["sent"].pk])).status_code == 403
    assert not AuditEntry.objects.filter(action__startswith="replay").exists()


@pytest.mark.parametrize("button", ["rebuild", "resend", "look_up"])
def test_a_document_of_another_tenant_is_not_replayed(client, mine, button):
    theirs = filled(a_tenant("theirs"), "foreign-text")
    client.force_login(a_user({mine: list(Role)}))
    client.post(reverse(f"admin:syncs_sourcedocument_{button}", args=[theirs["sent"].pk]))
    assert Posting.objects.get(pk=theirs["posting"].pk).state == "rejected"
    assert not AuditEntry.objects.filter(action__startswith="replay").exists()


@pytest.mark.parametrize("action", ["rebuild_selected", "resend_selected"])
@pytest.mark.parametrize("role", [role for role in Role if role != Role.ACCOUNTANT])
def test_only_an_accountant_may_replay_many(client, mine, full, action, role):
    client.force_login(a_user({mine: role}))
    data = {"action": action, "_selected_action": [full["sent"].pk], "confirmed": "yes"}
    client.post(reverse("admin:syncs_sourcedocument_changelist"), data)
    assert Posting.objects.get(pk=full["posting"].pk).state == "rejected"


def test_a_selection_never_reaches_another_tenants_documents(client, mine):
    theirs = filled(a_tenant("theirs"), "foreign-text")
    client.force_login(a_user({mine: Role.ACCOUNTANT}))
    data = {
        "action": "resend_selected",
        "_selected_action": [theirs["sent"].pk],
        "confirmed": "yes",
        "select_across": "1",
    }
    client.post(reverse("admin:syncs_sourcedocument_changelist"), data)
    assert Posting.objects.get(pk=theirs["posting"].pk).state == "rejected"


@pytest.mark.parametrize(
    ("role", "asked"), [(Role.ACCOUNTANT, 1), (Role.INTEGRATION_ADMIN, 1), (Role.FINANCE_USER, 0), (Role.AUDITOR, 0)]
)
def test_who_may_run_may_sync_now(client, mine, role, asked):
    client.force_login(a_user({mine: role}))
    assert client.post(reverse("admin:syncs_run_sync_now")).status_code == (302 if asked else 403)
    assert OrmQ.objects.count() == asked


@pytest.mark.parametrize("name", ["syncs_run_sync_now", "syncs_sourcedocument_resend", "syncs_sourcedocument_look_up"])
def test_a_link_alone_starts_nothing(client, mine, full, name):
    client.force_login(a_user({mine: list(Role)}))
    args = [] if name == "syncs_run_sync_now" else [full["sent"].pk]
    assert client.get(reverse(f"admin:{name}", args=args)).status_code == 405
    assert OrmQ.objects.count() == 0


def test_a_stranger_is_asked_to_log_in(client, full):
    for address in addresses(full):
        assert client.get(address).headers["Location"].startswith("/admin/login/")

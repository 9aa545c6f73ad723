"""The ways out from the command line: the same questions to QAD, and a person with a role behind each decision."""

from __future__ import annotations

import datetime as dt
import io
import re

import pytest
from django.core.management import CommandError, call_command

from syncs.models import Ignore, Posting
from tests.builders import a_tenant, a_user
from tests.flows import decided, hand
from tests.flows.scene import a_scene
from tests.flows.told import assert_the_trail_tells_all

pytestmark = pytest.mark.django_db(transaction=True)
DAY = dt.date.today() + dt.timedelta(days=20)  # noqa: DTZ011 - any day ahead


@pytest.fixture
def scene():
    with a_scene() as made:
        a_user({made.tenant: "accountant"}, name="ada")
        a_user({made.tenant: "finance_user"}, name="fin")
        a_user({a_tenant("theirs"): "accountant"}, name="eve")
        yield made


def run(*arguments):
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def refused(*arguments):
    with pytest.raises(CommandError) as said:
        run(*arguments)
    return str(said.value)


@pytest.mark.slow
def test_a_conflict_is_compared_and_settled(scene):
    source_id = decided.a_conflict(scene)
    reference = scene.posting(source_id).reference
    number = scene.in_qad(reference)[0]["number"]

    shown = run("resolve", "acme", reference)
    assert f"QAD has it as {number}:" in shown
    assert "total: ours 100.00, QAD 99.00  <- differs" in shown
    assert "the auditor will ask" in refused("resolve", "acme", reference, "--adopt", number, "--as", "ada")
    assert "total 99.00 instead of 100.00" in refused("resolve", "acme", reference, "--look-again", "--as", "ada")
    said = run("resolve", "acme", reference, "--wrong", "--reason", "A typing error", "--as", "ada")
    assert said == f"{reference} is 'conflict' now.\n"

    done = run("resolve", "acme", reference, "--adopt", number, "--reason", "As agreed", "--as", "ada")

    assert done == f"{reference} is 'posted' now.\n"
    assert_the_trail_tells_all(scene.tenant)


@pytest.mark.slow
def test_a_document_entered_by_hand_is_marked(scene):
    source_id = decided.refused(scene)
    number = decided.keyed_in(scene, source_id)
    reference = scene.posting(source_id).reference

    assert "QAD has no invoice 4711" in refused("resolve", "acme", reference, "--posted-as", "4711", "--as", "ada")
    assert "is 'posted' now" in run("resolve", "acme", reference, "--posted-as", number, "--as", "ada")


@pytest.mark.slow
def test_nobody_decides_without_a_role_at_the_tenant(scene):
    source_id = decided.a_conflict(scene)
    posting = scene.posting(source_id)
    for person in ("fin", "eve", "nobody", ""):
        assert_refused(source_id, posting, person)
    assert Posting.objects.get(pk=posting.pk).problems == posting.problems
    assert not Ignore.objects.exists()


def assert_refused(source_id, posting, person):
    said = refused("resolve", "acme", posting.reference, "--wrong", "--reason", "A typing error", "--as", person)
    assert "no role of theirs allows it" in said or "Say who decides with --as" in said
    said = refused("ignore", "acme", source_id, "--reason", "A test order", "--until", str(DAY), "--as", person)
    assert "no role of theirs allows it" in said or "Say who decides with --as" in said


@pytest.mark.slow
def test_documents_are_ignored_listed_and_taken_back(scene):
    source_id = scene.invoice(total=100_00)
    scene.prepare()

    done = run("ignore", "acme", source_id, "--reason", "A test order", "--until", str(DAY), "--as", "ada")

    assert done == f"Invoice {source_id} is ignored until {DAY}.\n"
    listed = run("ignore", "acme", "--list")
    assert f"Invoice {source_id}, 100.00 USD: until {DAY}, ada answers for it. A test order" in listed
    assert "Ignored now: 1 invoice, 100.00 USD." in listed
    assert (
        run("ignore", "acme", source_id, "--take-back", "--as", "ada") == f"Invoice {source_id} is held until Replay.\n"
    )


def test_wrong_words_are_answered_in_a_sentence(scene):
    for arguments, said in (
        (("ignore", "acme", "INV-9", "--as", "ada"), "There is no document 'INV-9'"),
        (("ignore", "acme", "--as", "ada"), "There is no document ''"),
        (("resolve", "acme", "CB-INV-9", "--as", "ada"), "There is no posting 'CB-INV-9'"),
        (("replay", "acme"), "Say which documents: --id, --code, --state or --all."),
    ):
        assert said in refused(*arguments)


@pytest.mark.slow
def test_a_dry_run_of_replay_says_what_would_happen_and_changes_nothing(scene):
    decided.refused(scene, total=100_00)
    before = list(Posting.objects.values())

    said = run("replay", "acme", "--state", "rejected", "--kind", "invoice", "--currency", "usd", "--dry-run")

    assert said.startswith("1 invoice, 100.00 USD: rebuilt (it is prepared again under its old reference")
    assert "Nothing was changed." in said
    assert "sent again (it goes out unchanged" in run("replay", "acme", "--all", "--as-it-was", "--dry-run")
    assert list(Posting.objects.values()) == before
    assert run("replay", "acme", "--state", "rejected", "--as-it-was") == "1 sent again.\n1 posted\n"


@pytest.mark.slow
def test_a_held_document_without_a_posting_is_marked_as_posted_by_its_chargebee_id(scene):
    source_id = hand.held(scene)
    number = hand.keyed_in(scene, source_id)

    assert "There is no posting" in refused("resolve", "acme", source_id)
    assert "QAD has no invoice 4711" in refused("resolve", "acme", source_id, "--posted-as", "4711", "--as", "ada")
    assert "fin" in refused("resolve", "acme", source_id, "--posted-as", number, "--as", "fin")
    assert f"is posted as {number}" in run("resolve", "acme", source_id, "--posted-as", number, "--as", "ada")
    assert scene.posting(source_id).state == "posted"
    assert re.search(r"by hand +USD +0 +100.00", run("trial_balance", "acme"))

"""Every command says in a sentence what is wrong, ends with a code of its own, and shows an example."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command, get_commands, load_command_class
from django.core.management.base import CommandError

from syncs.models import Run
from tenants.commands import SentenceCommand
from tenants.models import ChargebeeCredential, QadConnection, QadCredential
from tests.builders import a_tenant, moved
from tests.flows.scene import Scene, a_scene
from tests.syncs.rows import UNMAPPED, a_document

OF_A_TENANT = {
    "sync": (), "status": (), "trial_balance": (), "refresh": (), "ping": (), "replay": ("--all",),
    "export_tenant": (), "import_mappings": ("mappings.csv",), "export_mappings": ("out.xlsx",),
}  # fmt: skip
OURS = sorted(
    name for name, app in get_commands().items() if isinstance(app, str) and app in ("syncs", "mappings", "tenants")
)


def run(name: str, *arguments: str) -> str:
    """What a command printed."""
    out = io.StringIO()
    call_command(name, *arguments, stdout=out, stderr=out)
    return out.getvalue()


def refusal(name: str, *arguments: str) -> tuple[int, str]:
    with pytest.raises(CommandError) as failed:
        run(name, *arguments)
    return failed.value.returncode, str(failed.value)


@pytest.mark.parametrize("name", [name for name in OURS if name not in ("migrate", "makemigrations")])
def test_it_shows_an_example_in_its_help(name):
    command = load_command_class(get_commands()[name], name)

    text = command.create_parser("manage.py", name).format_help()

    assert isinstance(command, SentenceCommand)
    assert "Example:\n  manage.py " in text


@pytest.mark.django_db
@pytest.mark.parametrize("name", OF_A_TENANT)
@pytest.mark.slow
def test_it_names_the_tenant_that_there_is_not(name):
    code, said = refusal(name, "acne", *OF_A_TENANT[name])

    assert code == 2
    assert "There is no tenant 'acne'." in said


@pytest.mark.parametrize(
    ("arguments", "words"), [(("sync", "acne"), "There is no tenant 'acne'"), (("sync",), "required: tenant")]
)
@pytest.mark.slow
def test_it_ends_without_a_traceback(arguments, words, tmp_path):
    env = {**os.environ, "VAR_DIR": str(tmp_path), "DATABASE_URL": ""}
    env.update(SECRET_KEY="only-for-tests-" + "k" * 50, FERNET_KEYS="only-for-tests-" + "n" * 40)
    manage = [sys.executable, "manage.py"]
    if arguments == ("sync", "acne"):
        words = "run manage.py migrate"  # of a database that nobody has made yet

    done = subprocess.run(
        [*manage, *arguments], cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    assert words in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stdout + done.stderr


def _wrong_key(scene: Scene) -> None:
    credential: Any = ChargebeeCredential.objects.get()
    credential.api_key = "test_wrong"
    credential.save()


def _wrong_password(scene: Scene) -> None:
    credential: Any = QadCredential.objects.get()
    credential.password = "wrong-password"
    credential.save()


def _elsewhere(scene: Scene) -> None:
    moved(scene.tenant, qad="http://127.0.0.1:9/clouderp")


def _no_name(scene: Scene) -> None:
    moved(scene.tenant, qad="https://qad.does-not-exist.invalid/clouderp")


def _wrong_path(scene: Scene) -> None:
    QadConnection.objects.update(base_url=f"{scene.url}/nothing-here")


def _private(scene: Scene) -> None:
    moved(scene.tenant, qad="https://169.254.169.254/clouderp")


def _chargebee_elsewhere(scene: Scene) -> None:
    moved(scene.tenant, chargebee="http://127.0.0.1:9")


def _no_key(scene: Scene) -> None:
    ChargebeeCredential.objects.all().delete()


WRONG = {
    "a wrong Chargebee key": (_wrong_key, "Chargebee"),
    "no Chargebee key": (_no_key, "has no Chargebee API key"),
    "Chargebee out of reach": (_chargebee_elsewhere, "127.0.0.1"),
    "a wrong QAD password": (_wrong_password, "QAD"),
    "QAD out of reach": (_elsewhere, "127.0.0.1"),
    "a host that no one knows": (_no_name, "qad.does-not-exist.invalid"),
    "a path that QAD lacks": (_wrong_path, "Correct the base URL"),
    "an address that is forbidden": (_private, "169.254.169.254"),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", WRONG)
@pytest.mark.slow
def test_sync_ends_with_a_sentence_about(what):
    spoil, words = WRONG[what]
    with a_scene() as scene:
        scene.invoice()
        spoil(scene)

        code, said = refusal("sync", scene.tenant.slug)

        assert code == 3
        assert words in said
        assert said.strip().endswith((".", ")"))
        assert "Error(" not in said
        assert scene.sent() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_sync_says_what_was_listed_and_what_became_of_it():
    with a_scene() as scene:
        scene.invoice(), scene.invoice(status="pending")

        said = run("sync", scene.tenant.slug)

        assert "invoice      USD       2 listed = 1 posted, 1 skipped" in said


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_sync_and_replay_end_with_4_when_documents_stay_here_because_posting_is_off():
    with a_scene() as scene:
        source_id = scene.invoice()
        type(scene.tenant).objects.update(is_posting_on=False)

        code, said = refusal("sync", scene.tenant.slug)
        again = refusal("replay", scene.tenant.slug, "--id", source_id)

        assert (code, said.split(". ")[0]) == (4, "1 ready, not sent")
        assert "Posting is switched off for Acme." in said
        assert again == (4, "Nothing was sent. Posting is switched off for Acme. Switch it on in the tenant's page.")
        assert Run.objects.latest("pk").state == "complete"


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_sync_ends_with_0_when_posting_is_off_and_nothing_waits_for_it():
    with a_scene() as scene:
        scene.invoice()
        scene.sync()
        type(scene.tenant).objects.update(is_posting_on=False)

        assert "Posting is switched off for Acme." in run("sync", scene.tenant.slug)


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_sync_reads_only_the_kinds_that_are_asked_for():
    with a_scene() as scene:
        scene.invoice()

        run("sync", scene.tenant.slug, "--kind", "customer")

        assert scene.world.requests["GET /api/v2/customers"] == 1
        assert scene.world.requests["GET /api/v2/invoices"] == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_status_gives_programs_counts_money_the_equation_and_every_problem():
    with a_scene() as scene:
        scene.invoice(total=10_00), scene.invoice(total=5_50)
        bad = scene.invoice()
        row = scene.world.chargebee.core.draft("invoice", bad)
        scene.world.chargebee.put_raw("invoice", {**row, "status": "odd"})
        run("sync", scene.tenant.slug)

        facts = json.loads(run("status", scene.tenant.slug, "--json"))

        (group,) = [group for group in facts["groups"] if group["kind"] == "invoice"]
        assert group == {
            "kind": "invoice", "currency": "USD", "counts": {"posted": 2, "unreadable": 1},
            "money": {"posted": "15.50", "unreadable": "100.00"},
        }  # fmt: skip
        assert (facts["tenant"], facts["last_run"]["state"], facts["last_run"]["holds"]) == ("acme", "complete", True)
        assert all(one["holds"] for one in facts["last_run"]["equation"])
        (held,) = [one for one in facts["held"] if one["kind"] == "invoice"]
        assert (held["kind"], held["id"], held["state"]) == ("invoice", bad, "unreadable")
        assert {"code", "subject", "message", "fix", "link"} == set(held["problems"][0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_status_tells_people_the_same_in_sentences():
    with a_scene(mapped=False) as scene:
        bad = scene.invoice()
        run("sync", scene.tenant.slug)

        said = run("status", scene.tenant.slug)

        assert f"held        invoice {bad}: [item-not-mapped] Item price 'pro-USD-Monthly' has no GL account" in said
        assert "The last run is complete; its completeness equation holds." in said


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_trial_balance_adds_up_what_was_posted():
    with a_scene() as scene:
        scene.invoice(total=10_00), scene.invoice(total=5_50)
        run("sync", scene.tenant.slug)

        facts = json.loads(run("trial_balance", scene.tenant.slug, "--json"))

        assert facts == {"documents": 2, "accounts": {"1200 USD": ["15.50", "0"], "4000 USD": ["0", "15.50"]}}


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_replay_names_what_it_cannot_find():
    with a_scene() as scene:
        scene.invoice()
        run("sync", scene.tenant.slug)

        assert refusal("replay", scene.tenant.slug, "--id", "INV-9") == (
            2, "There is no document 'INV-9'. Check its Chargebee id, or sync first.",
        )  # fmt: skip
        assert refusal("replay", scene.tenant.slug, "--code", "item-not-mapped")[0] == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_replay_posts_what_was_rejected_and_says_so():
    with a_scene() as scene:
        source_id = scene.invoice()
        scene.prepare()
        code = scene.posting().customer_code
        scene.world.qad.change_customer(code, is_active=False)
        scene.post()  # a sync would read QAD's customers and hold it before it is sent
        assert scene.posting().state == "rejected"
        scene.world.qad.change_customer(code, is_active=True)

        said = run("replay", scene.tenant.slug, "--id", source_id, "--as-it-was")

        assert "1 sent again" in said
        assert "1 posted" in said
        assert scene.posting().state == "posted"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("items,item_family,cloud-platform,2020-13-01,4000", "2020-13-01"),
        ("items,item_family,cloud-platform,2020-01-01,9999", "9999"),
        ("items,item_family,cloud-platform,2020-01-01,4990", "4990"),
        ("items,nonsense,cloud-platform,2020-01-01,4000", "nonsense"),
        ("wrong,item_family,cloud-platform,2020-01-01,4000", "wrong"),
    ],
)
def test_import_mappings_saves_nothing_while_a_row_is_wrong(row, words, tmp_path: Path):
    with a_scene(mapped=False) as scene:
        run("refresh", scene.tenant.slug)
        path = tmp_path / "mappings.csv"
        good = "items,item_family,services,2020-01-01,4300"
        path.write_text(f"kind,level,key,valid_from,gl_account\n{good}\n{row}\n")
        out = io.StringIO()

        with pytest.raises(CommandError) as failed:
            call_command("import_mappings", scene.tenant.slug, str(path), stdout=out, stderr=out)

        assert failed.value.returncode == 1
        assert words in out.getvalue() + str(failed.value)
        assert scene.tenant.item_mappings.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "arguments"),
    [("apply_tenant", ("nowhere.toml",)), ("import_mappings", ("acme", "nowhere.csv"))],
)
def test_it_names_the_file_that_there_is_not(name, arguments):
    a_tenant("acme")

    code, said = refusal(name, *arguments)

    assert (code, arguments[-1] in said) == (2, True)


@pytest.mark.django_db(transaction=True)
def test_import_mappings_says_where_the_wrong_rows_cannot_be_written(tmp_path: Path):
    with a_scene(mapped=False) as scene:
        run("refresh", scene.tenant.slug)
        path = tmp_path / "mappings.csv"
        path.write_text("kind,level,key,valid_from,gl_account\nitems,item,pro,soon,4000\n")

        code, said = refusal("import_mappings", scene.tenant.slug, str(path), "--failed", str(tmp_path / "no/f.xlsx"))

        assert (code, said) == (2, f"{tmp_path}/no/f.xlsx cannot be written: No such file or directory.")


@pytest.mark.django_db
def test_replay_of_all_reaches_every_kind_of_document():
    tenant = a_tenant()
    for kind in ("invoice", "credit_note", "transaction", "customer"):
        a_document(tenant, f"{kind}-1", kind=kind, state="held", problems=[UNMAPPED])

    command = load_command_class("syncs", "replay")
    said = {"id": None, "code": None, "kind": None, "state": None, "currency": None, "all": True}
    chosen = command._chosen(tenant, said)

    assert sorted(chosen.values_list("kind", flat=True)) == ["credit_note", "customer", "invoice", "transaction"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--port", "99999"), "--port is 99999. Use a number from 0 to 65535."),
        (("--port", "0", "--customers", "-5"), "--customers is -5. Use 0 or more."),
    ],
)
def test_the_sandbox_refuses_what_it_cannot_serve(arguments, sentence):
    assert refusal("sandbox", *arguments) == (2, sentence)


def test_the_sandbox_names_a_port_that_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        code, said = refusal("sandbox", "--port", str(port))

    assert (code, said) == (1, f"Port {port} cannot be used: Address already in use. Choose another with --port.")

"""Commands answer with sentences and exit codes, never with a traceback."""

import io
import os
import pathlib
import subprocess
import sys

import pytest
from django.core.management import call_command, get_commands, load_command_class
from django.core.management.base import CommandError

from connector.sandbox.server import serve
from connector.sandbox.world import World
from tenants.commands import SentenceCommand
from tenants.management import commands
from tenants.models import ChargebeeConnection, ChargebeeCredential, ProbeResult, QadCredential, Tenant
from tests.builders import a_tenant, connected
from tests.tenants.test_setup_file import CANARY, FILE

pytestmark = pytest.mark.django_db
OURS = ("apply_tenant", "export_tenant", "ping", "rotate_keys")


@pytest.fixture(scope="module")
def server():
    with serve(World(seed=1, customers=3)) as running:
        yield running


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("ACME_KEY", "test_" + CANARY)
    path = tmp_path / "acme.toml"
    path.write_text(FILE)
    return path


def run(name, *arguments):
    out = io.StringIO()
    call_command(name, *map(str, arguments), stdout=out, stderr=out)
    return out.getvalue()


def fails(name, *arguments):
    with pytest.raises(CommandError) as caught:
        run(name, *arguments)
    return str(caught.value), caught.value.returncode


def test_apply_creates_then_updates_then_leaves_alone(file):
    assert "is created" in run("apply_tenant", file)
    file.write_text(FILE.replace("= 120", "= 60"))
    assert "is updated" in run("apply_tenant", file)
    assert ChargebeeConnection.objects.get().calls_per_minute == 60


def test_check_saves_nothing(file):
    assert "in order" in run("apply_tenant", file, "--check")
    assert Tenant.objects.count() == 0


def test_a_wrong_file_saves_nothing_and_names_everything(file):
    file.write_text(FILE.replace('region = "EU"', 'region = "UK"').replace('"USD"', '"usd"'))
    text, code = fails("apply_tenant", file)
    assert code == 1
    assert text.count("\n- ") == 2
    assert Tenant.objects.count() == 0


@pytest.mark.parametrize("name", ["ping", "export_tenant"])
def test_a_wrong_tenant_is_a_sentence_with_the_nearest_name(name):
    a_tenant("acme")
    assert fails(name, "acne") == ("There is no tenant 'acne'. Did you mean 'acme'?", 2)


def test_a_missing_file_is_a_sentence():
    assert fails("apply_tenant", "/nowhere/acme.toml") == ("There is no file '/nowhere/acme.toml'.", 2)


def test_export_can_be_applied_again(file, tmp_path):
    run("apply_tenant", file)
    target = tmp_path / "out.toml"
    run("export_tenant", "acme", "--output", target)
    assert CANARY not in target.read_text()
    assert "Nothing was changed" in run("apply_tenant", target)


def test_an_unwritable_target_is_a_sentence(file):
    run("apply_tenant", file)
    text, code = fails("export_tenant", "acme", "--output", "/nowhere/x.toml")
    assert code == 1
    assert "/nowhere/x.toml" in text


def test_ping_shows_each_step(server):
    connected(a_tenant(), server.url)
    text = run("ping", "acme")
    assert "sign-in" in text
    assert "All" in text
    assert ProbeResult.objects.filter(answer="ok").count() > 10


@pytest.mark.parametrize(
    ("model", "field", "sentence"),
    [(ChargebeeCredential, "api_key", "API key"), (QadCredential, "password", "QAD refuses to sign us in")],
)
def test_ping_with_a_wrong_secret_fails_with_a_sentence(server, model, field, sentence):
    connected(a_tenant(), server.url)
    row = model.objects.get()
    setattr(row, field, CANARY)
    row.save()
    text, code = fails("ping", "acme")
    assert code == 3
    assert sentence in text
    assert CANARY not in text


def test_ping_of_an_unreachable_address_fails_with_a_sentence(server):
    connected(a_tenant(), server.url, base_url="http://127.0.0.1:9/clouderp")
    text, code = fails("ping", "acme")
    assert code == 3
    assert "127.0.0.1" in text


NEW, OLD = "new-" + "n" * 40, "old-" + "o" * 40


def test_keys_are_rotated_and_it_may_be_repeated(settings):
    settings.FERNET_KEYS = [OLD]
    row = ChargebeeCredential.objects.create(tenant=a_tenant(), api_key=CANARY)
    QadCredential.objects.create(tenant=row.tenant, password=CANARY)
    settings.FERNET_KEYS = [NEW, OLD]
    assert "With an older key: 2." in run("rotate_keys", "--dry-run")
    changed_at = ChargebeeCredential.objects.get().changed_at
    assert "Encrypted anew: 2." in run("rotate_keys")
    assert "Encrypted anew: 0." in run("rotate_keys")
    settings.FERNET_KEYS = [NEW]
    stored = ChargebeeCredential.objects.get()
    assert (stored.api_key.reveal(), stored.changed_at) == (CANARY, changed_at)


def test_what_cannot_be_rotated_is_named_and_the_rest_is_rotated(settings):
    settings.FERNET_KEYS = ["lost-" + "l" * 40]
    tenant = a_tenant()
    ChargebeeCredential.objects.create(tenant=tenant, api_key=CANARY)
    settings.FERNET_KEYS = [OLD]
    QadCredential.objects.create(tenant=tenant, password=CANARY)
    settings.FERNET_KEYS = [NEW, OLD]
    text, code = fails("rotate_keys")
    assert code == 1
    assert "acme: Chargebee credential, api key" in text
    assert QadCredential.objects.get().password.has_newest_key()


@pytest.mark.parametrize("name", OURS)
def test_help_has_an_example(name):
    command = load_command_class(get_commands()[name], name)
    text = command.create_parser("manage.py", name).format_help()
    assert f"Example:\n  manage.py {name}" in text


def test_missing_keys_are_a_sentence(file, settings):
    settings.FERNET_KEYS = []
    text, code = fails("apply_tenant", file)
    assert (text.startswith("FERNET_KEYS is not set"), code) == (True, 1)
    assert Tenant.objects.count() == 0


def test_every_command_of_the_app_stands_on_the_common_base():
    folder = pathlib.Path(commands.__file__).parent
    names = {path.stem for path in folder.glob("*.py")} - {"__init__", "migrate"}
    assert set(OURS) <= names
    assert [name for name in names if not isinstance(load_command_class("tenants", name), SentenceCommand)] == []


CHATTY = """
import sys, django
django.setup()
from django.core.management import call_command
from tenants.commands import SentenceCommand

class Chatty(SentenceCommand):
    def perform(self, **options):
        for _ in range(20_000):
            self.say("a line that fills the pipe")
        print("done", file=sys.stderr)

call_command(Chatty(), skip_checks=True)
"""


@pytest.mark.slow
def test_a_reader_that_left_stops_no_command_and_leaves_no_traceback():
    settings = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", CHATTY], stdout=pipe, stderr=pipe, env=settings) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        command.stdout.readline()
        command.stdout.close()
        said = command.stderr.read()
    assert (said, command.returncode) == (b"done\n", 0)

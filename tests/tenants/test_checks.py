"""What would make money or credentials unsafe stops the start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection

from tenants import guards
from tests.builders import a_tenant

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.django_db


def ids():
    return {message.id for message in run_checks(databases=["default"]) if message.id.startswith("connector.")}


def test_a_sane_installation_passes():
    assert ids() == set()


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ([], "connector.E001"),
        (None, "connector.E001"),
        (["short"], "connector.E002"),
        (["k" * 40, "x"], "connector.E002"),
    ],
)
def test_keys_for_credentials_are_needed(settings, keys, wanted):
    settings.FERNET_KEYS = keys
    assert ids() == {wanted}


def test_the_secret_key_encrypts_nothing(settings):
    settings.FERNET_KEYS = [settings.SECRET_KEY]
    assert ids() == {"connector.E003"}


def test_a_commit_must_be_durable():
    weaken, restore, wanted = {
        "sqlite": ("PRAGMA synchronous=NORMAL", "PRAGMA synchronous=FULL", "connector.E004"),
        "postgresql": ("SET synchronous_commit = off", "SET synchronous_commit = on", "connector.E005"),
    }[connection.vendor]
    if connection.vendor == "sqlite":
        connection.close_if_unusable_or_obsolete()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite" and connection.in_atomic_block:
            cursor.execute("ROLLBACK")  # SQLite changes the level outside a transaction only
        cursor.execute(weaken)
        found = ids()
        cursor.execute(restore)
        if connection.vendor == "sqlite" and connection.in_atomic_block:
            cursor.execute("BEGIN")
            for savepoint in connection.savepoint_ids:
                cursor.execute(f'SAVEPOINT "{savepoint}"')
    assert wanted in found


@pytest.mark.slow
def test_lost_guards_are_found_and_put_back_by_migrate():
    guards.remove(connection)
    assert ids() == {"connector.E006"}
    call_command("migrate", "--skip-checks", verbosity=0)
    assert ids() == set()


def test_debug_and_live_tenants_do_not_go_together(settings):
    settings.DEBUG = True
    assert ids() == set()
    a_tenant("real", mode="live")
    assert ids() == {"connector.E007"}


def start(*command, **variables):
    given = {"PATH": os.environ["PATH"], "SECRET_KEY": "".join(chr(97 + n % 26) for n in range(60))}
    given |= {"FERNET_KEYS": "x" * 43, "VAR_DIR": os.environ["VAR_DIR"], **variables}
    environment = {name: value for name, value in given.items() if value is not None}
    return subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_check_deploy_is_clean_behind_tls():
    done = start("check", "--deploy", BEHIND_TLS="1")
    assert done.returncode == 0
    assert "no issues" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [({"SECRET_KEY": None}, "SECRET_KEY is not set"), ({"WORKERS": "many"}, "WORKERS is 'many'")],
)
def test_a_wrong_setting_stops_the_start_with_a_sentence(variables, sentence):
    done = start("check", **variables)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr

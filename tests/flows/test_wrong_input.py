"""Every command answers every wrong input with a sentence and an exit code, never with a traceback."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from tests.builders import a_tenant
from tests.flows.test_commands import OURS, refusal

SECRETS = {"SECRET_KEY": "only-for-tests-" + "k" * 50, "FERNET_KEYS": "only-for-tests-" + "n" * 40}
# What each command needs at least; {file} is a wrong one.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "add_user": ("mira", "--tenant", "acme", "--role", "auditor", "--password-env", "NOT_SET"),
    "apply_tenant": ("{file}",),
    "audit_retention": ("acme",),
    "calendar": ("acme",),
    "copy_mappings": ("acme", "acme"),
    "erase_personal": ("acme", "customer:1", "--reason", "asked for"),
    "export_audit": ("acme", "{file}"),
    "export_mappings": ("acme", "{file}"),
    "import_mappings": ("acme", "{file}"),
    "migrate": ("nonsense",),
    "reconcile": ("acme", "--period", "2026-13"),
    "replay": ("acme", "--all"),
    "rotate_keys": (),
    "sandbox": ("--port", "99999"),
    "leave_restore_mode": ("acme",),
    "take_over": (),
}
FILES = ("missing", "directory", "binary", "empty", "unreadable-place")


def a_file(kind: str, folder: Path) -> Path:
    if kind == "missing":
        return folder / "nowhere" / "file.xlsx"
    if kind == "directory":
        return folder
    if kind == "unreadable-place":
        return Path("/proc/1/mem")
    path = folder / "file.xlsx"
    path.write_bytes(b"" if kind == "empty" else bytes(range(256)) * 20)
    return path


@pytest.mark.django_db
@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("name", [name for name, given in ARGUMENTS.items() if "{file}" in given])
def test_a_wrong_file_is_a_sentence(name, kind, tmp_path):
    a_tenant("acme")
    path = a_file(kind, tmp_path)
    if name.startswith("export") and kind in ("binary", "empty"):
        pytest.skip("a file that is there is written over")
    given = [argument.replace("{file}", str(path)) for argument in ARGUMENTS[name]]
    code, said = refusal(name, *given)
    assert code in (1, 2), said
    assert str(path) in said or path.name in said
    assert "Traceback" not in said and "Error(" not in said


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["reconcile", "add_user", "sandbox", "replay", "sync", "ping"])
def test_a_tenant_that_is_not_set_up_or_a_wrong_option_is_a_sentence(name, settings):
    a_tenant("acme")
    settings.FERNET_KEYS = []
    code, said = refusal(name, *ARGUMENTS.get(name, ("acme",)))
    assert code in (1, 2, 3), said
    assert said.strip().endswith((".", ")"))


EACH = """
import io, os, sys, traceback
os.environ["DJANGO_SETTINGS_MODULE"] = "connector.settings"
from contextlib import redirect_stderr, redirect_stdout
from django.core.management import ManagementUtility
for name, given in {commands!r}.items():
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        try:
            ManagementUtility(["manage.py", name, *given]).execute()
            code = 0
        except SystemExit as ended:
            code = ended.code
        except BaseException:
            code = "TRACEBACK " + traceback.format_exc()[-300:]
    print("==", name, code, " ".join(out.getvalue().split())[:300])
"""


def tried(tmp_path: Path, **env: str) -> list[str]:
    """What each command said, one line each."""
    commands = {
        name: [one.replace("{file}", str(tmp_path / "x")) for one in ARGUMENTS.get(name, ("acme",))] for name in OURS
    }
    (tmp_path / "x").write_text('[tenant]\nslug = "acme"\n')
    commands.pop("sandbox"), commands.pop("export_mappings", None)
    done = subprocess.run(
        [sys.executable, "-c", EACH.format(commands=commands)],
        cwd=settings.BASE_DIR, env={**os.environ, **SECRETS, "VAR_DIR": str(tmp_path), **env},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("==")]
    assert len(lines) == len(commands)
    return lines


@pytest.mark.slow
@pytest.mark.parametrize(
    "url",
    ["postgresql://nobody:x@127.0.0.1:1/none", "sqlite:////proc/none.sqlite3", ""],
    ids=["away", "unopenable", "new"],
)
def test_a_database_that_does_not_answer_is_a_sentence_for_every_command(url, tmp_path):
    wrong = [line for line in tried(tmp_path, DATABASE_URL=url) if "TRACEBACK" in line or "Traceback" in line]
    assert wrong == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VAR_DIR", "/proc/none"),
        ("VAR_DIR", "/dev/null"),
        ("DATABASE_URL", "nonsense"),
        ("FERNET_KEYS", ""),
        ("WORKERS", "x"),
    ],
)
def test_a_wrong_setting_is_a_sentence(name, value, tmp_path):
    env = {**os.environ, **SECRETS, "VAR_DIR": str(tmp_path), name: value}
    done = subprocess.run(
        [sys.executable, "manage.py", "status", "acme"],
        cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said: Any = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in said, said[-1500:]
    assert name in said or "migrate" in said


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (("mira", "--role", "auditor"), "Say at which tenant mira has that role: --tenant NAME."),
        (("mira", "--tenant", "acme"), "Say which role mira has: --role "),
        (("", "--platform"), "'' cannot be a login name."),
        (("mira@" + "x" * 200, "--platform"), "cannot be a login name."),
        (("mi ra", "--platform"), "'mi ra' cannot be a login name."),
        (
            ("mira", "--platform"),
            "No password was given. Type it, or name a variable that holds it: --password-env NAME.",
        ),
    ],
)
def test_a_login_that_cannot_be_made_is_a_sentence(given, sentence, monkeypatch):
    a_tenant("acme")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    code, said = refusal("add_user", *given)
    assert code in (1, 2)
    assert sentence in said
    assert not User.objects.exists()


def manage(tmp_path: Path, *given: str, **how: Any) -> subprocess.Popen[bytes]:
    env = {**os.environ, **SECRETS, "VAR_DIR": str(tmp_path), "DATABASE_URL": ""}
    return subprocess.Popen(
        [sys.executable, "manage.py", *given], cwd=settings.BASE_DIR, env=env, stderr=subprocess.PIPE, **how
    )


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_traceback(tmp_path):
    read, write = os.pipe()
    os.close(read)
    with manage(tmp_path, "shell", "-v", "0", "-c", "print(1, flush=True)", stdout=write) as process:
        os.close(write)
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 141


INTERRUPTED = """
import os, signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)
os.kill(os.getpid(), signal.SIGINT)
time.sleep(9)
"""


@pytest.mark.slow
def test_ctrl_c_is_no_traceback(tmp_path):
    with manage(tmp_path, "shell", "-v", "0", "-c", INTERRUPTED) as process:
        assert process.stderr is not None
        assert process.stderr.read() == b"Stopped by Ctrl-C.\n"
    assert process.returncode == 130

"""A whole installation in a folder of its own: processes, a database file, and time that a test lets pass."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# What the product waits for, by table: leases, windows, pauses.
WAITS = {
    "syncs_posting": ("lease_until", "settle_at", "not_before"),
    "syncs_attempt": ("deadline_at",),
    "syncs_run": ("lease_until",),
    "syncs_customercreation": ("lease_until", "not_before"),
    "tenants_circuit": ("try_again_at",),
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Installation:
    """`manage.py` of this checkout over `folder`; the tenant is called `demo`."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.env = {
            **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")},
            "SECRET_KEY": "only-for-tests-" + "k" * 50,
            "FERNET_KEYS": "only-for-tests-" + "n" * 40,
            "OUTBOUND_ALLOW": "127.0.0.0/8",
            "VAR_DIR": str(folder),
            "LOG_LEVEL": "WARNING",
            "DEMO_CHARGEBEE_KEY": "test_sandbox_key",
            "DEMO_QAD_PASSWORD": "sandbox-password",
            **environment,
        }
        self.env.pop("DJANGO_SETTINGS_MODULE", None)

    @property
    def database(self) -> Path:
        return self.folder / "connector.sqlite3"

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def manage(self, *arguments: str, may_fail: bool = False, ends_with: int = 0) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False, timeout=120)
        assert may_fail or done.returncode == ends_with, f"{arguments}: {done.returncode} {done.stdout} {done.stderr}"
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.manage(*arguments, "--json"))

    def set_up(self, sandbox: str) -> None:
        """Database, tenant, mirrors and mappings, by the product's own commands."""
        self.manage("migrate", "--verbosity", "0")
        text = (ROOT / "deploy" / "demo" / "tenant.toml").read_text().replace("SANDBOX", sandbox)
        text = text.replace("settle_seconds = 5", "settle_seconds = 1")
        (self.folder / "tenant.toml").write_text(text)
        self.manage("apply_tenant", str(self.folder / "tenant.toml"))
        self.manage("ping", "demo")
        self.manage("refresh", "demo")
        rows = (ROOT / "deploy" / "demo" / "mappings.csv").read_text().splitlines(keepends=True)
        mappings = self.folder / "mappings.csv"  # of that file all but its customers, who live in a larger site
        mappings.write_text("".join(row for row in rows if not row.startswith("customers,")))
        self.manage("import_mappings", "demo", str(mappings))

    def copy(self, folder: Path) -> Installation:
        """Another one in the state of this."""
        other = Installation(folder)
        with closing(sqlite3.connect(self.database)) as mine, closing(sqlite3.connect(other.database)) as theirs:
            mine.backup(theirs)
        shutil.copy(self.folder / "tenant.toml", folder)
        return other

    def let_pass(self, seconds: float) -> None:
        """Everything that the product waits for comes so much nearer."""
        with closing(sqlite3.connect(self.database)) as database:
            for table, columns in WAITS.items():
                for column in columns:
                    rows = database.execute(f"SELECT id, {column} FROM {table} WHERE {column} IS NOT NULL").fetchall()
                    earlier = [(str(_moment(text) - dt.timedelta(seconds=seconds)), key) for key, text in rows]
                    database.executemany(f"UPDATE {table} SET {column} = ? WHERE id = ?", earlier)
            database.commit()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database)) as database:
            return database.execute(query).fetchall()


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)

"""`make demo`: both systems in a sandbox, one billing cycle, synced and shown; `--once` checks it and stops.

Runs on the standard library and the product's own commands alone, in a folder of its own (var/demo, or var/demo-2 while
another demo runs there).
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"
TENANT = "demo"
LOGIN = "demo"
CUSTOMERS = 300  # the sandbox bills 1,000 invoices for them
SANDBOX_KEY, SANDBOX_PASSWORD = "test_sandbox_key", "sandbox-password"
# Waits for the end of its input, which comes when whoever started it is gone, however it went; then ends a group.
GUARD = "import os, signal, sys; sys.stdin.read(); os.killpg(int(sys.argv[1]), signal.SIGKILL)"
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # Ctrl-C, kill, and a terminal that is closed


class DemoError(Exception):
    """Something that stops the demo, as a sentence."""


def environment(folder: Path, port: int) -> dict[str, str]:
    """Settings of the demo's own installation, with keys made anew each time."""
    return {
        **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")},
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FERNET_KEYS": secrets.token_urlsafe(40),
        "VAR_DIR": str(folder),
        "OUTBOUND_ALLOW": "127.0.0.0/8",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "CSRF_TRUSTED_ORIGINS": f"http://127.0.0.1:{port},http://localhost:{port}",
        "DEMO_CHARGEBEE_KEY": SANDBOX_KEY,
        "DEMO_QAD_PASSWORD": SANDBOX_PASSWORD,
        "DEMO_LOGIN_PASSWORD": secrets.token_urlsafe(9),
        "PYTHONUNBUFFERED": "1",
        "LOG_LEVEL": "WARNING",
    }


class Demo:
    """Every process that was started, so that every one of them is stopped."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.env = env
        self.started: list[tuple[str, subprocess.Popen[bytes]]] = []
        self.guards: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """A background process in a group of its own; what it prints goes to NAME.log of the demo's folder."""
        log = self.log(name).open("wb")
        process = subprocess.Popen(
            command, cwd=ROOT, env=self.env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        self.started.append((name, process))
        self.guards.append(guard(process.pid))
        return process

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def manage(self, *arguments: str, quiet: bool = True) -> str:
        """One command of the product, as a person would type it."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.env, stdout=subprocess.PIPE if quiet else None, check=False)
        if done.returncode:
            raise DemoError(f"'manage.py {' '.join(arguments)}' ended with {done.returncode}.")
        return done.stdout.decode() if done.stdout else ""

    def stop(self) -> None:
        """The newest first: politely, then with the whole group."""
        for _, process in reversed(self.started):
            if process.poll() is None:
                process.terminate()
        patience = time.monotonic() + 15
        for _, process in reversed(self.started):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, patience - time.monotonic()))
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for watching in self.guards:
            watching.kill()
            watching.wait()

    def left(self) -> list[str]:
        """Names of processes that are still there."""
        return [name for name, process in self.started if group_lives(process.pid)]


def guard(group: int) -> subprocess.Popen[bytes]:
    """Ends a group of processes when this one ends without having stopped them, as by `kill -9`."""
    return subprocess.Popen(
        [sys.executable, "-c", GUARD, str(group)], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def free_port(wanted: int) -> int:
    """`wanted`, or one that is free."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise DemoError("No port of this machine is free.")


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    name, until = log.stem, time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise DemoError(f"{name} stopped at once; see {log}.")
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=2).read()
            return
        time.sleep(0.1)
    raise DemoError(f"{name} did not answer at {url} within {seconds:.0f} seconds; see {log}.")


def ask(url: str, method: str = "GET", body: Any = None) -> Any:
    """The sandbox's control side."""
    content = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, content, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        told = error.read().decode(errors="replace")
        raise DemoError(f"The sandbox refused {method} {url} with {error.code}: {told}") from None


def say(text: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone, and what was started must still be stopped
        print(text, flush=True)


def tenant_file(folder: Path, sandbox: str) -> Path:
    """The demo tenant as anyone would write it."""
    text = (ROOT / "deploy" / "demo" / "tenant.toml").read_text().replace("SANDBOX", sandbox)
    path = folder / "tenant.toml"
    path.write_text(text)
    return path


def set_up(demo: Demo, port: int) -> str:
    """Everything before the cycle; returns the sandbox's address."""
    say("Setting up the database ...")
    demo.manage("migrate", "--verbosity", "0")
    demo.manage("collectstatic", "--noinput", "--verbosity", "0")
    say("Starting the sandbox: a Chargebee site and a QAD instance ...")
    url_file = demo.folder / "sandbox.url"
    sandbox = demo.start(
        "sandbox", sys.executable, "-m", "connector.sandbox", "--port", "0", "--customers", str(CUSTOMERS),
        "--url-file", str(url_file), "--parent-pid", str(os.getpid()),
    )  # fmt: skip
    address = read_when_there(url_file, sandbox, demo.log("sandbox"))
    wait_for(f"{address}/_sandbox/health", sandbox, demo.log("sandbox"))
    web = demo.start(
        "web", sys.executable, "-m", "gunicorn", "connector.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "2",
        "--timeout", "60",
    )  # fmt: skip
    demo.start("queue", sys.executable, "manage.py", "qcluster")
    wait_for(f"http://127.0.0.1:{port}/admin/login/", web, demo.log("web"))
    say("Setting up the tenant, its mappings and a login ...")
    demo.manage("apply_tenant", str(tenant_file(demo.folder, address)))
    demo.manage("add_user", LOGIN, "--tenant", TENANT, "--all-roles", "--password-env", "DEMO_LOGIN_PASSWORD")
    say("Pinging both systems ...")
    demo.manage("ping", TENANT, quiet=False)
    demo.manage("refresh", TENANT)
    demo.manage("import_mappings", TENANT, "deploy/demo/mappings.csv")
    return address


def read_when_there(path: Path, process: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        if path.exists() and (text := path.read_text().strip()):
            return text
        time.sleep(0.05)
    raise DemoError(f"The sandbox did not start; see {log}.")


def cycle(demo: Demo, sandbox: str) -> dict[str, Any]:
    """Bill one cycle and sync it; returns the product's own status."""
    billed = ask(f"{sandbox}/_sandbox/bill-cycle", "POST", {"kinds": "all"})
    counts = f"{billed['invoice']} invoices, {billed['credit_note']} credit notes, {billed['transaction']} transactions"
    say(f"Chargebee billed a cycle: {counts}.")
    began = time.monotonic()
    demo.manage("sync", TENANT, quiet=False)
    say(f"The sync took {time.monotonic() - began:.1f} seconds.")
    return json.loads(demo.manage("status", TENANT, "--json"))


def corrections(demo: Demo, sandbox: str) -> dict[str, Any]:
    """What people change after it was posted, and the sync that brings QAD to it."""
    done = ask(f"{sandbox}/_sandbox/chargebee/change_afterwards", "POST", {})
    say(f"Afterwards in Chargebee: {', '.join(f'{count} {name}' for name, count in sorted(done.items()))}.")
    demo.manage("sync", TENANT, quiet=False)
    return json.loads(demo.manage("status", TENANT, "--json"))


def summary(status: dict[str, Any]) -> None:
    say("")
    say(f"{'kind':<14}{'currency':<10}{'documents':>10}  what became of them")
    for group in status["groups"]:
        parts = [
            f"{count} {name}" + (f" ({group['money'][name]})" if name in group["money"] else "")
            for name, count in sorted(group["counts"].items())
        ]
        total = sum(group["counts"].values())
        say(f"{group['kind']:<14}{group['currency'] or '-':<10}{total:>10}  {', '.join(parts)}")
    say("")
    for code, (sentence, count) in reasons(status).items():
        say(f"{count:>5} held: {sentence}  [{code}]")


def reasons(status: dict[str, Any]) -> dict[str, tuple[str, int]]:
    found: dict[str, tuple[str, int]] = {}
    for document in status["held"]:
        for problem in document["problems"]:
            sentence, count = found.get(problem["code"], (f"{problem['message']} {problem['fix']}".strip(), 0))
            found[problem["code"]] = (sentence, count + 1)
    return dict(sorted(found.items(), key=lambda item: -item[1][1]))


def verify(demo: Demo, sandbox: str, status: dict[str, Any]) -> list[str]:
    """What is wrong, [] if the equation holds and QAD's ledger is ours to the cent."""
    wrong = []
    run = status["last_run"] or {}
    if run.get("state") != "complete" or not run.get("holds"):
        wrong.append(f"the completeness equation does not hold: {run.get('sentence') or run.get('state')}")
    ledger = ask(f"{sandbox}/_sandbox/ledger")
    ours = json.loads(demo.manage("trial_balance", TENANT, "--json"))
    wrong += compare(net(ours["accounts"]), theirs(ledger))
    wrong += compare(expected(demo, sandbox), theirs(ledger), "the oracle's")
    if ledger.get("duplicates"):
        wrong.append(f"QAD has duplicates: {ledger['duplicates']}")
    posted = sum(group["counts"].get("posted", 0) for group in status["groups"])
    if not posted:
        wrong.append("nothing was posted")
    if ours["documents"] != len(ledger["documents"]):
        wrong.append(f"{ours['documents']} documents are in our books, but {len(ledger['documents'])} in QAD's")
    return wrong


def expected(demo: Demo, sandbox: str) -> dict[str, Decimal]:
    """What an accountant who knows only Chargebee's documents and the mappings would have, in the same form."""
    mappings, kept = demo.folder / "mappings.xlsx", demo.folder / "invoices-before.json"
    demo.manage("export_mappings", TENANT, str(mappings))
    command = [sys.executable, "-m", "tests.oracle.demo", sandbox, str(mappings), str(kept)]
    told = subprocess.run(command, cwd=ROOT, env=demo.env, check=True, capture_output=True, text=True)
    return {key: Decimal(amount) for key, amount in json.loads(told.stdout).items()}


def net(accounts: dict[str, list[str]]) -> dict[str, Decimal]:
    """Our trial balance as one signed figure for each account and currency, debit positive."""
    return {key: Decimal(debit) - Decimal(credit) for key, (debit, credit) in accounts.items()}


def theirs(ledger: dict[str, Any]) -> dict[str, Decimal]:
    """QAD's, in the same form."""
    return {
        f"{account} {currency}": Decimal(amount)
        for account, amounts in ledger["trial_balance"].items()
        for currency, amount in amounts.items()
    }


def compare(ours: dict[str, Decimal], qads: dict[str, Decimal], whose: str = "ours") -> list[str]:
    """What differs; books without a single figure are wrong too."""
    if not ours or not qads:
        return [f"there is nothing in the books: {len(ours)} figures are {whose}, {len(qads)} QAD's"]
    return [
        f"{key}: {whose} {ours.get(key, 0)}, QAD's {qads.get(key, 0)}"
        for key in sorted(ours.keys() | qads.keys())
        if ours.get(key, 0) != qads.get(key, 0)
    ]


@contextlib.contextmanager
def stopping_on_signals() -> Iterator[None]:
    """A signal interrupts once, even where it is ignored, as in the background of a script; what follows is ignored."""

    def stop(number: int, frame: object) -> None:
        ignore_signals()
        raise KeyboardInterrupt

    old = {number: signal.signal(number, stop) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def ignore_signals() -> None:
    """An impatient second Ctrl-C must not leave half of it running."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def own_folder(var: Path) -> Iterator[Path]:
    """An empty folder that no other demo uses while this one lives. The lock goes with the process, however it ends."""
    var.mkdir(parents=True, exist_ok=True)
    for name in ("demo", *(f"demo-{number}" for number in range(2, 10))):
        with (var / f"{name}.lock").open("w") as lock:
            if is_mine(lock):
                shutil.rmtree(var / name, ignore_errors=True)
                (var / name).mkdir()
                yield var / name
                return
    raise DemoError(f"Nine demos run in {var} already. Stop one with Ctrl-C first.")


def is_mine(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description="A billing cycle from Chargebee into QAD, on this machine.")
    parser.add_argument("--once", action="store_true", help="check the result, stop everything and exit 0 or 1")
    parser.add_argument("--port", type=int, default=8000, help="port of the web page (another is taken if it is busy)")
    options = parser.parse_args()
    try:
        with own_folder(VAR) as folder, stopping_on_signals():
            return watched(folder, options.port, is_once=options.once)
    except DemoError as error:
        say(f"The demo stopped: {error}")
        return 1


def watched(folder: Path, wanted: int, *, is_once: bool) -> int:
    """The demo, and the end of every process that it started, whatever comes."""
    port = free_port(0 if is_once else wanted)
    if port != wanted and not is_once:
        say(f"Port {wanted} is busy; using {port}.")
    demo = Demo(folder, environment(folder, port))
    code = 1
    try:
        code = run(demo, port, is_once=is_once)
    except DemoError as error:
        say(f"The demo stopped: {error}")
    except KeyboardInterrupt:
        code = 0 if not is_once else 1
    finally:
        ignore_signals()
        say("Stopping ...")
        demo.stop()
    if left := demo.left():
        say(f"Still running: {', '.join(left)}.")
        return 1
    return code


def run(demo: Demo, port: int, *, is_once: bool) -> int:
    sandbox = set_up(demo, port)
    wrong = verify(demo, sandbox, cycle(demo, sandbox))
    status = corrections(demo, sandbox)
    summary(status)
    wrong += verify(demo, sandbox, status)
    for sentence in wrong:
        say(f"WRONG: {sentence}")
    if not wrong:
        say("Every listed document is accounted for; QAD's ledger equals ours and the oracle's to the cent.")
    if is_once:
        return 1 if wrong else 0
    say("")
    say(f"Open  http://127.0.0.1:{port}/  and log in as  {LOGIN}  with  {demo.env['DEMO_LOGIN_PASSWORD']}")
    say("Ctrl-C stops everything.")
    while True:
        time.sleep(1)
        for name, process in demo.started:
            if process.poll() is not None:
                raise DemoError(f"{name} stopped by itself; see {demo.log(name)}.")


if __name__ == "__main__":
    sys.exit(main())

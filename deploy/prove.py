"""`make prove`: the slow proofs, each within its time; the last line says how many passed and failed.

Uses DATABASE_URL (a PostgreSQL server that may create databases) and REDIS_URL where they are set.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "var" / "prove"
SERVERS = ("DATABASE_URL", "REDIS_URL")
NOTHING_COLLECTED = 5  # pytest's exit code
SHOWN = 60  # lines of a part that failed
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, slots=True)
class Part:
    """`needs` names the variables that it is given; `seconds` is its limit."""

    name: str
    command: tuple[str, ...]
    seconds: int
    needs: tuple[str, ...] = ()
    may_be_empty: bool = False
    environment: dict[str, str] = field(default_factory=dict)


def pytest(marks: str, *where: str) -> tuple[str, ...]:
    return ("-m", "pytest", "-n", "4", "-rs", "-m", marks, *where)


# What touches a database: the kernel and the sandbox would do the same again.
STORED = ("tests/flows", "tests/syncs", "tests/mappings", "tests/tenants")
# Slow flows whose locks, constraints and transactions another engine sees in its own way.
ENGINE = tuple(
    f"tests/flows/test_{name}.py"
    for name in (
        *("a_cycle_lands", "accounted_for", "asked", "changed_in_chargebee", "customers", "followed_before_sent"),
        *("forced_by_two", "lost_replies", "notes_and_cash", "refused", "replayed", "sending"),
    )
)
POSTGRESQL = ("DATABASE_URL",)
PARTS = (
    Part("Slow proofs", pytest("slow and not browser", "tests"), 1500, ("REDIS_URL",)),
    Part("Mutants", ("-m", "tests.mutants"), 1800),
    Part("Quick tests on PostgreSQL", pytest("not slow and not browser", "--create-db", *STORED), 900, POSTGRESQL),
    Part("Slow flows on PostgreSQL", pytest("slow and not browser", *ENGINE), 600, POSTGRESQL),
    Part("Browser", ("-m", "pytest", "-m", "browser", "tests"), 240, may_be_empty=True),
)


def why_not(part: Part) -> str:
    """'' if a part can be run here."""
    if part.name == "Browser" and not any(shutil.which(name) for name in BROWSERS):
        return "Chromium is not installed here, so the pages were not tried in a browser."
    if "DATABASE_URL" in part.needs and not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        return "DATABASE_URL names no PostgreSQL server, so the tests ran on SQLite alone."
    return ""


def main() -> int:
    LOGS.mkdir(parents=True, exist_ok=True)
    began, counts = time.monotonic(), Counter[str]()
    for part in PARTS:
        reason = why_not(part)
        if reason:
            say(f"{part.name}: skipped. {reason}")
            continue
        say(f"{part.name} ...")
        counts += proved(part)
    say(f"All of it took {time.monotonic() - began:.0f} seconds.")
    say(f"{counts['passed']} passed, {counts['failed']} failed")
    return 1 if counts["failed"] or not counts["passed"] else 0


def proved(part: Part) -> Counter[str]:
    """How many of a part's proofs passed and failed; a part that broke counts as one that failed."""
    began = time.monotonic()
    log = LOGS / f"{part.name.lower().replace(' ', '-')}.log"
    code = run(part, log)
    text = log.read_text(encoding="utf-8", errors="replace")
    took = f"{part.name}: {time.monotonic() - began:.0f} seconds"
    if code == NOTHING_COLLECTED and part.may_be_empty:
        say(f"{took}, and there are none yet.")
        return Counter()
    counts = counted(text)
    if code and not counts["failed"]:
        counts["failed"] = 1
    say(f"{took}, {counts['passed']} passed, {counts['failed']} failed.")
    for reason in skips(text):
        say(f"  skipped: {reason}")
    if code:
        why = f"it took longer than its {part.seconds} seconds" if code < 0 else f"it ended with {code}"
        say(f"{part.name} failed: {why}. The whole of it is in {log}; its end:")
        say("\n".join(text.splitlines()[-SHOWN:]))
    return counts


def run(part: Part, log: Path) -> int:
    """The exit code, or -1 when the time was over; nothing of it is left running."""
    env = {name: value for name, value in os.environ.items() if name not in SERVERS or name in part.needs}
    env |= {"PYTHONUNBUFFERED": "1", "VAR_DIR": str(LOGS / "state"), **part.environment}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *part.command], cwd=ROOT, env=env, stdout=out, stderr=out, start_new_session=True
        )
        try:
            return process.wait(part.seconds)
        except subprocess.TimeoutExpired:
            return -1
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def counted(text: str) -> Counter[str]:
    """From pytest's last line, or from that of the mutants."""
    counts = Counter[str]()
    end = text.rstrip().splitlines()[-1:] or [""]
    for number, word in re.findall(r"(\d+) (passed|failed|errors?|xpassed|xfailed)\b", end[0]):
        counts["passed" if word in ("passed", "xfailed") else "failed"] += int(number)
    mutants = re.search(r"(\d+) mutants killed, (\d+) not", end[0])
    if mutants:
        counts.update(passed=int(mutants[1]), failed=int(mutants[2]))
    return counts


def skips(text: str) -> list[str]:
    """Why pytest left something out, each reason once."""
    return sorted(set(re.findall(r"^SKIPPED \[\d+\] \S+ (.+)$", text, re.MULTILINE)))


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.mutants`: each mutant on a copy of the tree; prints killed or survived, fails on a survivor."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants.patches import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", "*.pyc", "node_modules")
AT_ONCE = 2
LONGEST = 300  # seconds for the tests of one
TESTS_FAILED = 1  # pytest's exit code; any other says that nothing was proved


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="mutants whose name has this text")
    options = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if options.only in mutant.name]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        whole = copy_of_the_tree(Path(folder) / "whole")
        named = sorted({test for mutant in chosen for test in mutant.tests})
        if pytest(whole, ["-n", str(AT_ONCE), *named], LONGEST * 3):
            say("The named tests do not pass on the tree as it is; nothing can be proved by their failing.")
            return 1
        with ThreadPoolExecutor(AT_ONCE) as pool:
            verdicts = list(pool.map(lambda pair: judged(Path(folder), *pair), enumerate(chosen)))
    survivors = [verdict for verdict in verdicts if verdict != "killed"]
    say(f"{len(verdicts) - len(survivors)} mutants killed, {len(survivors)} not.")
    return 1 if survivors else 0


def judged(folder: Path, number: int, mutant: Mutant) -> str:
    """killed, survived, or why nothing was proved."""
    began = time.monotonic()
    tree = copy_of_the_tree(folder / str(number))
    source = tree / mutant.path
    text = source.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        verdict = f"cannot be made: its text stands {text.count(mutant.old)} times in {mutant.path}"
    else:
        source.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
        code = pytest(tree, mutant.tests, LONGEST)
        verdict = {TESTS_FAILED: "killed", 0: "survived"}.get(code, f"broken: pytest ended with {code}")
    shutil.rmtree(tree)
    say(f"{verdict:<9} {time.monotonic() - began:5.1f} s  {mutant.name}")
    return verdict


def copy_of_the_tree(target: Path) -> Path:
    shutil.copytree(ROOT, target, ignore=LEFT_OUT, symlinks=True)
    return target


def pytest(tree: Path, tests: Sequence[str], seconds: float) -> int:
    """pytest's exit code over a tree, in a process of its own; -1 when it took too long."""
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", "PYTHONPATH")}
    command = [sys.executable, "-m", "pytest", "-x", "-q", *tests]
    try:
        done = subprocess.run(
            command,
            cwd=tree,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1
    return done.returncode


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

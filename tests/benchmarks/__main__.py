"""Runs the bare loop and the product against the same sandbox, each in a process of its own, and prints both."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
SIZES = (600, 1500)  # customers; the sandbox bills three to four invoices for each


def main() -> int:
    results = [run(customers) for customers in SIZES]
    for bare, ours in results:
        report(bare, ours)
    small, large = results[0][1], results[-1][1]
    grown = large["peak_mb"] - small["peak_mb"]
    print(f"\npeak memory {small['peak_mb']} MB at {small['invoices']} invoices, {large['peak_mb']} MB at "
          f"{large['invoices']}: {grown} MB more")  # fmt: skip
    return 0 if all(ours["state"] == "complete" for _, ours in results) else 1


def run(customers: int) -> tuple[dict[str, Any], dict[str, Any]]:
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    sandbox = subprocess.Popen(
        [sys.executable, "-m", "connector.sandbox", "--customers", str(customers), "--cycles", "1", "--url-file",
         str(folder / "url"), "--parent-pid", str(os.getpid())], cwd=ROOT, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        url = address(folder / "url")
        ours = child("tests.benchmarks.measure", url, str(folder / "writes"), VAR_DIR=str(folder))
        bare = child("tests.benchmarks.bare", url, str(folder / "writes"))
    finally:
        sandbox.terminate()
        sandbox.wait()
        shutil.rmtree(folder, ignore_errors=True)
    return bare, ours


def child(module: str, *arguments: str, **variables: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def address(path: Path) -> str:
    for _ in range(1200):
        if path.exists():
            return path.read_text().strip()
        time.sleep(0.05)
    raise SystemExit("The sandbox did not start within a minute.")


def report(bare: dict[str, Any], ours: dict[str, Any]) -> None:
    seconds, queries, invoices = ours["seconds"], ours["queries"], ours["invoices"]
    print(f"\n{invoices} invoices, {ours['postings']} posted, run {ours['state']}")
    for stage, label, documents, limit in (
        ("Reading invoices", "intake", invoices, bare["read"] / bare["reading"]),
        ("Preparing invoices", "prepare", invoices, None),
        ("Posting", "post", ours["postings"], bare["posted"] / bare["posting"]),
    ):
        rate = documents / seconds[stage]
        beside = f"   bare loop {limit:6.0f}/s   {rate / limit:.2f} of it" if limit else ""
        print(f"  {label:<8}{rate:7.0f} documents/s   {queries.get(stage, 0) / documents:5.2f} queries each{beside}")
    needed = sum(seconds[stage] for stage in ("Reading invoices", "Preparing invoices", "Posting"))
    limit = bare["reading"] + bare["posting"]
    print(f"  together {invoices / needed:6.0f} documents/s   bare loop {invoices / limit:6.0f}/s   "
          f"{limit / needed:.2f} of it")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())

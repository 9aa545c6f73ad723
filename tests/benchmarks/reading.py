"""`python -m tests.benchmarks.reading`: invoices of five lines into the database, and a bare loop over the same pages.

The bare loop fetches each page with requests, parses it with json and does one INSERT of it into SQLite. Both read
three times in turn, and the best of each counts.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import django
import requests

from tests.benchmarks.pages import ROOT, address

SIZES = (2_500, 10_000)
AIM = 0.6


def main() -> int:
    results = []
    for size in SIZES:
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        site = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.pages", str(size), str(folder / "url"), str(os.getpid())], cwd=ROOT
        )
        try:
            url = address(folder / "url")
            ways = [[child(what, url, folder / f"{what}-{turn}") for what in ("bare", "ours")] for turn in range(3)]
            bare, ours = (min(turns, key=lambda one: one["seconds"]) for turns in zip(*ways, strict=True))
            results.append((bare, ours))
        finally:
            site.terminate()
            site.wait()
            shutil.rmtree(folder, ignore_errors=True)
    for bare, ours in results:
        rates = ours["rows"] / ours["seconds"], bare["rows"] / bare["seconds"]
        print(f"{ours['rows']} invoices: {rates[0]:.0f}/s, bare loop {rates[1]:.0f}/s, {rates[0] / rates[1]:.2f} of it "
              f"(aim {AIM}); {ours['queries'] / ours['rows']:.2f} queries each; peak {ours['peak_mb']} MB")  # fmt: skip
    load = os.getloadavg()
    print(f"{results[1][1]['peak_mb'] - results[0][1]['peak_mb']} MB more for four times as many; load {load[0]:.1f}")
    return 0


def child(what: str, url: str, folder: Path) -> dict[str, Any]:
    folder.mkdir()
    command = [sys.executable, "-m", "tests.benchmarks.reading", what, url, str(folder)]
    env = {**os.environ, "VAR_DIR": str(folder)}
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def read_bare(url: str, folder: Path) -> dict[str, Any]:
    database = sqlite3.connect(folder / f"bare-{time.monotonic_ns()}.sqlite3")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE pages (number INTEGER PRIMARY KEY, rows TEXT)")
    session = requests.Session()
    session.trust_env = False
    params, rows, number = {"limit": "100", "sort_by[desc]": "updated_at", "include_deleted": "true"}, 0, 0
    began = time.perf_counter()
    while True:
        answer = session.get(f"{url}/api/v2/invoices", params=params, auth=("test_sandbox_key", ""), timeout=30)
        page = json.loads(answer.content)
        with database:
            database.execute("INSERT INTO pages VALUES (?, ?)", (number, answer.text))
        rows, number = rows + len(page["list"]), number + 1
        if "next_offset" not in page:
            return {"rows": rows, "seconds": time.perf_counter() - began}
        params["offset"] = page["next_offset"]


def read_ours(url: str) -> dict[str, Any]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connector.settings")
    django.setup()
    from tests.benchmarks import pulling

    figures = pulling.pull_invoices(url)
    return {**figures, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(main())
    print(json.dumps(read_bare(sys.argv[2], Path(sys.argv[3])) if sys.argv[1] == "bare" else read_ours(sys.argv[2])))

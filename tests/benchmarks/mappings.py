# ruff: noqa: E402 - Django is set up before its models are imported
"""How fast lines are coded, and how long 50,000 rows of a spreadsheet take: `python -m tests.benchmarks.mappings`."""

from __future__ import annotations

import datetime as dt
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connector.settings")
os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="bench-mappings-")

import django

django.setup()

from django.core.management import call_command
from django.utils import timezone

from mappings import files, table
from mappings.workbooks import Table, to_xlsx
from tests.builders import a_tenant
from tests.mappings.build import a_chart

ROWS, LINES = 49_999, 200_000
HEADINGS = ("level", "key", "valid_from", "gl_account", "cost_centre")


def measured(name: str, step: Callable[[], Any]) -> Any:
    began, worked = time.perf_counter(), time.process_time()
    found = step()
    seconds, processor = time.perf_counter() - began, time.process_time() - worked
    print(f"{name:<34} {seconds:6.1f} s   {processor:6.1f} s of processor   {memory():4.0f} MB")
    return found


def memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    print(f"Mappings, with the machine's load at {os.getloadavg()[0]:.1f}; {Path(os.environ['VAR_DIR']).name}")
    call_command("migrate", verbosity=0)
    tenant = a_tenant()
    a_chart(tenant, *[f"4{number:03d}" for number in range(500)])
    rows = [["item_price", f"price-{n:05d}-EUR", "2026-01-01", f"4{n % 500:03d}", "SALES"] for n in range(ROWS)]
    content = to_xlsx([Table("items", HEADINGS, rows)])
    seen = measured("dry run of 50,000 new rows", lambda: files.preview(tenant, content, "m.xlsx"))
    measured("confirm, in one write", lambda: files.save_all(tenant, seen, actor="bench", now=timezone.now()))
    measured("dry run of the same file again", lambda: files.preview(tenant, content, "m.xlsx"))
    found = measured("load the mappings", lambda: table.load(tenant.pk))
    on = dt.date(2026, 11, 26)

    def code() -> None:
        for number in range(LINES):
            found.item(item_price=f"price-{number % ROWS:05d}-EUR", charge="plan_item_price", on=on)

    began = time.perf_counter()
    code()
    print(f"coding                             {LINES / (time.perf_counter() - began):,.0f} lines a second")


if __name__ == "__main__":
    main()

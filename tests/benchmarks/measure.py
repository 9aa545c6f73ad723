"""One measured sync of a sandbox at an address: documents per second by stage, queries per document, peak memory."""

from __future__ import annotations

import datetime as dt
import json
import os
import resource
import sys
import time
from collections import Counter
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connector.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from syncs import intake, running  # noqa: E402
from syncs.models import Posting, SourceDocument  # noqa: E402
from tests.flows.setting import a_connected_tenant, map_everything  # noqa: E402


class Stopwatch:
    """Seconds and queries by the stage that `tell` names."""

    def __init__(self) -> None:
        self.stage = "start"
        self.began = time.perf_counter()
        self.seconds: Counter[str] = Counter()
        self.queries: Counter[str] = Counter()

    def tell(self, step: running.Step) -> None:
        if step.stage != self.stage:
            now = time.perf_counter()
            self.seconds[self.stage] += now - self.began
            self.stage, self.began = step.stage, now

    def count(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.queries[self.stage] += 1
        return execute(sql, params, many, context)


def main(url: str) -> None:
    call_command("migrate", verbosity=0)
    tenant = a_connected_tenant(url, concurrency=8)
    map_everything(tenant, dt.date(2020, 1, 1))
    watch = Stopwatch()
    with connection.execute_wrapper(watch.count):
        story = running.sync(
            tenant, intake.PULL_ORDER, trigger="bench", clock=timezone.now, tell=watch.tell, actor="bench"
        )
    watch.tell(running.Step("end", 0))
    invoices = SourceDocument.objects.filter(tenant=tenant, kind="invoice").count()
    print(
        json.dumps(
            {
                "invoices": invoices,
                "postings": Posting.objects.filter(tenant=tenant, state="posted").count(),
                "state": story.run.state,
                "seconds": {stage: round(seconds, 3) for stage, seconds in watch.seconds.items()},
                "queries": dict(watch.queries),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])

"""One measured sync of a sandbox at an address: documents per second by stage, queries per document, peak memory."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connector.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from connector.ledger.stored import restore  # noqa: E402
from connector.qad.payloads import WriteRequest, render  # noqa: E402
from syncs import intake, running  # noqa: E402
from syncs.models import Posting, SourceDocument  # noqa: E402
from tenants import connections  # noqa: E402
from tenants.models import Tenant  # noqa: E402
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


def keep_writes(tenant: Tenant, path: Path) -> None:
    """Every write that was made, a line of JSON each, for the bare loop to post again beside it.

    Under references of their own, and without applications: their invoices are paid by now.
    """
    profile = connections.qad_profile(tenant)
    with path.open("w", encoding="utf-8") as out:
        for posting in Posting.objects.filter(tenant=tenant, state="posted").order_by("pk").iterator():
            write = render(restore(posting.document), profile)
            assert isinstance(write, WriteRequest)
            body = write.body.decode().replace(posting.reference, "Z" + posting.reference[1:])
            body = re.sub(r'"paymentApplications":\[[^]]*\]', '"paymentApplications":[]', body)
            line = {"method": write.method, "path": write.path, "query": write.query, "body": body}
            out.write(json.dumps({**line, "headers": dict(write.headers)}) + "\n")


def main(url: str, writes: str) -> None:
    call_command("migrate", verbosity=0)
    tenant = a_connected_tenant(url, concurrency=8)
    map_everything(tenant, dt.date(2020, 1, 1))
    watch = Stopwatch()
    with connection.execute_wrapper(watch.count):
        story = running.sync(
            tenant, intake.PULL_ORDER, trigger="bench", clock=timezone.now, tell=watch.tell, actor="bench"
        )
    watch.tell(running.Step("end", 0))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    keep_writes(tenant, Path(writes))
    invoices = SourceDocument.objects.filter(tenant=tenant, kind="invoice").count()
    print(
        json.dumps(
            {
                "invoices": invoices,
                "postings": Posting.objects.filter(tenant=tenant, state="posted").count(),
                "state": story.run.state,
                "seconds": {stage: round(seconds, 3) for stage, seconds in watch.seconds.items()},
                "queries": dict(watch.queries),
                "peak_mb": peak_mb,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

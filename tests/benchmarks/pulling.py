"""The product's own reading of every invoice of a site, timed."""

from __future__ import annotations

import time
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from syncs import intake, running
from syncs.models import SourceDocument
from tenants import connections
from tests.flows.setting import a_connected_tenant


def pull_invoices(url: str) -> dict[str, Any]:
    call_command("migrate", verbosity=0)
    tenant = a_connected_tenant(url)
    run = running.start(tenant, ["invoice"], trigger="bench", now=timezone.now())
    queries = 0

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal queries
        queries += 1
        return execute(sql, params, many, context)

    with connections.chargebee_client(tenant) as client, connection.execute_wrapper(count):
        began = time.perf_counter()
        rows = intake.pull(tenant, run, "invoice", client, clock=timezone.now)
        seconds = time.perf_counter() - began
    assert SourceDocument.objects.filter(tenant=tenant, kind="invoice").count() == rows
    return {"rows": rows, "seconds": seconds, "queries": queries}

"""manage.py export_audit SLUG FILE: write the audit trail with its seals to a file."""

from __future__ import annotations

import datetime as dt
import json
import zoneinfo
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction
from django.utils import timezone

from tenants import audit, sealing
from tenants.commands import REFUSED, WRONG_NAME, Failed, SentenceCommand, tenant_named
from tenants.models import Tenant
from tenants.trail_files import WRITERS, Range, Written


class Command(SentenceCommand):
    help = (
        "Write a tenant's audit trail to FILE.jsonl (from which the chain can be recomputed) or FILE.csv (to read), "
        "and the head of the chain and the file's SHA-256 to FILE.head.json. Personal values stay here: an exported "
        "file could not be erased."
    )
    example = "manage.py export_audit acme acme-2026.jsonl --from 2026-01-01 --to 2026-12-31"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument("file", help="a new file that ends .jsonl or .csv")
        parser.add_argument("--from", dest="first", help="the first day, in the tenant's time zone, as 2026-01-31")
        parser.add_argument("--to", dest="last", help="the last day, which is included")

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        path, within = Path(options["file"]), _range(tenant, options["first"], options["last"])
        if path.suffix not in WRITERS:
            raise Failed(f"'{path}' ends neither .jsonl nor .csv.", returncode=WRONG_NAME)
        head = sealing.head_of(tenant.pk)
        written = _write(path, tenant, within)
        note = {
            **{"tenant": tenant.slug, "file": path.name, **written.as_dict()},
            **{"from": options["first"], "to": options["last"]},
            **{"head_position": head.position, "head_digest": head.digest},
        }
        beside = path.with_name(f"{path.name}.head.json")
        beside.write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")
        with transaction.atomic():
            line = audit.Line("audit-exported", f"tenant:{tenant.slug}", after=note)
            audit.record(tenant.pk, [line], actor="command line", now=timezone.now())
        self.say(f"{written.rows} entries written to {path}; {written.unsealed} of them wait for their seal.")
        self.say(f"Head {head}, kept in {beside}.")


def _write(path: Path, tenant: Tenant, within: Range) -> Written:
    """The file appears under its name when it is whole."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    if path.exists():
        raise Failed(f"'{path}' is there already. Name a new file.", returncode=WRONG_NAME)
    try:
        with unfinished.open("wb") as out:
            written = WRITERS[path.suffix](out, tenant.pk, within)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise Failed(f"'{path}' cannot be written: {error}.", returncode=REFUSED) from None
    return written


def _range(tenant: Tenant, first: str | None, last: str | None) -> Range:
    zone = zoneinfo.ZoneInfo(tenant.time_zone)
    start, end = _day(first), _day(last)
    if start and end and start > end:
        raise Failed(f"--from {start} is after --to {end}.", returncode=WRONG_NAME)
    return Range(
        dt.datetime.combine(start, dt.time(), zone) if start else None,
        dt.datetime.combine(end + dt.timedelta(days=1), dt.time(), zone) if end else None,
    )


def _day(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise Failed(f"'{text}' is no day. Write it as 2026-01-31.", returncode=WRONG_NAME) from None

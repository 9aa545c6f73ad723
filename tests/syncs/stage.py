"""A Chargebee site on a frozen clock, a tenant that reads it, and a pass that a test takes page by page."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

from connector.sandbox.chargebee.site import ChargebeeSite
from connector.sandbox.clock import Clock
from syncs import intake
from syncs.models import Cursor, Notice, Run, SourceDocument
from tests.builders import a_tenant
from tests.syncs.direct import Direct, client_of

NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


class Stage:
    """`skew` is how far our clock is ahead of Chargebee's, in seconds; two rows make a page."""

    def __init__(self, *, rows: int = 2, counts_rows: bool = True, slug: str = "acme") -> None:
        self.clock = Clock(NOON)
        self.site = ChargebeeSite(self.clock, seed=1, customers=0)
        self.site.pages(rows, counts_rows=counts_rows)
        self.door = Direct(self.site)
        self.skew = 0
        self.client = client_of(self.door, self.ours)
        self.tenant = a_tenant(slug)

    def ours(self) -> dt.datetime:
        return self.clock.now() + dt.timedelta(seconds=self.skew)

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def edit(self, *ids: str, kind: str = "invoice", **fields: Any) -> None:
        """Documents are created or changed now."""
        for name in ids:
            known = self.site.core.store.get(kind, name) or {"date": self.clock.seconds(), "deleted": False, "x": 0}
            self.site.core.save({**known, "object": kind, "id": name, "x": known["x"] + 1, **fields})

    def run(self) -> Run:
        return Run.objects.create(
            tenant=self.tenant, key=uuid.uuid4(), state="complete", lease_until=NOON, started_at=NOON
        )

    def reading(self, kind: str = "invoice") -> Iterator[int]:
        return intake.reading(self.tenant, self.run(), kind, self.client, clock=self.ours)

    def pull(self, kind: str = "invoice") -> int:
        return sum(self.reading(kind))

    def inbox(self, kind: str = "invoice") -> dict[str, Any]:
        """id -> how often it was edited, of what is stored."""
        rows = SourceDocument.objects.filter(tenant=self.tenant, kind=kind)
        return {row.source_id: row.content.get("x") for row in rows}

    def truth(self, kind: str = "invoice") -> dict[str, Any]:
        return {row["id"]: row.get("x") for row in self.site.all(kind)}

    def cursor(self, kind: str = "invoice") -> Cursor:
        return Cursor.objects.get(tenant=self.tenant, kind=kind)

    def reached(self, kind: str = "invoice") -> float | None:
        """The watermark in seconds after noon."""
        moment = self.cursor(kind).watermark
        return None if moment is None else (moment - NOON).total_seconds()

    def said(self) -> list[str]:
        return list(Notice.objects.filter(tenant=self.tenant).order_by("pk").values_list("code", flat=True))

    def source(self, name: str, kind: str = "invoice") -> SourceDocument:
        return SourceDocument.objects.get(tenant=self.tenant, kind=kind, source_id=name)

    def asked(self, name: str) -> list[str]:
        """The values of one parameter over the list requests so far."""
        return [request.first(name) for request in self.door.asked]

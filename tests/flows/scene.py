"""A stage for a flow: a sandbox, a tenant wired to it, a clock that a test moves, and both sides' books."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from connector.qad.client import QadClient
from connector.sandbox.server import serve
from connector.sandbox.world import World
from mappings.models import CustomerMapping
from syncs import intake, running
from syncs.completeness import standings
from syncs.models import Attempt, Posting, SourceDocument
from tenants import connections
from tenants.models import Tenant
from tests.flows.setting import a_connected_tenant, map_everything

INVOICES = r"(customerInvoices|ar-documents)"  # the path of invoice writes in both dialects
_codes = itertools.count(1)
LOOKUPS = r"(browses|ar-documents)"


@dataclass
class Time:
    """The product's clock: the real time and what a test adds to it."""

    ahead: dt.timedelta = dt.timedelta(0)

    def __call__(self) -> dt.datetime:
        return timezone.now() + self.ahead

    def forward(self, seconds: float) -> None:
        self.ahead += dt.timedelta(seconds=seconds)


@dataclass
class Scene:
    """`tenant` is wired to `world`, which listens at `url`."""

    world: World
    url: str
    tenant: Tenant
    clock: Time = field(default_factory=Time)

    def sync(self, *kinds: str, **options: Any) -> running.Story:
        """Everything, or only these kinds."""
        return running.sync(
            self.tenant,
            kinds or intake.PULL_ORDER,
            trigger="test",
            clock=self.clock,
            tell=lambda step: None,
            actor="test",
            **options,
        )

    def post(self) -> Counter[str]:
        """Sweep and drain, without reading Chargebee."""
        with self.qad() as client:
            return running.post(self.tenant, client, clock=self.clock, tell=lambda step: None, actor="test")

    def prepare(self) -> None:
        """Everything up to the postings; nothing is sent."""
        self.tenant.__class__.objects.filter(pk=self.tenant.pk).update(is_posting_on=False)
        self.sync()
        self.tenant.__class__.objects.filter(pk=self.tenant.pk).update(is_posting_on=True)

    @contextlib.contextmanager
    def qad(self) -> Iterator[QadClient]:
        with connections.qad_client(self.tenant) as client:
            yield client

    def fault(self, name: str, *, side: str = "qad", **settings: Any) -> None:
        """On invoice writes unless told otherwise."""
        if side == "qad":
            settings = {"method": "POST", "path": INVOICES, **settings}
        self.world.faults(side).add(name, **settings)

    def heal(self) -> None:
        self.world.faults("qad").clear()
        self.world.faults("chargebee").clear()

    def customer(self, currency: str = "USD", *, kind: str = "direct", code: str = "", **fields: Any) -> str:
        """One more Chargebee customer, linked to a customer that QAD has."""
        code = code or f"Q{next(_codes):07d}"
        if code not in self.world.qad.company.parties.customers:
            self.world.qad.add_customer(code, f"{code} Works", currency=currency)
        who = self.world.chargebee.add_customer(preferred_currency_code=currency, **fields)
        CustomerMapping.objects.create(tenant=self.tenant, chargebee_id=who["id"], qad_code=code, kind=kind)
        return str(who["id"])

    def invoice(self, customer: str = "", **fields: Any) -> str:
        """One more invoice in Chargebee, of a new linked customer unless told otherwise; its id."""
        who = customer or self.customer(fields.get("currency", "USD"))
        return str(self.world.chargebee.add_invoice(customer=who, **fields)["id"])

    def posting(self, source_id: str = "") -> Posting:
        rows = Posting.objects.filter(tenant=self.tenant)
        return rows.get(source__source_id=source_id) if source_id else rows.get()

    def source(self, source_id: str, kind: str = "invoice") -> SourceDocument:
        return SourceDocument.objects.get(tenant=self.tenant, kind=kind, source_id=source_id)

    def attempts(self) -> list[str]:
        return list(Attempt.objects.filter(tenant=self.tenant).order_by("pk").values_list("outcome", flat=True))

    def dispositions(self, kind: str = "invoice") -> Counter[str]:
        return Counter(standing.disposition or "" for _, standing in standings(self.tenant, kind))

    def sentences(self, source_id: str, kind: str = "invoice") -> str:
        row = self.source(source_id, kind)
        posted = [one for posting in row.postings.all() for one in posting.problems]
        return " ".join(f"{one['message']} {one['fix']}" for one in [*row.problems, *posted])

    def in_qad(self, reference: str = "") -> list[dict[str, Any]]:
        """What QAD's ledger has under this reference; '' means every invoice of ours."""
        documents = self.world.ledger()["documents"]
        if reference:
            return [one for one in documents if one["reference"] == reference]
        return [one for one in documents if "-INV-" in one["reference"]]

    def sent(self) -> int:
        """How many invoice writes reached QAD."""
        return sum(
            count for asked, count in self.world.requests.items() if asked.startswith("POST") and _is_invoice(asked)
        )


def _is_invoice(asked: str) -> bool:
    return re.search(INVOICES, asked) is not None


@contextlib.contextmanager
def a_scene(
    *, customers: int = 1, cycle: bool = False, mapped: bool = True, seed: int = 1, **tenant: Any
) -> Iterator[Scene]:
    """A small site beside a QAD instance; `cycle` bills every subscription."""
    world = World(seed=seed, customers=customers)
    with serve(world) as server:
        made = a_connected_tenant(server.url, **tenant)
        if mapped:
            map_everything(made)
        if cycle:
            world.bill_cycle()
        yield Scene(world, server.url, made)

"""What is needed to prepare documents of a tenant: mappings, rules and the QAD profile at one moment."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from connector.ledger.coding import MappingTable
from connector.ledger.credit_notes import CreditNoteRules
from connector.ledger.currency_rates import NamedRate, RatePolicy
from connector.ledger.cutover import CutOver, Reopened
from connector.ledger.invoices import InvoiceRules
from connector.ledger.payments import TransactionRules
from connector.qad.profile import Profile
from mappings import reference, revision
from mappings.models import CatalogPrice
from mappings.table import load
from syncs.models import Backfill
from tenants import policies
from tenants.connections import qad_profile
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Desk:
    """A snapshot; `revision` tells whether the mappings have moved on since."""

    tenant: Tenant
    prefix: str
    table: MappingTable
    rules: InvoiceRules
    note_rules: CreditNoteRules
    cash_rules: TransactionRules
    policies: dict[str, Any]
    profile: Profile
    revision: int
    rates: dict[tuple[str, dt.date], NamedRate | None] = field(default_factory=dict)  # looked up already
    rates_read_on: dt.date | None = None  # QAD's list of rates
    cut_over: CutOver = field(default_factory=CutOver)


def open_desk(tenant_id: int) -> Desk:
    """Read everything. The revision is read first, so that a change while reading shows as a change after it."""
    tenant = Tenant.objects.select_related("qad").get(pk=tenant_id)
    decided = policies.read(tenant)
    prices = CatalogPrice.objects.filter(tenant=tenant).values_list("item_price", "item", "family")
    table = load(tenant.pk, item_of_price={price: (item, family) for price, item, family in prices})
    fx = RatePolicy(decided["exchange_rate"], tenant.base_currency)
    rules = InvoiceRules(
        zone=tenant.time_zone,
        zero_invoices=decided["zero_invoices"],
        voided_before_posting=decided["voided_before_posting"],
        promotional_credits=decided["promotional_credits"],
        rounding_tolerance_minor=decided["rounding_tolerance_minor"],
        business_entities=tuple(tenant.business_entities),
        fx=fx,
    )
    note_rules = CreditNoteRules(
        zone=tenant.time_zone,
        voided_before_posting=decided["voided_before_posting"],
        promotional_credits=decided["promotional_credits"],
        write_off_tax=decided["write_off_tax"],
        rounding_tolerance_minor=decided["rounding_tolerance_minor"],
        business_entities=tuple(tenant.business_entities),
        fx=fx,
    )
    cash_rules = TransactionRules(
        zone=tenant.time_zone,
        payment_mode=decided["payment_mode"],
        offline=decided["offline_payments"],
        refund_account=decided["refund_account"],
        business_entities=tuple(tenant.business_entities),
        fx=fx,
    )
    return Desk(
        tenant=tenant,
        prefix=tenant.qad.reference_prefix,
        table=table,
        rules=rules,
        note_rules=note_rules,
        cash_rules=cash_rules,
        policies=decided,
        profile=qad_profile(tenant),
        revision=tenant.mapping_revision,
        rates_read_on=reference.rates_read_on(tenant.pk),
        cut_over=cut_over_of(tenant, decided),
    )


def up_to_date(desk: Desk) -> Desk:
    """The same desk, or a new one if the mappings have moved on since it was opened."""
    return desk if revision.current(desk.tenant.pk) == desk.revision else open_desk(desk.tenant.pk)


def cut_over_of(tenant: Tenant, decided: dict[str, Any]) -> CutOver:
    """From which day on each kind is posted, and which older ranges are posted after all."""
    days = {kind: dt.date.fromisoformat(day) for kind, day in decided["cut_off"].items()}
    ranges = Backfill.objects.filter(tenant=tenant) if days else ()
    reopened = [Reopened(one.kind, one.first_day, until) for one in ranges if (until := one.reopened_until)]
    return CutOver(tenant.time_zone, days, tuple(reopened))

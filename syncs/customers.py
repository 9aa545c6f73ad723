"""Chargebee customers become linked, held with their candidates, or created in QAD where the policy allows it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict

from django.db import transaction
from django.db.models import Max

from connector.chargebee import parse
from connector.chargebee.records import Customer
from connector.errors import Problem
from connector.ledger import problems as say
from connector.ledger.customers import Directory, Known, Match, as_qad_customer, name_of
from mappings.models import CustomerMapping, QadCustomer
from mappings.saving import Change, save_rows
from syncs.models import CustomerCreation, Kind, SourceDocument
from syncs.preparing import BATCH, as_json, codes
from syncs.states import SourceState
from tenants import audit, policies
from tenants.models import Tenant

CODE_LENGTH = 8


def prepare_customers(
    tenant: Tenant, *, clock: Callable[[], dt.datetime], actor: str = "sync"
) -> Counter[str]:
    """Decide every new customer of a tenant; returns how many ended in which state. No network."""
    counts: Counter[str] = Counter()
    decided = policies.read(tenant)
    directory = _directory(tenant)
    after = 0
    while True:
        with transaction.atomic():
            new = SourceDocument.objects.filter(
                tenant=tenant, kind=Kind.CUSTOMER, state=SourceState.NEW, pk__gt=after
            )
            rows = list(new.select_for_update(skip_locked=True).order_by("pk")[:BATCH])
            if not rows:
                return counts
            links = _links(tenant, rows)
            for row in rows:
                counts[_decide(tenant, row, links, directory, decided, clock(), actor)] += 1
        after = rows[-1].pk


def _directory(tenant: Tenant) -> Directory:
    rows = QadCustomer.objects.filter(tenant=tenant, is_gone=False)
    return Directory(
        [Known(*row) for row in rows.values_list("code", "search_key", "tax_id", "external_reference").iterator()]
    )


def _links(tenant: Tenant, rows: list[SourceDocument]) -> set[str]:
    mapped = CustomerMapping.objects.filter(tenant=tenant, chargebee_id__in=[row.source_id for row in rows])
    return set(mapped.values_list("chargebee_id", flat=True))


def _decide(
    tenant: Tenant,
    row: SourceDocument,
    links: set[str],
    directory: Directory,
    decided: dict[str, object],
    now: dt.datetime,
    actor: str,
) -> str:
    record = parse.customer(row.content, minor_units=decided["minor_units"])
    if isinstance(record, list):
        return _tell(row, SourceState.UNREADABLE, record, now, actor)
    if row.source_id in links:
        return _tell(row, SourceState.LINKED, [], now, actor)
    if record.deleted:
        gone = Problem("deleted-before-linking", f"Customer '{record.id}'", "It was deleted in Chargebee.", "")
        return _tell(row, SourceState.SKIPPED, [gone], now, actor)
    if CustomerCreation.objects.filter(source=row).exists():
        return _tell(row, SourceState.CREATING, [], now, actor)
    return _match(tenant, row, record, directory.match(record), decided, now, actor)


def _match(
    tenant: Tenant,
    row: SourceDocument,
    customer: Customer,
    match: Match,
    decided: dict[str, object],
    now: dt.datetime,
    actor: str,
) -> str:
    if match.code:
        refused = link(tenant, customer.id, match.code, note="Linked by reference", now=now, actor=actor)
        return _tell(row, SourceState.HELD if refused else SourceState.LINKED, refused, now, actor)
    if match.candidates:
        found = [say.customer_has_candidates(customer.id, match.candidates)]
        return _tell(row, SourceState.HELD, found, now, actor)
    if decided["create_customers"] != "create":
        return _tell(row, SourceState.HELD, [say.customer_not_in_qad(customer.id, name_of(customer))], now, actor)
    _plan_creation(tenant, row, customer, decided, now)
    return _tell(row, SourceState.CREATING, [], now, actor)


def link(
    tenant: Tenant, chargebee_id: str, code: str, *, note: str, now: dt.datetime, actor: str
) -> list[Problem]:
    """Store the link of a customer, or say why it may not be stored."""
    values = {"chargebee_id": chargebee_id, "qad_code": code, "kind": "direct", "note": note}
    saved = save_rows(tenant.pk, [Change("customers", values)], actor=actor, now=now)
    return [refusal.problem for refusal in saved.refusals]


def _plan_creation(
    tenant: Tenant, row: SourceDocument, customer: Customer, decided: dict[str, object], now: dt.datetime
) -> None:
    code = next_code(tenant, str(decided["customer_code_prefix"]))
    document = as_qad_customer(
        customer, code, currency=tenant.base_currency, credit_terms=str(decided["credit_terms"])
    )
    CustomerCreation.objects.create(
        tenant=tenant, source=row, code=code, document=asdict(document), created_at=now, changed_at=now
    )


def next_code(tenant: Tenant, prefix: str) -> str:
    """The next free code of eight characters; codes once given are never given again."""
    digits = CODE_LENGTH - len(prefix)
    last = [
        model.objects.filter(tenant=tenant, code__regex=rf"^{prefix}[0-9]{{{digits}}}$").aggregate(last=Max("code"))["last"]
        for model in (CustomerCreation, QadCustomer)
    ]
    number = max([0, *(int(code[len(prefix) :]) for code in last if code)]) + 1
    return f"{prefix}{number:0{digits}d}"


def _tell(row: SourceDocument, state: SourceState, found: list[Problem], now: dt.datetime, actor: str) -> str:
    SourceDocument.objects.filter(pk=row.pk).update(
        state=state,
        codes=codes(found) if found else "",
        problems=[as_json(problem) for problem in found],
        changed_at=now,
    )
    line = audit.Line(
        state.value,
        f"customer:{row.source_id}",
        before={"state": row.state},
        after={"state": state.value, "codes": [problem.code for problem in found]},
    )
    audit.record(row.tenant_id, [line], actor=actor, now=now)
    return state.value

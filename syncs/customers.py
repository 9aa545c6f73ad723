"""Chargebee customers become linked, held with their candidates, or created in QAD where the policy allows it."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from django.db import transaction
from django.db.models import Max

from connector.chargebee import parse
from connector.chargebee.records import Customer
from connector.errors import Problem
from connector.ledger import problems as say
from connector.ledger.customers import Directory, Known, Match, as_qad_customer, name_of
from connector.ledger.identity import Index
from connector.ledger.skipping import other_entity
from connector.periods import business_date
from mappings.models import CustomerMapping, QadCustomer
from mappings.saving import Change, save_correct_rows
from mappings.terms import terms, terms_of
from syncs import belonging
from syncs.alignment.again import look_again
from syncs.alignment.asking import ask
from syncs.alignment.people import qad_index
from syncs.alignment.setting import OFF, mode_of
from syncs.batch import as_json, codes, identity_problem
from syncs.models import CustomerCreation, Kind, MatchReview, ReviewState, SourceDocument
from syncs.models.creation import Step
from syncs.states import SourceState
from tenants import audit, connections, policies
from tenants.models import Tenant

BATCH = 200
CODE_LENGTH = 8


class Listing(Protocol):
    """QAD's customers, as they are asked for the one that a Chargebee customer is."""

    def match(self, customer: Customer) -> Match: ...


@dataclass(slots=True)
class Batch:
    """What is known while a batch of customers is decided, and what was decided."""

    tenant: Tenant
    directory: Listing
    policies: dict[str, Any]
    codes: Iterator[str]
    now: dt.datetime
    actor: str
    entities: list[str]  # business entities of the tenant, none: every one
    terms: dict[str, str] = field(default_factory=dict)  # days to pay -> QAD's credit terms
    linked: set[str] = field(default_factory=set)
    planned: set[int] = field(default_factory=set)
    wanted: set[str] = field(default_factory=set)  # a person has said that a new one is to be created
    told: dict[int, tuple[SourceDocument, SourceState, list[Problem]]] = field(default_factory=dict)
    matches: dict[int, str] = field(default_factory=dict)  # source -> QAD code of a certain match
    creations: list[CustomerCreation] = field(default_factory=list)


def prepare_customers(tenant: Tenant, *, clock: Callable[[], dt.datetime], actor: str = "sync") -> Counter[str]:
    """Decide every new customer of a tenant, and held ones of which there is news. No network.

    Returns how many ended in which state.
    """
    counts: Counter[str] = Counter()
    decided = policies.read(tenant)
    directory = _directory(tenant)
    if isinstance(directory, Index):
        look_again(tenant, directory, decided, now=clock())
    codes = free_codes(tenant, decided["customer_code_prefix"])
    after = 0
    while True:
        with transaction.atomic():
            new = SourceDocument.objects.filter(tenant=tenant, kind=Kind.CUSTOMER, state=SourceState.NEW, pk__gt=after)
            rows = list(new.select_for_update(skip_locked=True).order_by("pk")[:BATCH])
            if not rows:
                return counts
            now = clock()
            known = terms(tenant.pk, business_date(now, tenant.time_zone))
            batch = Batch(tenant, directory, decided, codes, now, actor, belonging.entities_of(tenant), known)
            counts.update(_decide(batch, rows))
        after = rows[-1].pk


def _directory(tenant: Tenant) -> Listing:
    """With customers kept the same, a match may rest on more than a reference."""
    if mode_of(tenant) != OFF:
        return qad_index(tenant, connections.qad_profile(tenant))
    rows = QadCustomer.objects.filter(tenant=tenant, is_gone=False)
    return Directory(
        [Known(*row) for row in rows.values_list("code", "search_key", "tax_id", "external_reference").iterator()]
    )


def _decide(batch: Batch, rows: list[SourceDocument]) -> Counter[str]:
    """Decide and write one batch inside the caller's transaction."""
    mapped = CustomerMapping.objects.filter(tenant=batch.tenant, chargebee_id__in=[row.source_id for row in rows])
    batch.linked = set(mapped.values_list("chargebee_id", flat=True))
    batch.planned = set(CustomerCreation.objects.filter(source__in=rows).values_list("source_id", flat=True))
    answers = MatchReview.objects.filter(tenant=batch.tenant, state=ReviewState.CREATED, found_from="chargebee")
    batch.wanted = set(
        answers.filter(chargebee_id__in=[row.source_id for row in rows]).values_list("chargebee_id", flat=True)
    )
    for row in rows:
        state, found = _verdict(batch, row)
        batch.told[row.pk] = (row, state, found)
    _link_matches(batch)
    CustomerCreation.objects.bulk_create(batch.creations)
    _write(batch)
    return Counter(state.value for _, state, _ in batch.told.values())


def _verdict(batch: Batch, row: SourceDocument) -> tuple[SourceState, list[Problem]]:
    record = parse.customer(row.content, minor_units=batch.policies["minor_units"])
    wrong = record if isinstance(record, list) else identity_problem(row, record.id)
    if isinstance(record, list) or wrong:
        return SourceState.UNREADABLE, wrong
    if row.source_id in batch.linked:
        return SourceState.LINKED, []
    if record.deleted:
        gone = Problem("deleted-before-linking", f"Customer '{record.id}'", "It was deleted in Chargebee.", "")
        return SourceState.SKIPPED, [gone]
    rule = other_entity(batch.entities, record.business_entity_id) if record.business_entity_id else None
    if row.pk in batch.planned and not (rule and _give_up(row)):
        return SourceState.CREATING, []
    if rule:
        return SourceState.SKIPPED, [Problem(rule.rule, f"Customer '{record.id}'", rule.sentence, "")]
    return _match(batch, row, record)


def _give_up(row: SourceDocument) -> bool:
    """Forget a creation of which QAD was told nothing yet; False if it may have been."""
    untold = CustomerCreation.objects.filter(source=row, step=Step.CUSTOMER, attempts=0, claim_key=None)
    return untold.delete()[0] > 0


def _match(batch: Batch, row: SourceDocument, customer: Customer) -> tuple[SourceState, list[Problem]]:
    match = batch.directory.match(customer)
    if match.code:
        batch.matches[row.pk] = match.code
        return SourceState.LINKED, []
    if match.candidates and isinstance(batch.directory, Index):
        pairs = ((customer.id, code, why) for code, why in match.candidates)
        ask(batch.tenant, pairs, found_from="chargebee", now=batch.now)
    if match.candidates:
        return SourceState.HELD, [say.customer_has_candidates(customer.id, match.candidates)]
    if batch.policies["create_customers"] != "create" and customer.id not in batch.wanted:
        return SourceState.HELD, [say.customer_not_in_qad(customer.id, name_of(customer))]
    batch.creations.append(_creation(batch, row, customer))
    return SourceState.CREATING, []


def _link_matches(batch: Batch) -> None:
    """Store the links of certain matches; one that is refused holds its customer."""
    wanted = {pk: (batch.told[pk][0].source_id, code) for pk, code in batch.matches.items()}
    refused = link(batch.tenant, list(wanted.values()), note="Linked by reference", now=batch.now, actor=batch.actor)
    for pk, (chargebee_id, _) in wanted.items():
        if chargebee_id in refused:
            batch.told[pk] = (batch.told[pk][0], SourceState.HELD, refused[chargebee_id])


def link(
    tenant: Tenant, pairs: Sequence[tuple[str, str]], *, note: str, now: dt.datetime, actor: str
) -> dict[str, list[Problem]]:
    """Store (Chargebee id, QAD code) links; returns the problems of those that may not be stored.

    A customer who is linked already stays with his QAD customer: only people change that. Call it in a transaction.
    """
    mapped = CustomerMapping.objects.filter(tenant=tenant, chargebee_id__in=[chargebee_id for chargebee_id, _ in pairs])
    linked = dict(mapped.select_for_update().values_list("chargebee_id", "qad_code"))
    refused = {
        chargebee_id: [say.customer_linked_already(chargebee_id, linked[chargebee_id], code)]
        for chargebee_id, code in pairs
        if linked.get(chargebee_id, code) != code
    }
    changes = [
        Change("customers", {"chargebee_id": chargebee_id, "qad_code": code, "kind": "direct", "note": note})
        for chargebee_id, code in pairs
        if chargebee_id not in linked
    ]
    if not changes:
        return refused
    saved = save_correct_rows(tenant.pk, changes, actor=actor, now=now)
    for refusal in saved.refusals:
        refused.setdefault(refusal.change.values["chargebee_id"], []).append(refusal.problem)
    return refused


def _creation(batch: Batch, row: SourceDocument, customer: Customer) -> CustomerCreation:
    code = next(batch.codes)
    credit_terms = terms_of(batch.terms, customer.net_term_days, batch.policies["credit_terms"])
    document = as_qad_customer(customer, code, currency=batch.tenant.base_currency, credit_terms=credit_terms)
    return CustomerCreation(
        tenant=batch.tenant,
        source=row,
        code=code,
        document=asdict(document),
        created_at=batch.now,
        changed_at=batch.now,
    )


def free_codes(tenant: Tenant, prefix: str) -> Iterator[str]:
    """Free codes of eight characters, one after another; codes once given are never given again."""
    digits = CODE_LENGTH - len(prefix)
    mine = rf"^{prefix}[0-9]{{{digits}}}$"
    last = [
        model.objects.filter(tenant=tenant, code__regex=mine).aggregate(last=Max("code"))["last"]
        for model in (CustomerCreation, QadCustomer)
    ]
    start = max([0, *(int(code[len(prefix) :]) for code in last if code)]) + 1
    yield from (f"{prefix}{number:0{digits}d}" for number in range(start, 10**digits))


def _write(batch: Batch) -> None:
    by_state: dict[SourceState, list[int]] = defaultdict(list)
    lines = []
    for row, state, found in batch.told.values():
        if found:
            SourceDocument.objects.filter(pk=row.pk).update(
                state=state,
                codes=codes(found),
                problems=[as_json(problem) for problem in found],
                changed_at=batch.now,
            )
        else:
            by_state[state].append(row.pk)
        after = {"state": state.value, "codes": [problem.code for problem in found]}
        lines.append(audit.Line(state.value, f"customer:{row.source_id}", before={"state": row.state}, after=after))
    for state, keys in by_state.items():
        SourceDocument.objects.filter(pk__in=keys).update(state=state, codes="", problems=[], changed_at=batch.now)
    audit.record(batch.tenant.pk, lines, actor=batch.actor, now=batch.now)

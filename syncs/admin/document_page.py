"""What the page of one document shows, as values for its template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone

from connector.errors import ConnectorError
from connector.ledger.stored import restore
from connector.periods import business_date
from mappings.models import QadCustomer
from syncs.admin import evidence, journals, links, words
from syncs.admin.options import concerned, options, what_next
from syncs.admin.side_by_side import Comparison, compare
from syncs.admin.story import shown_json, story
from syncs.desk import Desk, open_desk
from syncs.fates import STUCK
from syncs.forcing import MAIN
from syncs.foresight import Foreseen, foresee
from syncs.models import (
    Assignment,
    CustomerCreation,
    Edge,
    ForceRequest,
    ForceState,
    Kind,
    Posting,
    SourceDocument,
    Surplus,
)
from syncs.states import DONE, PostingState, SourceState, disposition, most_urgent
from tenants.access import Access
from tenants.models import Tenant

EDGES_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Trouble:
    """One problem with the button that leads to its cure."""

    message: str
    fix: str
    button: links.Button | None


@dataclass(frozen=True, slots=True)
class Journal:
    """`table` is None where there is nothing to show; `reasons` then say why."""

    title: str
    note: str
    table: journals.Table | None
    reasons: list[Trouble]


def chain_of(row: SourceDocument) -> list[Posting]:
    """Everything that was made of it, in the order in which it was made."""
    return list(Posting.objects.filter(tenant=row.tenant_id, source=row).order_by("pk"))


def standing(row: SourceDocument, chain: list[Posting]) -> str:
    """The name of the document's disposition: of several postings the most urgent counts."""
    return str(disposition(row.state, most_urgent(posting.state for posting in chain)) or words.UNKNOWN)


def page(tenant: Tenant, row: SourceDocument, access: Access) -> dict[str, Any]:
    chain = chain_of(row)
    urgent = concerned(chain)
    told = _troubles(row, urgent, access)
    return {
        "row": row,
        "posting": urgent,
        "facts": _facts(tenant, row, own_posting(chain)),
        "badge": words.badge(standing(row, chain), words.disposition_label(standing(row, chain))),
        "amount": words.money(row.total_minor, row.currency) if words.has_money(row.kind) else "",
        "next": what_next(row, chain),
        "options": options(row, chain, access),
        "troubles": told,
        "journal": _unrepeated(journal_of(tenant, row, chain, access), told) if words.has_money(row.kind) else None,
        "postings": [_posting(tenant, one) for one in chain],
        "edges": edges(tenant, row),
        "story": story(tenant, row, chain),
        "zone": tenant.time_zone,
        "source": shown_json(row.raw),
        "ignored": row.ignores.filter(ended_at=None).first(),
        "forced": list(ForceRequest.objects.filter(posting__in=chain, state=ForceState.OPEN).select_related("posting")),
        "surpluses": list(Surplus.objects.filter(posting__in=chain, reversed_at=None)),
        "assigned_to": getattr(Assignment.objects.filter(source=row).first(), "assigned_to", ""),
        "remarks": list(row.remarks.all()),
    }


def own_posting(chain: Sequence[Posting]) -> Posting | None:
    """The posting of the document itself that was made last, rather than of what followed it."""
    return next((one for one in reversed(chain) if one.kind in MAIN), chain[-1] if chain else None)


def _posting(tenant: Tenant, posting: Posting) -> dict[str, Any]:
    return {
        "row": posting,
        "badge": words.badge(posting.state, posting.get_state_display()),
        "amount": words.money(posting.total_minor, posting.currency),
        "date": posting.qad_posting_date or posting.posting_date,
        "about": f"invoice {posting.invoice_id}" if posting.invoice_id else "",
    }


def edges(tenant: Tenant, row: SourceDocument) -> list[dict[str, Any]]:
    """What it settles, and what settles it: wanted in Chargebee, reached in QAD."""
    rows = Edge.objects.filter(tenant=tenant, owner=row)
    if row.kind == Kind.INVOICE:
        rows = Edge.objects.filter(tenant=tenant, invoice_id=row.source_id)
    rows = rows.select_related("owner").defer("owner__raw").order_by("pk")[:EDGES_SHOWN]
    invoices = SourceDocument.objects.filter(
        tenant=tenant, kind=Kind.INVOICE, source_id__in=[edge.invoice_id for edge in rows]
    )
    pages = dict(invoices.values_list("source_id", "pk"))
    return [_edge(edge, row, pages) for edge in rows]


def _edge(edge: Edge, row: SourceDocument, pages: dict[str, int]) -> dict[str, Any]:
    if row.kind == Kind.INVOICE:
        other = links.Button(links.document_url(edge.owner_id), str(edge.owner))
    else:
        pk = pages.get(edge.invoice_id)
        other = links.Button(links.document_url(pk) if pk else "", f"Invoice {edge.invoice_id}")
    return {
        "other": other,
        "wanted": words.money(edge.wanted_minor, edge.currency),
        "applied": words.money(edge.applied_minor, edge.currency),
        "is_even": edge.wanted_minor == edge.applied_minor,
    }


def _unrepeated(journal: Journal, told: list[Trouble]) -> Journal:
    """Reasons that the page has named already are not named again."""
    if not journal.reasons or journal.reasons != told:
        return journal
    return replace(journal, note="There is no journal yet: first mend what stands above.", reasons=[])


def _facts(tenant: Tenant, row: SourceDocument, posting: Posting | None) -> list[tuple[str, Any]]:
    """Label and value of the header card; what is not known is left out."""
    dated = business_date(row.dated_at, tenant.time_zone) if row.dated_at else ""
    found: list[tuple[str, Any]] = [
        ("Document date", dated),
        ("Status in Chargebee", "deleted" if row.is_deleted else row.status),
        ("Chargebee customer", _customer(tenant, row.customer_id)),
    ]
    if posting is not None:
        found += [
            ("QAD customer", _qad_customer(tenant, posting.customer_code)),
            ("Reference", posting.reference),
            ("QAD number", posting.qad_number),
            ("QAD daybook", " ".join(filter(None, (posting.qad_year, posting.qad_daybook)))),
            ("QAD voucher", posting.qad_voucher),
            ("Posting date", posting.qad_posting_date or posting.posting_date),
            ("Accepted as QAD has it", _accepted(posting)),
            ("Not sent before", words.moment(posting.not_before, tenant.time_zone) if posting.not_before else ""),
        ]
    found += evidence.facts(tenant, row, posting) if words.has_money(row.kind) else []
    creation = CustomerCreation.objects.filter(source=row).first() if row.kind == Kind.CUSTOMER else None
    if creation is not None:
        found += [("QAD customer", creation.code), ("Creation in QAD", creation.get_step_display())]
    found.append(("Last change here", words.moment(row.changed_at, tenant.time_zone)))
    return [(label, value) for label, value in found if value]


def _accepted(posting: Posting) -> str:
    """What a person accepted in place of what was sent, in a few words."""
    names = (("total", "total"), ("customer", "customer"), ("posting_date", "date"), ("reference", "reference"))
    told = [f"{label} {value}" for name, label in names if (value := (posting.accepted or {}).get(name))]
    return ", ".join(told) or ("a document without our reference" if "reference" in (posting.accepted or {}) else "")


def _customer(tenant: Tenant, customer_id: str) -> Any:
    """The customer's own page, where the connector has read the customer."""
    if not customer_id:
        return ""
    found = SourceDocument.objects.filter(tenant=tenant, kind=Kind.CUSTOMER, source_id=customer_id)
    pk = found.values_list("pk", flat=True).first()
    return links.Button(links.document_url(pk), customer_id) if pk else customer_id


def _qad_customer(tenant: Tenant, code: str) -> str:
    name = QadCustomer.objects.filter(tenant=tenant, code=code).values_list("name", flat=True).first()
    return f"{code} {name}" if name else code


def _troubles(row: SourceDocument, posting: Posting | None, access: Access) -> list[Trouble]:
    """The source's own problems, and the posting's where the source has been prepared."""
    found = list(row.problems) if row.state != SourceState.CODED else []
    if posting is not None and posting.state not in DONE:
        found += posting.problems
    creation = CustomerCreation.objects.filter(source=row).first() if row.kind == Kind.CUSTOMER else None
    if creation is not None and not found:
        found += creation.problems
    return troubles(found, access)


def troubles(problems: list[dict[str, str]], access: Access) -> list[Trouble]:
    return [Trouble(one["message"], one["fix"], links.fix(one, access)) for one in problems]


def journal_of(tenant: Tenant, row: SourceDocument, chain: Sequence[Posting], access: Access) -> Journal:
    """What QAD has, what it will be sent, or what preparing would make of the document now."""
    posting = own_posting(chain)
    if posting is not None and posting.state in DONE:
        note = f"As {posting.qad_number} in QAD, dated {posting.qad_posting_date or posting.posting_date}."
        return Journal("Posted journal", note, journals.table(tenant, restore(posting.document)), [])
    if posting is not None and row.state == SourceState.CODED and posting.state != PostingState.HELD:
        note = "This is what was sent." if posting.attempts else "This is what will be sent."
        return Journal("Journal preview", note, journals.table(tenant, restore(posting.document)), [])
    return shown(tenant, row, foreseen(desk_of(tenant), row), access)


def shown(tenant: Tenant, row: SourceDocument, made: Foreseen | str, access: Access) -> Journal:
    """What `foreseen` gave, for a reader."""
    if isinstance(made, str):
        return Journal("Journal preview", made, None, [])
    if made.documents:
        note = "With today's mappings it would become this. Nothing is posted until it is prepared again."
        first = next(iter(made.documents.values()))
        return Journal("Journal preview", note, journals.table(tenant, restore(first)), [])
    if made.state == SourceState.SKIPPED:
        said = " ".join(problem["message"] for problem in made.problems)
        return Journal("Journal preview", f"Nothing is posted for it. {said}", None, [])
    if not made.problems:
        return Journal("Journal preview", "Nothing more would be posted of it now.", None, [])
    return Journal("Journal preview", "There is no journal yet, because:", None, troubles(made.problems, access))


def desk_of(tenant: Tenant) -> Desk | str:
    """What preparing needs, or one sentence where the set-up does not let anything be prepared."""
    try:
        return open_desk(tenant.pk)
    except ObjectDoesNotExist:
        return f"{tenant} has no QAD connection yet, so nothing can be prepared."
    except ConnectorError as error:
        return f"It cannot be prepared: {error}"


def foreseen(desk: Desk | str, row: SourceDocument) -> Foreseen | str:
    """What preparing would make of it, or the sentence of `desk_of`."""
    return desk if isinstance(desk, str) else foresee(desk, row, now=timezone.now())


def compared(desk: Desk | str, row: SourceDocument, access: Access) -> dict[str, Any]:
    """The stored postings against what a rebuild would give, each pair side by side."""
    chain = chain_of(row)
    made = foreseen(desk, row)
    anew = made.documents if isinstance(made, Foreseen) else {}
    stored = {one.reference: one for one in chain if one.reference in anew or one.state in STUCK}
    pairs = [
        compare(row.tenant, reference, stored[reference].document if reference in stored else None, anew.get(reference))
        for reference in dict.fromkeys([*stored, *anew])
    ]
    says = _in_short(made, pairs)
    journal = None if pairs and anew else shown(row.tenant, row, made, access)
    return {"pairs": pairs, "journal": journal, "says": says, "is_open": any(pair.is_changed for pair in pairs)}


def _in_short(made: Foreseen | str, pairs: Sequence[Comparison]) -> str:
    if isinstance(made, str) or not made.documents:
        return "still not posted"
    if any(pair.before is None for pair in pairs):
        return "would be posted"
    changes = sum(pair.changes for pair in pairs if pair.after is not None)
    return words.counted(changes, "change") if changes else "no change"

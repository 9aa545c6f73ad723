"""What the page of one document shows, as values for its template."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import ObjectDoesNotExist

from connector.errors import ConnectorError
from connector.ledger.documents import CustomerInvoice
from connector.ledger.invoices import Skipped
from connector.ledger.stored import restore
from connector.periods import business_date
from mappings.models import QadCustomer
from syncs.admin import journals, links, words
from syncs.admin.jsontext import indented
from syncs.batch import as_json
from syncs.deciding_invoices import preview
from syncs.desk import Desk, open_desk
from syncs.models import Attempt, CustomerCreation, Kind, Posting, SourceDocument
from syncs.states import DONE, PostingState, SourceState, disposition
from tenants.access import Access
from tenants.models import AuditEntry, Tenant

ENTRIES_SHOWN, ATTEMPTS_SHOWN = 200, 30
LONGEST_JSON = 200_000  # characters of a source document that are shown


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
    """Its postings, the first one first; the last is the one that counts."""
    return list(Posting.objects.filter(tenant=row.tenant_id, source=row).order_by("place"))


def standing(row: SourceDocument, chain: list[Posting]) -> str:
    """The name of the document's disposition."""
    return str(disposition(row.state, chain[-1].state if chain else None) or words.UNKNOWN)


def page(tenant: Tenant, row: SourceDocument, access: Access) -> dict[str, Any]:
    chain = chain_of(row)
    last = chain[-1] if chain else None
    told = _troubles(row, last, access)
    return {
        "row": row,
        "posting": last,
        "facts": _facts(tenant, row, last),
        "badge": words.badge(standing(row, chain), words.disposition_label(standing(row, chain))),
        "amount": words.money(row.total_minor, row.currency) if words.has_money(row.kind) else "",
        "troubles": told,
        "journal": _unrepeated(journal_of(tenant, row, last, access), told) if words.has_money(row.kind) else None,
        "attempts": _attempts(tenant, chain),
        "entries": _entries(tenant, row, chain),
        "zone": tenant.time_zone,
        "source": _source(row),
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
            ("Not sent before", words.moment(posting.not_before, tenant.time_zone) if posting.not_before else ""),
        ]
    creation = CustomerCreation.objects.filter(source=row).first() if row.kind == Kind.CUSTOMER else None
    if creation is not None:
        found += [("QAD customer", creation.code), ("Creation in QAD", creation.get_step_display())]
    found.append(("Last change here", words.moment(row.changed_at, tenant.time_zone)))
    return [(label, value) for label, value in found if value]


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


def journal_of(tenant: Tenant, row: SourceDocument, posting: Posting | None, access: Access) -> Journal:
    """What QAD has, what it will be sent, or what preparing would make of the document now."""
    if posting is not None and posting.state in DONE:
        note = f"As {posting.qad_number} in QAD, dated {posting.qad_posting_date or posting.posting_date}."
        return Journal("Posted journal", note, journals.table(tenant, restore(posting.document)), [])
    if posting is not None and row.state == SourceState.CODED and posting.state != PostingState.HELD:
        note = "This is what was sent." if posting.attempts else "This is what will be sent."
        return Journal("Journal preview", note, journals.table(tenant, restore(posting.document)), [])
    return shown(tenant, rebuilt(desk_of(tenant), row, posting.reference if posting else ""), access)


def shown(tenant: Tenant, made: Any, access: Access) -> Journal:
    """What `rebuilt` gave, for a reader."""
    if isinstance(made, CustomerInvoice):
        note = "With today's mappings it would become this. Nothing is posted until it is prepared again."
        return Journal("Journal preview", note, journals.table(tenant, made), [])
    if isinstance(made, Skipped):
        return Journal("Journal preview", f"Nothing is posted for it. {made.sentence}", None, [])
    if isinstance(made, str):
        return Journal("Journal preview", made, None, [])
    told = troubles([as_json(problem) for problem in made], access)
    return Journal("Journal preview", "There is no journal yet, because:", None, told)


def desk_of(tenant: Tenant) -> Desk | str:
    """What preparing needs, or one sentence where the set-up does not let anything be prepared."""
    try:
        return open_desk(tenant.pk)
    except ObjectDoesNotExist:
        return f"{tenant} has no QAD connection yet, so nothing can be prepared."
    except ConnectorError as error:
        return f"It cannot be prepared: {error}"


def rebuilt(desk: Desk | str, row: SourceDocument, reference: str) -> Any:
    """A document, Skipped, problems, or the sentence of `desk_of`."""
    if row.kind != Kind.INVOICE:
        return f"There is no preview of a {row.get_kind_display().lower()} yet."
    return desk if isinstance(desk, str) else preview(desk, row.content, reference or "preview")


def _attempts(tenant: Tenant, chain: list[Posting]) -> list[dict[str, Any]]:
    """The newest attempts, each with its redacted request and reply."""
    rows = Attempt.objects.filter(tenant=tenant, posting__in=chain).order_by("-pk")[:ATTEMPTS_SHOWN]
    return [{"row": attempt, "exchange": _exchange(attempt)} for attempt in rows]


def _exchange(attempt: Attempt) -> dict[str, Any] | None:
    stored = attempt.request_and_reply
    if stored is None:
        return None
    bodies = {name: indented(stored.get(name, "")) for name in ("request_body", "reply_body")}
    return {**stored, **bodies, "milliseconds": round(float(stored.get("elapsed", 0)) * 1000)}


def _entries(tenant: Tenant, row: SourceDocument, chain: list[Posting]) -> list[AuditEntry]:
    """The newest audit lines of the document and its postings, oldest first."""
    subjects = [f"{row.kind}:{row.source_id}"[:160], *(f"posting:{posting.reference}" for posting in chain)]
    newest = AuditEntry.objects.filter(tenant=tenant, subject__in=subjects).order_by("-pk")[:ENTRIES_SHOWN]
    return list(newest)[::-1]


def _source(row: SourceDocument) -> str:
    return indented(zlib.decompress(row.raw).decode("utf-8", "replace")[:LONGEST_JSON])

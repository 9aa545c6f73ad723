"""The journal preview: what a sync would post now, document by document and in total; nothing is saved."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from django.contrib import admin
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from connector.errors import ConnectorError
from connector.money import plain
from mappings.models import QadAccount
from syncs.admin import journals, links, words
from syncs.desk import open_desk
from syncs.models import Kind
from syncs.preparing import POSTED_KINDS
from syncs.previewing import Previewed, Totals, add, rate_words, upcoming
from tenants import access
from tenants.access import Action
from tenants.models import Tenant
from tenants.navigation import Page, register

COUNTED, SHOWN = 2_000, 50  # documents that a page adds up, and that it shows with their lines


@dataclass(frozen=True, slots=True)
class Entry:
    """One document of the page; `table` is None where nothing would be posted, and `reasons` say why."""

    door: links.Button
    reference: str
    facts: list[tuple[str, str]]
    table: journals.Table | None
    base: list[tuple[str, str, str]]
    reasons: list[str]


def page(request: HttpRequest) -> HttpResponse:
    """Everything that would go out, or one kind of it (?kind=invoice)."""
    tenant = access.of(request).tenant
    if tenant is None or not access.of(request).may(Action.VIEW):
        raise PermissionDenied
    kind = request.GET.get("kind", "")
    kinds = (kind,) if kind in POSTED_KINDS else POSTED_KINDS
    context = {
        **admin.site.each_context(request),
        "title": "Journal preview",
        "kinds": [(one, Kind(one).label, one == kind) for one in POSTED_KINDS],
        **shown(tenant, kinds),
    }
    return TemplateResponse(request, "admin/syncs/preview.html", context)


def shown(tenant: Tenant, kinds: tuple[str, ...]) -> dict[str, Any]:
    try:
        desk = open_desk(tenant.pk)
    except ObjectDoesNotExist:
        return {"stopped": f"{tenant} has no QAD connection yet, so nothing can be prepared."}
    except ConnectorError as error:
        return {"stopped": f"Nothing can be prepared: {error.message}"}
    totals: Totals = defaultdict(lambda: [Decimal(0), Decimal(0)])
    entries: list[Entry] = []
    counts = {"postings": 0, "without": 0}
    found = upcoming(desk, timezone.now(), kinds)
    for one in islice(found, COUNTED):
        add(totals, one)
        counts["postings" if one.document is not None else "without"] += 1
        if len(entries) < SHOWN:
            entries.append(entry(tenant, one))
    return {
        "entries": entries,
        "totals": _totals(tenant, totals),
        **counts,
        "hidden": max(0, sum(counts.values()) - SHOWN),
        "more": next(found, None) is not None,
        "counted": COUNTED,
    }


def entry(tenant: Tenant, one: Previewed) -> Entry:
    document = one.document
    return Entry(
        door=links.Button(links.document_url(one.source.pk), str(one.source)),
        reference=one.reference,
        facts=facts(one) if document is not None else [],
        table=journals.table(tenant, document) if document is not None else None,
        base=[(line.account, line.label, plain(line.amount)) for line in one.base],
        reasons=[str(problem) for problem in one.problems],
    )


def facts(one: Previewed) -> list[tuple[str, str]]:
    """Customer, date and why, period, rate: what a reader asks of a posting that is to come."""
    document = one.document
    if document is None:
        return []
    told = [
        ("QAD customer", document.customer),
        ("Document date", str(document.document_date)),
        ("Posting date", str(document.posting_date)),
        ("Why this date", one.why or "It is the document's own date."),
        ("Period in QAD", one.period or "QAD's periods are not known here"),
        ("Exchange rate", rate_words(document.currency, one.fx)),
        ("State", one.stands),
    ]
    return [(label, value) for label, value in told if value]


def _totals(tenant: Tenant, totals: Totals) -> list[tuple[str, str, str, str, str]]:
    names = dict(
        QadAccount.objects.filter(tenant=tenant, code__in={account for account, _ in totals}).values_list(
            "code", "description"
        )
    )
    return [
        (account, names.get(account, ""), currency, words.grouped(debit), words.grouped(credit))
        for (account, currency), (debit, credit) in sorted(totals.items())
    ]


register(Page("Documents", "Journal preview", "admin:syncs_preview", order=26))

"""What the overview warns of: each source looks at one tenant and says what a person should know, with a button.

A new kind of warning is one function in SOURCES; it must be quick, for every visit of the overview asks it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone

from connector.periods import business_date
from mappings import coverage
from syncs.admin import decision_notices, links, reading_notices, words
from syncs.models import ConflictState, CustomerConflict, EntityScope, MatchReview, ReviewState, SyncRequest
from tenants.access import Access, Action
from tenants.models import Tenant

SHOWN_FOR = dt.timedelta(days=30)  # what is told once, and is in the audit trail for good
NAMED = 5  # rows that a sentence names before it says how many more there are


@dataclass(frozen=True, slots=True)
class Notice:
    """`tone` is bad, wait or calm; `button` leads to where it is mended, None where nothing can be done here."""

    tone: str
    sentence: str
    button: links.Button | None = None


Source = Callable[[Tenant, Access], list[Notice]]


def unmapped_prices(tenant: Tenant, access: Access) -> list[Notice]:
    """Item prices that will hold their first invoices, told before they bill."""
    on = business_date(timezone.now(), tenant.time_zone)
    names = list(coverage.unmapped(tenant.pk, on).values_list("item_price", flat=True)[: NAMED + 1])
    if not names:
        return []
    count = len(names) if len(names) <= NAMED else coverage.unmapped(tenant.pk, on).count()
    more = f" and {count - NAMED:,} more" if count > NAMED else ""
    said = f"{words.counted(count, 'item price')} on sale {'has' if count == 1 else 'have'} no GL account"
    which = "it" if count == 1 else "them"
    sentence = f"{said}: {', '.join(names[:NAMED])}{more}. Invoices with {which} will be held until that is mapped."
    address = links.url("admin:mappings_catalogprice_desk") if access.may(Action.CHANGE_MAPPINGS) else ""
    return [Notice("wait", sentence, links.Button(address, "Map them") if address else None)]


def decisions(tenant: Tenant, access: Access) -> list[Notice]:
    """What people decided and waits for somebody."""
    sources = (decision_notices.surpluses, decision_notices.requests, decision_notices.replays)
    return [Notice(*told) for source in sources for told in source(tenant, access)]


def reading(tenant: Tenant, access: Access) -> list[Notice]:
    """Clocks, late changes and the last sweep."""
    found = [Notice("wait", sentence) for sentence in reading_notices.open_notices(tenant)]
    if skewed := reading_notices.skewed_clock(tenant):
        found.insert(0, Notice("bad", skewed))
    if left := reading_notices.backlog(tenant):
        found.append(Notice("calm", left))
    tone, swept, address = reading_notices.last_sweep(tenant)
    return [*found, Notice(tone, swept, links.Button(address, "Show the sweep"))] if swept else found


def customers(tenant: Tenant, access: Access) -> list[Notice]:
    """Customers about whom the two systems disagree, or who may be the same."""
    conflicts = CustomerConflict.objects.filter(tenant=tenant, state=ConflictState.WAITING).count()
    matches = MatchReview.objects.filter(tenant=tenant, state=ReviewState.OPEN).count()
    found = []
    if conflicts:
        button = links.Button(_list("customerconflict", ConflictState.WAITING), "Conflicts")
        said = words.counted(conflicts, "customer field waits", "customer fields wait")
        found.append(Notice("wait", f"{said} for a person: the two systems disagree.", button))
    if matches:
        button = links.Button(_list("matchreview", ReviewState.OPEN), "Possible matches")
        said = words.counted(matches, "pair of customers", "pairs of customers")
        found.append(Notice("wait", f"{said} may be the same; nobody is created before somebody decides.", button))
    return found


def asked(tenant: Tenant, access: Access) -> list[Notice]:
    """Sync now that waits for its turn, or is under way."""
    found = []
    for row in SyncRequest.objects.filter(tenant=tenant)[:NAMED]:
        when = words.minute(row.asked_at, tenant.time_zone)
        said = f"Sync now ({row}) was asked for by {row.actor} on {when}."
        found.append(Notice("calm", f"{said} It is done once, after any run that is under way."))
    return found


def _list(model: str, state: str) -> str:
    """The list of what waits, not of everything that ever did."""
    return f"{links.url(f'admin:syncs_{model}_changelist')}?state__exact={state}"


def entities(tenant: Tenant, access: Access) -> list[Notice]:
    """What is in QAD and another tenant's since the business entities changed."""
    since = timezone.now() - SHOWN_FOR
    scope = EntityScope.objects.filter(tenant=tenant, posted_outside__gt=0, finished_at__gte=since).first()
    if scope is None:
        return []
    which = "is of a business entity that is" if scope.posted_outside == 1 else "are of business entities that are"
    more = scope.posted_outside - len(scope.named)
    named = ", ".join(scope.named) + (f" and {more:,} more" if more else "")
    sentence = (
        f"{words.counted(scope.posted_outside, 'document')} in QAD {which} not this tenant's any more: {named}. "
        "Nothing was taken back. Move them in QAD if they belong elsewhere."
    )
    address = f"{links.url('admin:tenants_auditentry_changelist')}?kind=entities"
    return [Notice("wait", sentence, links.Button(address, "List them") if access.may(Action.VIEW_AUDIT) else None)]


SOURCES: tuple[Source, ...] = (asked, decisions, unmapped_prices, customers, entities, reading)


def of(tenant: Tenant, access: Access) -> list[Notice]:
    """Every notice of a tenant, in the order of SOURCES."""
    return [notice for source in SOURCES for notice in source(tenant, access)]

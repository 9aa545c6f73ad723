"""The impact of a change of mappings in words, for the mapping screens: before it is saved."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from connector.errors import ConnectorError
from mappings.impact import Tally
from mappings.kinds import KIND_OF_MODEL
from mappings.planning import Change, plan
from mappings.screens import ON_A_PAGE, Limit, SavingScreen
from syncs.admin import words
from syncs.models import Posting
from syncs.states import DONE
from syncs.weighing import Weighed, weighed
from tenants.models import Tenant

COUNTED = 10_000  # posted documents that are looked through for a row
ACCOUNTS = 12  # accounts that are named
_SOURCE = {"items": "item", "taxes": "tax", "banks": "bank", "account_roles": "role"}


def impact_of(
    tenant: Tenant, changes: Sequence[Change], deleted: Sequence[Any] = (), /, *, limit: Limit = ON_A_PAGE
) -> list[str]:
    """One sentence for each thing that would happen; [] where nothing open is touched."""
    until = time.monotonic() + limit.seconds
    try:
        found = weighed(tenant, changes, deleted=deleted, now=timezone.now(), most=limit.documents, until=until)
    except (ObjectDoesNotExist, ConnectorError):
        return []  # nothing can be prepared without connections, so nothing is touched
    if not found.impact and found.looked_at == found.open_documents:
        return []
    return [*_sentences(found), *_stays(tenant, changes, deleted)]


def _sentences(found: Weighed) -> Iterable[str]:
    impact = found.impact
    if impact.released.count:
        yield f"{_tally(impact.released)} released{_accounts('; they land on', impact.gained)}."
    if impact.rerouted.count:
        yield f"{_tally(impact.rerouted)} coded anew{_accounts('; the change by account is', impact.moved)}."
    if impact.newly_held.count:
        yield f"{_tally(impact.newly_held)} held, for want of a mapping."
    if impact.still_held.count:
        yield f"{words.counted(impact.still_held.count, 'document')} stay held as before."
    if found.looked_at < found.open_documents:
        yield _of_the_newest(found)


def _of_the_newest(found: Weighed) -> str:
    newest = f"the newest {found.looked_at:,} of {found.open_documents:,} open documents"
    rest = "The others were not looked at, and follow when it is saved."
    return f"These figures are of {newest}. {rest}" if found.impact else f"It touches none of {newest}. {rest}"


def _tally(tally: Tally) -> str:
    money = ", ".join(words.money(minor, currency) for currency, minor in sorted(tally.minor.items()) if currency)
    return f"{words.counted(tally.count, 'document')} ({money}) will be"


def _accounts(intro: str, amounts: Counter[tuple[str, str]]) -> str:
    """'; they land on 4000: -1,200.00 EUR, …' with credits negative; the largest amounts come first."""
    largest = sorted(amounts.items(), key=lambda one: -abs(one[1]))
    told = [f"{account}: {words.money(minor, currency)}" for (account, currency), minor in largest[:ACCOUNTS]]
    more = f" and {len(largest) - ACCOUNTS} more" if len(largest) > ACCOUNTS else ""
    return f"{intro} {', '.join(told)}{more} (debit less credit)" if told else ""


def _stays(tenant: Tenant, changes: Sequence[Change], deleted: Sequence[Any]) -> Iterable[str]:
    """How many posted documents used the rows that change; they stay as they are."""
    rows = [one for one in plan(tenant.pk, changes) if one.row is not None and not one.is_unchanged]
    names = [f"{_SOURCE[one.change.kind]}:{one.row.pk}@" for one in rows if one.change.kind in _SOURCE]
    kinds = [(KIND_OF_MODEL[type(row)].name, row.pk) for row in deleted]
    names += [f"{_SOURCE[kind]}:{pk}@" for kind, pk in kinds if kind in _SOURCE]
    if not names or len(names) > 20:
        return
    wanted = Q()
    for name in names:
        wanted |= Q(text__contains=f'"{name}')
    newest = Posting.objects.filter(tenant=tenant, state__in=DONE).order_by("-pk").values("pk")[:COUNTED]
    used = Posting.objects.filter(pk__in=newest).annotate(text=Cast("document", TextField())).filter(wanted)
    count = used.count()
    if count:
        what = "it and stays as it is" if count == 1 else "it and stay as they are"
        yield f"{words.counted(count, 'posted document')} used {what}."


SavingScreen.impact_of = impact_of

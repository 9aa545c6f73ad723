"""Erase a person's values beside the audit trail and, of a customer, in the conflict log. The lines stay."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from django.db import transaction

from syncs.models import AlignedCustomer, CustomerConflict, LinkState
from tenants import erasing

_CUSTOMER = "customer:"
_OVER = (LinkState.DELETED, LinkState.MERGED, LinkState.CLEARED)
SENTENCE = "Its values were erased on request."
AGAIN = f"{SENTENCE} Replay reads both sides anew."


class Erased(NamedTuple):
    """How many rows were emptied beside the audit trail, and in the conflict log."""

    entries: int
    lines: int


def erase(tenant_id: int, subject: str, *, reason: str, actor: str, now: dt.datetime) -> Erased:
    """All of it or nothing; one line of the trail records it."""
    with transaction.atomic():
        lines = _erase_customer(tenant_id, subject.removeprefix(_CUSTOMER), now) if subject.startswith(_CUSTOMER) else 0
        elsewhere = {"conflict lines": lines} if lines else {}
        entries = erasing.erase(tenant_id, subject, reason=reason, actor=actor, now=now, elsewhere=elsewhere)
    return Erased(entries, lines)


def _erase_customer(tenant_id: int, key: str, now: dt.datetime) -> int:
    """What the pair itself remembers of a customer goes once nothing more is written for him."""
    pairs = AlignedCustomer.objects.filter(tenant=tenant_id, chargebee_id=key)
    pairs.filter(state__in=_OVER).update(base={}, wanted={}, pending=None)
    pairs.filter(state=LinkState.BLOCKED).update(reason=AGAIN)
    pairs.filter(state=LinkState.ALIGNED).update(reason="")
    lines = CustomerConflict.objects.filter(tenant=tenant_id, customer__chargebee_id=key, erased_at=None)
    return lines.update(chargebee_value="", qad_value="", base_value="", sentence=SENTENCE, erased_at=now)

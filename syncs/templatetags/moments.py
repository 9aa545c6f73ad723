"""Filters of our pages: moments in the tenant's zone, states as badges, audit lines in words."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import template
from django.utils.safestring import SafeString

from syncs.admin import figures, words
from syncs.admin.queue import outcome_badge as badge_of
from syncs.models import Attempt
from tenants.models import AuditEntry

register = template.Library()

_SPOKEN: dict[str, str] = {
    "replay-rebuild": "Rebuild asked for",
    "replay-resend": "Sending again asked for",
    "looked-up-by-hand": "Looked up in QAD",
    "looked-up": "Looked up in QAD",
    "sending": "Sending began",
    "ready": "Ready to be sent",
    "listed": "Read from Chargebee",
    "changed-in-chargebee": "Changed in Chargebee, read again",
    "coded": "Looked at: nothing new to post",
    "posted-outside": "Stays in QAD, though another tenant's now",
    "looked-at-again": "To be looked at again",
    "sent-again": "To be sent again as it was",
    "late": "A late answer arrived",
    "force-asked": "Sending again asked for",
    "force-approved": "Sending again approved",
    "force-refused": "Sending again refused",
    "force-withdrawn": "Request to send again withdrawn",
    "force-expired": "Request to send again expired",
    "ignore-ended": "No longer ignored",
    "marked-wrong-in-qad": "Called wrong in QAD",
    "surplus-named": "Surplus document named",
    "surplus-reversed": "Surplus document reversed in QAD",
    "verified": "Read back and the same",
    "noted": "Note",
    "ending": "To be taken back",
    "kept": "Not to be taken back after all",
}


@register.filter
def in_zone(at: dt.datetime, zone: str) -> str:
    return words.moment(at, zone)


@register.filter
def disposition_badge(name: str) -> SafeString:
    return words.badge(name, words.disposition_label(name))


@register.filter
def outcome_badge(attempt: Attempt) -> SafeString:
    return badge_of(attempt)


@register.filter
def spoken(action: str) -> str:
    """An action of the audit as a person says it."""
    said = _SPOKEN.get(action, action.replace("-", " ").replace("_", " "))
    return said[:1].upper() + said[1:]


@register.filter
def change(entry: AuditEntry) -> str:
    """'state: held → ready; qad: 10045': hashes and what the action says already are left out."""
    before = entry.before if isinstance(entry.before, dict) else {}
    after = entry.after if isinstance(entry.after, dict) else {}
    said = []
    for name in [*after, *(name for name in before if name not in after)]:
        old, new = _shown(name, before), _shown(name, after)
        if name in _LEFT_OUT or old == new or (name == "state" and new in (entry.action, "new")):
            continue
        label = _LABELS.get(name, name.replace("_", " "))
        said.append(f"{label}: {old} → {new}" if old and new else f"{label}: {old or new}")
    return "; ".join(said)


_LEFT_OUT = frozenset({"document", "version", "currency", "attempt", "note", "request", "was", "accepted", "is_ending"})
_LABELS = {"qad": "QAD number", "codes": "why"}


def _shown(name: str, values: dict[str, Any]) -> str:
    value = values.get(name)
    if name == "total" and isinstance(value, int):
        return words.money(value, str(values.get("currency") or ""))
    if name == "codes" and isinstance(value, list):
        return ", ".join(figures.TITLES.get(one, str(one).replace("-", " ")) for one in value)
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return "" if value is None else str(value)

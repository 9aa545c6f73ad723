"""What happened to a customer, line by line, in words: from the audit trail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from connector.ledger.party_fields import FIELDS
from syncs.admin import words
from syncs.models import AlignedCustomer
from tenants.models import AuditEntry

SHOWN = 200
_WORDS = {
    "listed": "Read from Chargebee for the first time",
    "changed-in-chargebee": "Changed in Chargebee",
    "linked": "Linked",
    "customer-link": "What is done with the pair changed",
    "customer-decided": "A person decided",
    "customer-replayed": "Replay was pressed",
    "created-in-chargebee": "Created in Chargebee",
    "personal-erased": "Personal values were erased",
}
_SIDES = {"chargebee": "Chargebee", "qad": "QAD"}
_HIDDEN = ("version", "codes", "side", "fields", "total", "currency", "status")  # of no use for a customer


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the timeline; `before` and `after` are values with their labels."""

    at: str
    actor: str
    what: str
    reason: str
    before: list[str]
    after: list[str]


def timeline(row: AlignedCustomer) -> list[Told]:
    """The newest first."""
    subject, zone = f"customer:{row.chargebee_id}", row.tenant.time_zone
    trail = AuditEntry.objects.filter(tenant=row.tenant_id, subject=subject).select_related("personal").order_by("-id")
    return [_told(entry, zone) for entry in trail[:SHOWN]]


def _told(entry: AuditEntry, zone: str) -> Told:
    personal = getattr(entry, "personal", None)
    before, after = list(_values(entry.before)), list(_values(entry.after))
    if personal is not None and personal.erased_at:
        after.append(f"Personal values were erased on {words.minute(personal.erased_at, zone)}.")
    elif personal is not None:
        before, after = [*before, *_values(personal.before)], [*after, *_values(personal.after)]
    return Told(words.minute(entry.at, zone), entry.actor, _what(entry), entry.reason, before, after)


def _what(entry: AuditEntry) -> str:
    if entry.action == "customer-written" and isinstance(entry.after, dict):
        return f"Written to {_SIDES.get(str(entry.after.get('side')), 'the other system')}"
    return _WORDS.get(entry.action) or entry.action.removeprefix("customer-").replace("-", " ").capitalize()


def _values(stored: Any) -> Iterator[str]:
    """'Company name: Acme'; nothing for what is empty."""
    for name, value in stored.items() if isinstance(stored, dict) else ():
        if name in _HIDDEN or value in ("", None, [], {}):
            continue
        label = FIELDS[name].label if name in FIELDS else name.replace("_", " ").capitalize()
        yield f"{label}: {', '.join(map(str, value)) if isinstance(value, list) else value}"

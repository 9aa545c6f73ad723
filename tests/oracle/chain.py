"""A document, its corrections and its reversal: the sum of the chain is Chargebee's current value."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from .books import Entry, mirrored
from .days import end_day, open_day
from .model import Document, Earlier, Mapping

Build = Callable[[Document, date | None], Entry]  # (document, posted on if known) -> its journal


def posted_versions(earlier: list[Earlier], build: Build, mapping: Mapping) -> list[Entry]:
    """Every version that was posted, each reversed by the next."""
    entries: list[Entry] = []
    for place, each in enumerate(earlier):
        journal = build(each.document, each.posted_on)
        entries = replaced(entries, journal, earlier[place - 1].reversed_on if place else None, mapping)
    return entries


def replaced(entries: list[Entry], journal: Entry, reversed_on: date | None, mapping: Mapping) -> list[Entry]:
    """The chain with `journal` standing last; a journal that changes nothing is not posted again."""
    if not entries:
        return [journal]
    standing = entries[-1]
    if not differs(standing, journal):
        return entries
    reversal = mirrored(standing, open_day(reversed_on or standing.date, mapping))
    return [*entries, reversal, replace(journal, part="correction")]


def changes(entries: list[Entry], journal: Entry) -> bool:
    return bool(entries) and differs(entries[-1], journal)


def differs(standing: Entry, journal: Entry) -> bool:
    """Judged by the document's own date: a posting date that a closed period moved is no change."""
    return any(getattr(standing, name) != getattr(journal, name) for name in ("lines", "moves", "own_day"))


def ended(entries: list[Entry], document: Document, mapping: Mapping) -> list[Entry]:
    """The chain with its last journal reversed on the day that the document was voided or deleted."""
    return [*entries, mirrored(entries[-1], open_day(end_day(document, mapping), mapping))]


def is_gone(document: Document) -> bool:
    return document.get("status") == "voided" or bool(document.get("deleted"))

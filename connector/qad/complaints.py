"""What an instance objects to, in its own words, and what a person can do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from connector.errors import Problem
from connector.qad.profile_shape import Meaning, Profile, Replies
from connector.qad.reading import as_text, at

# In this order: a text that fits two meanings has the first.
MEANINGS: tuple[Meaning, ...] = (
    "duplicate",
    "period_closed",
    "daybook_wrong",
    "no_rate",
    "account_currency",
    "dimension_not_allowed",
    "dimension_missing",
    "already_exists",
    "too_long",
    "inactive",
    "not_found",
    "unknown_code",
    "missing",
)

# Where it is mended (a screen of the admin), for what has one.
_LINKS = {
    "period_closed": "qad_lists",
    "daybook_wrong": "qad_connection",
    "no_rate": "qad_lists",
    "account_currency": "mappings",
    "dimension_missing": "mappings",
    "dimension_not_allowed": "mappings",
    "inactive": "mappings",
    "unknown_code": "mappings",
    "not_found": "mappings",
    "too_long": "qad_connection",
}

_FIXES = {
    "duplicate": "Look it up in QAD before anything is sent again.",
    "already_exists": "Look it up in QAD before anything is sent again.",
    "period_closed": "Open the period in QAD, or let the tenant's policy choose another date, then replay it.",
    "daybook_wrong": "Correct the daybook in the bank mapping or in the constants of the QAD profile, then replay it.",
    "no_rate": "Enter the exchange rate in QAD, then replay it.",
    "account_currency": "Map it to an account that takes the document's currency, then replay it.",
    "dimension_missing": "Add it to the mapping of that account, then replay it.",
    "dimension_not_allowed": "Take it out of the mapping of that account, then replay it.",
    "inactive": "Correct the mapping, or activate it in QAD, then replay it.",
    "unknown_code": "Correct the mapping, or activate the code in QAD, then replay it.",
    "not_found": "Create it in QAD or correct the mapping, then replay it.",
    "too_long": "Set the field's max_length in the QAD profile, then replay it.",
    "missing": "Give the field a value. QAD also says this of a code that it does not know: check that the code exists "
    "and is active there, then replay it.",
    "": "Correct the cause, then replay it.",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """One entry of an instance's list; `meaning` is '' where no pattern of the profile fits."""

    message: str
    code: str
    field: str
    value: str
    meaning: str

    def quoted(self) -> str:
        return f'"{self.message}"' + (f" (QAD code {self.code})" if self.code else "")


def complaints(answer: Any, profile: Profile) -> tuple[Complaint, ...]:
    """All that refuse."""
    replies = profile.replies
    entries = [entry for pointer in replies.errors for entry in _entries(at(answer, pointer))]
    return tuple(_complaint(entry, profile) for entry in entries if not _is_warning(entry, replies))


def warnings(answer: Any, profile: Profile) -> tuple[str, ...]:
    """What the instance remarks without refusing, each text once."""
    replies = profile.replies
    entries = [entry for pointer in replies.warnings for entry in _entries(at(answer, pointer))]
    entries += [
        entry for pointer in replies.errors for entry in _entries(at(answer, pointer)) if _is_warning(entry, replies)
    ]
    texts = (_complaint(entry, profile).message for entry in entries)
    return tuple(dict.fromkeys(text for text in texts if text))


def problem(complaint: Complaint, entity: str, profile: Profile) -> Problem:
    """The same for a person: what QAD says, of which field, and the next step."""
    about = _field_words(complaint.field, entity, profile)
    of = f" of {about}" if about else ""
    value = f" The value is '{complaint.value}'." if complaint.value else ""
    code = f"qad-{complaint.meaning.replace('_', '-')}" if complaint.meaning else "qad-refused"
    return Problem(
        code,
        about or entity,
        f"QAD says{of}: {complaint.quoted()}.{value}",
        _FIXES[complaint.meaning],
        _LINKS.get(complaint.meaning, ""),
    )


def _entries(found: Any) -> list[Any]:
    if isinstance(found, list):
        return [entry for entry in found if isinstance(entry, str | Mapping) and entry]
    return [found] if isinstance(found, str | Mapping) and found else []


def _is_warning(entry: Any, replies: Replies) -> bool:
    return isinstance(entry, Mapping) and as_text(entry.get(replies.severity)).lower() in replies.warning_severities


def _complaint(entry: Any, profile: Profile) -> Complaint:
    replies = profile.replies
    if isinstance(entry, str):
        return Complaint(entry[:500], "", "", "", _meaning(entry, profile))
    message = as_text(entry.get(replies.message))[:500] or as_text(entry.get(replies.code)) or "no text"
    return Complaint(
        message,
        as_text(entry.get(replies.code))[:40],
        as_text(entry.get(replies.field_name))[:100],
        as_text(entry.get(replies.field_value))[:100],
        _meaning(message, profile),
    )


def _meaning(message: str, profile: Profile) -> str:
    return next((meaning for meaning, pattern in _patterns(profile) if pattern.search(message)), "")


@lru_cache(maxsize=64)
def _patterns(profile: Profile) -> tuple[tuple[str, re.Pattern[str]], ...]:
    given = profile.replies.patterns
    return tuple(
        (meaning, re.compile(pattern, re.IGNORECASE)) for meaning in MEANINGS for pattern in given.get(meaning, ())
    )


def _field_words(theirs: str, entity: str, profile: Profile) -> str:
    """'posting date (PostingDate)' where the profile knows the field; instances are careless with its capitals."""
    if not theirs:
        return ""
    write = profile.write(entity)
    names = write.fields if write else {}
    ours = next((name for name, instance in names.items() if instance.lower() == theirs.lower()), "")
    return f"{ours.replace('_', ' ')} ({theirs})" if ours else f"field {theirs}"

"""What needs a person, by cause and by what it is about: one missing mapping may hold a thousand documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncs.admin import links, words
from syncs.admin.figures import STUCK_POSTINGS, STUCK_SOURCES, TITLES
from syncs.models import Kind, Posting, SourceDocument
from syncs.states import SourceState
from tenants.access import Access
from tenants.models import Tenant

READ = 50_000  # stuck documents that are grouped; the page says so if there are more
GROUPS_SHOWN = 200
DECIDED = ("conflict", "duplicate", "wrong-in-qad", "uncertain")  # Replay would leave these, or only look them up

Row = tuple[int, str, int | None, list[dict[str, str]]]


@dataclass(slots=True)
class Group:
    """Documents that share a problem with one thing."""

    code: str
    subject: str
    problem: dict[str, str]
    count: int = 0
    minor: Counter[str] = field(default_factory=Counter)

    @property
    def title(self) -> str:
        return TITLES.get(self.code, "")

    @property
    def money(self) -> list[str]:
        return [words.money(amount, currency) for currency, amount in sorted(self.minor.items()) if currency]


def groups(tenant: Tenant) -> tuple[list[Group], bool]:
    """The groups with the most documents first, and whether every stuck document was read."""
    found: dict[tuple[str, str], Group] = {}
    read = 0
    for _, currency, minor, problems in _stuck(tenant):
        read += 1
        for code, subject, problem in _named(problems):
            group = found.setdefault((code, subject), Group(code, subject, problem))
            group.count += 1
            group.minor[currency] += minor or 0
    ordered = sorted(found.values(), key=lambda one: (-one.count, one.code, one.subject))
    return ordered, read < READ


def about(tenant: Tenant, code: str, subject: str) -> list[int]:
    """Keys of the documents of one group."""
    return [
        pk
        for pk, _, _, problems in _stuck(tenant)
        if any((code, subject) == (found, named) for found, named, _ in _named(problems))
    ]


def _named(problems: Sequence[dict[str, str]]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Code and subject of each problem once. A posting's own problem is about what QAD said, not about its name."""
    seen = set()
    for problem in problems or [NO_REASON]:
        subject = problem["message"] if problem.get("link") == "document" else problem["subject"]
        key = (problem["code"], subject)
        if key not in seen:
            seen.add(key)
            yield *key, problem


NO_REASON = {
    "code": "no-reason",
    "subject": "No reason is recorded",
    "message": "No reason is recorded.",
    "fix": "Open the document: its story says what happened last. Then press Replay.",
    "link": "",
}


def _stuck(tenant: Tenant) -> Iterator[Row]:
    """Newest first: held and unreadable documents, then what QAD refused or what stopped on its way."""
    sources = SourceDocument.objects.filter(tenant=tenant, kind__in=Kind.values, state__in=STUCK_SOURCES)
    read = 0
    for row in sources.order_by("-pk").values_list("pk", "currency", "total_minor", "problems")[:READ].iterator():
        read += 1
        yield row
    postings = Posting.objects.filter(tenant=tenant, state__in=STUCK_POSTINGS, source__state=SourceState.CODED)
    names = ("source_id", "source__currency", "source__total_minor", "problems")
    seen: set[int] = set()
    for row in postings.order_by("-pk").values_list(*names)[: READ - read].iterator():
        if row[0] not in seen:
            seen.add(row[0])
            yield row


def shown(tenant: Tenant, access: Access) -> dict[str, Any]:
    """The page of everything that needs a person."""
    found, is_all = groups(tenant)
    return {
        "groups": [_row(group, access) for group in found[:GROUPS_SHOWN]],
        "more": max(0, len(found) - GROUPS_SHOWN),
        "is_all": is_all,
        "read": f"{READ:,}",
    }


def _row(group: Group, access: Access) -> dict[str, Any]:
    return {
        "group": group,
        "count": words.counted(group.count, "document"),
        "number": f"{group.count:,}",
        "money": group.money,
        "url": links.documents_url(about=f"{group.code}:{group.subject}"),
        "button": links.fix(group.problem, access),
        "fix": group.problem.get("fix", ""),
        "says": "" if group.problem.get("message") == group.subject else group.problem.get("message", ""),
        "may_retry": group.code not in DECIDED,
    }

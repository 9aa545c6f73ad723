"""What the replay buttons do: one call, then a turn for the lanes that go on with it, and a sentence with counts."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django_q.tasks import async_task

from connector.errors import ConnectorError
from syncs import replay, replay_jobs
from syncs.admin import words
from syncs.entities import entity_of
from syncs.fates import Deed, Way
from syncs.matching import judge
from syncs.models import Kind, Posting
from syncs.permission import why_not_posting
from tenants import audit, connections
from tenants.models import Tenant

AT_ONCE = 500  # documents that one request works on
LANES = ("prepare", "post", "sweep")


TONES = {Deed.REBUILT: "wait", Deed.RESENT: "wait", Deed.LOOKED_UP: "good", Deed.LEFT: "quiet"}
LABELS: dict[Way, str] = {Way.REBUILD: "Rebuild and post", Way.RESEND: "Send again as it was"}


def press(tenant: Tenant, way: Way, keys: Sequence[int], *, actor: str) -> str:
    """Replay these documents now, or in the background if they are many; returns the sentence for who asked."""
    if len(keys) > AT_ONCE:
        job = replay_jobs.ask(tenant, way, keys, now=timezone.now(), actor=actor)
        go_on(tenant, ("decisions",))
        handed = words.counted(len(keys), "document")
        why = why_not_posting(tenant)
        stays = f" Nothing goes out to QAD now: {why}" if why else ""
        return f"{handed} handed to the task queue as {job}; the overview shows how far it is.{stays}"
    counts = replay.replay(tenant, way, keys, now=timezone.now(), actor=actor)
    go_on(tenant)
    return sentence(counts, why_not_posting(tenant))


def shown(groups: Sequence[replay.Group]) -> list[dict[str, Any]]:
    """The groups of a plan as rows for a reader."""
    return [
        {
            "deed": group.fate.deed.value,
            "why": group.fate.why,
            "kind": Kind(group.kind).label,
            "currency": group.currency,
            "count": f"{group.count:,}",
            "money": words.digits(group.minor, group.currency) if words.has_money(group.kind) else "",
            "tone": TONES[group.fate.deed],
        }
        for group in groups
    ]


def go_on(tenant: Tenant, lanes: Sequence[str] = LANES) -> None:
    """Give the lanes a turn at once instead of at the next minute."""
    for lane in lanes:
        async_task("syncs.tasks.work", tenant.pk, lane)


def sentence(counts: Counter[str], why_not: str = "") -> str:
    """'Documents: 2 rebuilt, 1 looked up.' and what follows; `why_not` says why nothing may be sent now."""
    said = [f"{count:,} {name}" for name, count in counts.items() if count]
    if not said:
        return "Nothing was done: QAD neither refused these documents nor are they waiting for anything."
    looked = " What QAD has or may have is never sent again; it is looked up first." if counts[Deed.LOOKED_UP] else ""
    going = ""
    if counts[Deed.REBUILT] or counts[Deed.RESENT]:
        going = f" Nothing goes out to QAD now: {why_not}" if why_not else " What is ready is posted in the background."
    return f"Documents: {', '.join(said)}.{going}{looked}"


def look_up(tenant: Tenant, posting: Posting, *, actor: str) -> str:
    """Ask QAD for a posted document now and say what it has; nothing is changed. The network is used in here."""
    try:
        with connections.qad_client(tenant) as qad:
            found = qad.look_up(entity_of(posting), posting.reference)
    except ConnectorError as error:
        return f"QAD could not be asked: {error.message}"
    if not found:
        said = f"QAD does not show {posting.reference}."
    elif len(found) > 1:
        said = f"QAD has {posting.reference} more than once: {', '.join(one.number for one in found)}."
    elif differs := judge(posting, found[0]):
        said = f"QAD has {posting.reference} as {found[0].number}, but {'; '.join(differs)}."
    else:
        said = f"QAD has {posting.reference} as {found[0].number} with the same total, currency and customer."
    _note(tenant, posting, said, actor, timezone.now())
    return said


def _note(tenant: Tenant, posting: Posting, said: str, actor: str, now: dt.datetime) -> None:
    line = audit.Line("looked-up-by-hand", f"posting:{posting.reference}", reason=said)
    audit.record(tenant.pk, [line], actor=actor, now=now)

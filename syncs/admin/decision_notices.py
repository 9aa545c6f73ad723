"""What of people's decisions waits for somebody: requests for a second person, surplus in QAD, replays under way."""

from __future__ import annotations

from syncs.admin import links, words
from syncs.models import ForceRequest, ForceState, ReplayJob, Surplus
from tenants.access import Access, Action
from tenants.models import Tenant

SHOWN = 5


def requests(tenant: Tenant, access: Access) -> list[tuple[str, str, links.Button]]:
    """Tone, sentence and button of each notice."""
    rows = ForceRequest.objects.filter(tenant=tenant, state=ForceState.OPEN).select_related("posting")
    label = "Look at it" if access.may(Action.APPROVE_FORCE) else "Open"
    return [
        (
            "wait",
            f"{row.requested_name} asks to send {row.posting} again, which QAD may have. A second person must approve: "
            f"{row.reason}",
            links.Button(links.document_url(row.posting.source_id), label),
        )
        for row in rows.defer("posting__document").order_by("pk")[:SHOWN]
    ]


def surpluses(tenant: Tenant, access: Access) -> list[tuple[str, str, links.Button]]:
    count = Surplus.objects.filter(tenant=tenant, reversed_at=None).count()
    if not count:
        return []
    said = words.counted(count, "document is", "documents are")
    sentence = f"{said} one too many in QAD and must be reversed there."
    return [("bad", sentence, links.Button(links.url("admin:syncs_surplus_changelist"), "Show what to do"))]


def replays(tenant: Tenant, access: Access) -> list[tuple[str, str, links.Button]]:
    rows = ReplayJob.objects.filter(tenant=tenant, finished_at=None).defer("keys").order_by("pk")[:SHOWN]
    address = links.url("admin:syncs_replayjob_changelist")
    return [
        ("calm", f"{row} by {row.actor}: {row.done:,} of {row.total:,} documents done.", links.Button(address, "Open"))
        for row in rows
    ]

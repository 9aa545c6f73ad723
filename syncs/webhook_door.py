"""The address that Chargebee sends webhooks to: who are you, how much is it, stored, 200."""

from __future__ import annotations

from typing import Protocol

from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from connector.chargebee import webhook
from syncs import webhook_keys
from syncs.group_commit import GroupCommit, NotStored
from syncs.webhooks import Delivery, store_all

_READ_OFF = 16 * webhook.MOST_BYTES  # of a body that is too long, so that its sender hears the answer
_PIECE = 64 * 1024
_inbox = GroupCommit(store_all)  # of this process: its threads share a commit


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@csrf_exempt
@require_POST
def receive(request: HttpRequest, public_id: str) -> HttpResponse:
    """One answer for whoever may not send, whatever the reason. 5xx and 4xx make Chargebee send the event again."""
    offered = webhook_keys.shown(
        request.headers.get("Authorization", ""), request.GET.get(webhook_keys.TOKEN_PARAMETER, "")
    )
    credential = webhook_keys.recognised(public_id, offered)
    if credential is None:
        return _answer(
            401, "These are not the credentials of a webhook.", ("WWW-Authenticate", 'Basic realm="webhooks"')
        )
    try:
        body = _body(request)
    except (UnreadablePostError, OSError):
        return _answer(400, "The body ended too early.")
    if body is None:
        return _answer(413, "The body is longer than 1 MB.")
    notice = webhook.read(body)
    try:
        _inbox.put(Delivery(credential, notice, timezone.now()))
    except NotStored:
        return _answer(503, "It could not be stored. Send it again.")
    return _answer(422, notice.refusal) if notice.refusal else _answer(200, "Stored.")


def _body(request: HttpRequest) -> bytes | None:
    """The body, also one sent in chunks without a length; None if it is too long."""
    source: _Readable = request
    if not request.META.get("CONTENT_LENGTH") and request.META.get("wsgi.input_terminated"):
        source = request.META["wsgi.input"]
    body = source.read(webhook.MOST_BYTES + 1)
    if len(body) <= webhook.MOST_BYTES:
        return body
    left = _READ_OFF
    while left > 0 and (piece := source.read(_PIECE)):
        left -= len(piece)
    return None


def _answer(status: int, text: str, *headers: tuple[str, str]) -> HttpResponse:
    answer = HttpResponse(text + "\n", status=status, content_type="text/plain; charset=utf-8", headers=dict(headers))
    answer["Cache-Control"] = "no-store"
    return answer

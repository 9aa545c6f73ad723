"""What a sender of webhooks holds, and the events it sends."""

from __future__ import annotations

import base64
import json
from typing import Any

from django.test import Client
from django.utils import timezone

from syncs import webhook_keys
from syncs.models import Style, WebhookEndpoint
from syncs.webhook_keys import Made

NOW = timezone.now


def an_event(event_id: str = "ev_1", **fields: Any) -> dict[str, Any]:
    given = {
        "id": event_id,
        "object": "event",
        "api_version": "v2",
        "event_type": "invoice_updated",
        "occurred_at": int(NOW().timestamp()),
        "content": {"invoice": {"id": "INV-1", "object": "invoice", "total": 1250, "status": "paid"}},
        **fields,
    }
    return {name: value for name, value in given.items() if value is not None}


class Sender:
    """Chargebee's side of one tenant's webhook."""

    def __init__(self, tenant: Any, style: str = Style.BASIC) -> None:
        self.tenant = tenant
        self.made: Made = webhook_keys.make(tenant, style, actor="test", now=NOW())
        self.path = "/webhooks/" + WebhookEndpoint.objects.get(tenant=tenant).public_id
        self.client = Client()

    @property
    def pair(self) -> str:
        return f"{self.made.row.username}:{self.made.secret}"

    def send(self, event: Any, *, pair: str | None = None, path: str = "", **headers: Any) -> Any:
        """A delivery; `pair` is another user and password, '' none at all."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        shown = self.pair if pair is None else pair
        if shown:
            headers["HTTP_AUTHORIZATION"] = basic(shown)
        return self.client.post(path or self.path, body, content_type="application/json", **headers)


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()

"""Who may send webhooks: credentials made by us, shown once, kept as keyed hashes, two valid at a time."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from connector.errors import Configuration
from syncs.models import Style, WebhookCredential, WebhookEndpoint
from tenants import audit
from tenants.models import Tenant

SLOTS = (1, 2)
TOKEN_PARAMETER = "token"  # noqa: S105 - the parameter's name; connector/http/redact.py masks its value
_SECRET_BYTES = 32  # so much chance that a plain keyed hash of it cannot be guessed
_DIGEST = "sha256"
_PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{1,32}\Z")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a sender shows; with a secret in the address there is no user name."""

    style: str
    username: str
    password: str

    def __repr__(self) -> str:
        return f"Shown({self.style})"


@dataclass(frozen=True, slots=True)
class Made:
    """A new credential with its secret, which nobody can read again."""

    row: WebhookCredential
    secret: str

    def __repr__(self) -> str:
        return f"Made({self.row.pk})"


NOBODY = Shown("", "", "")


@sensitive_variables()
def shown(authorization: str, token: str) -> Shown:
    """What a request shows: Basic authentication, or else a secret in its address."""
    kind, _, encoded = authorization.partition(" ")
    if kind.lower() == "basic":
        try:
            username, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return NOBODY
        return Shown(Style.BASIC, username, password) if colon else NOBODY
    return Shown(Style.URL_TOKEN, "", token) if token else NOBODY


@sensitive_variables()
def recognised(public_id: str, offered: Shown) -> WebhookCredential | None:
    """The valid credential that a sender shows for an endpoint.

    The work is the same for every wrong sender: as many digests of one length, compared in constant time, the
    password also where the user name is wrong, and against invented ones where there are no rows.
    """
    rows = list(
        WebhookCredential.objects.filter(
            tenant__webhook_endpoint__public_id=public_id if _PUBLIC_ID.match(public_id) else "", retired_at=None
        ).select_related("tenant")[: len(SLOTS)]
    )
    found = None
    for row in (rows + [_INVENTED] * len(SLOTS))[: len(SLOTS)]:
        salt = bytes(row.salt)
        is_user = hmac.compare_digest(_digest(salt, offered.style, offered.username), bytes(row.username_digest))
        is_secret = hmac.compare_digest(_digest(salt, offered.style, offered.password), bytes(row.password_digest))
        if is_user & is_secret and row is not _INVENTED:
            found = row
    return found


def endpoint_of(tenant: Tenant, *, actor: str, now: dt.datetime) -> WebhookEndpoint:
    """The tenant's endpoint, made if need be."""
    with transaction.atomic():
        row, is_new = WebhookEndpoint.objects.get_or_create(
            tenant=tenant, defaults={"public_id": secrets.token_urlsafe(18), "created_at": now}
        )
        if is_new:
            audit.record(tenant.pk, [audit.Line("webhook.added", f"webhook:{row.pk}")], actor=actor, now=now)
    return row


@sensitive_variables()
def make(tenant: Tenant, style: str, *, actor: str, now: dt.datetime) -> Made:
    """One more credential. Raises Configuration while two are valid."""
    endpoint_of(tenant, actor=actor, now=now)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    username = f"chargebee-{secrets.token_hex(4)}" if style == Style.BASIC else ""
    salt = secrets.token_bytes(32)
    with transaction.atomic():
        Tenant.objects.select_for_update().get(pk=tenant.pk)
        taken = set(_valid(tenant).values_list("slot", flat=True))
        free = [slot for slot in SLOTS if slot not in taken]
        if not free:
            raise Configuration("Two webhook credentials are valid already. Retire the one that is no longer used.")
        row = WebhookCredential.objects.create(
            tenant=tenant,
            slot=free[0],
            style=style,
            username=username,
            salt=salt,
            username_digest=_digest(salt, style, username),
            password_digest=_digest(salt, style, secret),
            created_at=now,
        )
        line = audit.Line("webhook-credential.added", f"webhook-credential:{row.pk}", after=_facts(row))
        audit.record(tenant.pk, [line], actor=actor, now=now)
    return Made(row, secret)


def retire(tenant: Tenant, pk: int, *, actor: str, now: dt.datetime) -> bool:
    """End a credential at once; False if there is no such valid one."""
    with transaction.atomic():
        row = _valid(tenant).filter(pk=pk).first()
        if row is None or not _valid(tenant).filter(pk=pk).update(retired_at=now):
            return False
        line = audit.Line("webhook-credential.retired", f"webhook-credential:{pk}", before=_facts(row))
        audit.record(tenant.pk, [line], actor=actor, now=now)
    return True


def _valid(tenant: Tenant) -> Any:
    return WebhookCredential.objects.filter(tenant=tenant, retired_at=None)


def _facts(row: WebhookCredential) -> dict[str, Any]:
    return {"style": row.style, "username": row.username, "slot": row.slot}


def _digest(salt: bytes, style: str, text: str) -> bytes:
    return hmac.digest(salt, f"{style}\0{text}".encode("utf-8", "surrogatepass"), _DIGEST)


_INVENTED = WebhookCredential(
    salt=secrets.token_bytes(32), username_digest=secrets.token_bytes(32), password_digest=secrets.token_bytes(32)
)

"""Who may come in: password and refresh grants with an absolute and an idle life, and Basic."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
from dataclasses import dataclass
from urllib.parse import parse_qsl

from connector.sandbox.qad.company import Company
from connector.sandbox.wire import Request, Response, reply_json

USER, PASSWORD, CLIENT_ID = "connector", "sandbox-password", "sandbox-client"


@dataclass(slots=True)
class _Session:
    started_at: dt.datetime
    used_at: dt.datetime


class Login:
    """Access and refresh tokens; `revoke_all` ends every session, as an administrator or a restart does."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.password = PASSWORD
        self._access: dict[str, _Session] = {}
        self._refresh: dict[str, dt.datetime] = {}
        self._issued = 0

    def grant(self, request: Request) -> Response:
        """The token endpoint; parameters in the form or in the query, as both are in use."""
        sent = {**dict(request.query), **dict(parse_qsl(request.body.decode("utf-8", "replace")))}
        if sent.get("client_id") != CLIENT_ID:
            return _refusal("invalid_client", "Bad client credentials", 401)
        kind = sent.get("grant_type")
        if kind == "password":
            if (sent.get("username"), sent.get("password")) != (USER, self.password):
                return _refusal("invalid_grant", "Bad credentials")
            return self._issue(self.company.clock.now())
        if kind == "refresh_token":
            started_at = self._refresh.pop(sent.get("refresh_token", ""), None)
            if started_at is None or self._is_over(started_at):
                return _refusal("invalid_grant", "Invalid refresh token")
            return self._issue(started_at)
        return _refusal("unsupported_grant_type", f"Unsupported grant type: {kind}")

    def admits(self, request: Request) -> bool:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._admits_token(value.strip())
        return scheme.lower() == "basic" and self.company.modes.basic_auth and self.knows(value)

    def knows(self, credentials: str) -> bool:
        """Basic credentials as they stand in the header."""
        try:
            user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return (user, password) == (USER, self.password)

    def revoke_all(self) -> None:
        self._access.clear()
        self._refresh.clear()

    def revoke_access(self) -> None:
        """Refresh tokens go on working."""
        self._access.clear()

    def _admits_token(self, token: str) -> bool:
        session = self._access.get(token)
        if session is None:
            return False
        now, idle = self.company.clock.now(), self.company.modes.idle_minutes * 60
        if self._is_over(session.started_at) or (now - session.used_at).total_seconds() > idle:
            del self._access[token]
            return False
        session.used_at = now
        return True

    def _is_over(self, started_at: dt.datetime) -> bool:
        age = (self.company.clock.now() - started_at).total_seconds()
        return age > self.company.modes.session_minutes * 60

    def _issue(self, started_at: dt.datetime) -> Response:
        """A refreshed token keeps the start of its session: the absolute life is the session's."""
        self._issued += 1
        access, refresh = _token("access", self._issued), _token("refresh", self._issued)
        now = self.company.clock.now()
        self._access[access] = _Session(started_at, now)
        self._refresh[refresh] = started_at
        left = self.company.modes.session_minutes * 60 - int((now - started_at).total_seconds())
        value = {"access_token": access, "refresh_token": refresh, "token_type": "bearer", "expires_in": left}
        return reply_json(200, value)


def _token(kind: str, number: int) -> str:
    return hashlib.sha256(f"{kind}:{number}".encode()).hexdigest()


def _refusal(error: str, text: str, status: int = 400) -> Response:
    return reply_json(status, {"error": error, "error_description": text})

"""Who we are in each call: a token fetched by form body and renewed in time, a fixed token, or Basic."""

from __future__ import annotations

import base64
import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import urlencode

from connector.errors import Authentication, Configuration, Transient, Uncertain
from connector.http.retry import parse_retry_after
from connector.http.session import Call, Http, Reply
from connector.qad import reading
from connector.qad.profile_shape import Auth

Clock = Callable[[], dt.datetime]
_FIX = "Check the credentials of the QAD connection, then test it."


@dataclass(frozen=True, slots=True)
class Credentials:
    """`token` is a tenant's own fixed token; `client_id` wins over the profile's."""

    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """What the instance gave. A refreshed token belongs to the session of its first sign-in.

    `ends_at` is None where neither the instance nor the profile says.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    started_at: dt.datetime
    obtained_at: dt.datetime
    ends_at: dt.datetime | None


class TokenStore(Protocol):
    """Where a token outlives a client: memory here, an encrypted row for several processes."""

    def load(self) -> Token | None: ...

    def save(self, token: Token | None) -> None: ...


class MemoryTokens:
    """For one process."""

    def __init__(self) -> None:
        self._token: Token | None = None

    def load(self) -> Token | None:
        return self._token

    def save(self, token: Token | None) -> None:
        self._token = token


class Session:
    """Headers of one connection, safe between threads: one of them renews, the others wait for the new token."""

    def __init__(
        self,
        http: Http,
        base_url: str,
        auth: Auth,
        credentials: Credentials,
        *,
        now: Clock,
        tokens: TokenStore | None = None,
        deadline: float = 30.0,
    ) -> None:
        self._http, self._url = http, base_url + auth.token_path
        self._auth, self._credentials = auth, credentials
        self._now, self._deadline = now, deadline
        self._tokens: TokenStore = tokens or MemoryTokens()
        self._lock = threading.Lock()
        self._used_at: dt.datetime | None = None

    @property
    def can_renew(self) -> bool:
        return self._auth.style == "oauth2_password"

    def sign_in(self) -> None:
        """Makes sure that a token is at hand. Raises Authentication, Configuration or Transient."""
        self.authorization()

    def authorization(self) -> str:
        """The header's value for a call made now."""
        if self._auth.style == "basic":
            return f"Basic {self._basic()}"
        if self._auth.style == "bearer":
            return f"Bearer {self._fixed_token()}"
        with self._lock:
            token = self._tokens.load()
            if token is None or not self._lives(token):
                token = self._renewed(token)
            self._used_at = self._now()
        return f"Bearer {token.access}"

    def renew(self, refused: str) -> str:
        """Another header than the `refused` one; a thread that comes late takes what an earlier one got."""
        with self._lock:
            token = self._tokens.load()
            if token is None or f"Bearer {token.access}" == refused:
                token = self._renewed(token)
            self._used_at = self._now()
        return f"Bearer {token.access}"

    def forget(self) -> None:
        """The next call signs in with the password, as a test of the credentials must."""
        with self._lock:
            self._tokens.save(None)

    def secrets(self, authorization: str) -> tuple[str, ...]:
        """Literal texts that no record of a call may show."""
        given = (self._credentials.password, self._credentials.token, authorization.partition(" ")[2])
        return tuple(text for text in given if text)

    def _lives(self, token: Token) -> bool:
        soon = self._now() + dt.timedelta(seconds=self._auth.refresh_margin_seconds)
        if token.ends_at is not None and soon >= token.ends_at:
            return False
        idle_since = max(token.obtained_at, self._used_at or token.obtained_at)
        idle = self._auth.idle_seconds
        return not idle or soon < idle_since + dt.timedelta(seconds=idle)

    def _renewed(self, token: Token | None) -> Token:
        fresh = self._refreshed(token) if token is not None and token.refresh else None
        fresh = fresh or self._signed_in()
        self._tokens.save(fresh)
        return fresh

    def _refreshed(self, token: Token) -> Token | None:
        """None where the refresh token has lived too long: the password is next."""
        try:
            fresh = self._grant(token.started_at, grant_type="refresh_token", refresh_token=token.refresh)
        except Authentication:
            return None
        fresh = fresh if fresh.refresh else replace(fresh, refresh=token.refresh)
        return fresh if self._lives(fresh) else None

    def _signed_in(self) -> Token:
        if not self._credentials.username or not self._credentials.password:
            raise Configuration("The QAD connection has no user name or password. Enter both under QAD connection.")
        return self._grant(
            None, grant_type="password", username=self._credentials.username, password=self._credentials.password
        )

    def _grant(self, started_at: dt.datetime | None, **parameters: str) -> Token:
        """By form body only: a query string would end up in every log on the way."""
        form = {"client_id": self._credentials.client_id or self._auth.client_id, **parameters}
        call = Call(
            "POST",
            self._url,
            {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            body=urlencode(form).encode(),
            secrets=tuple(text for name, text in parameters.items() if name in ("password", "refresh_token")),
            deadline=self._deadline,
        )
        try:
            reply = self._http.call(call)
        except Uncertain as error:  # a token that nobody received harms nobody
            raise Transient(error.message, exchange=error.exchange) from None
        now = self._now()
        return self._token(reply, started_at or now, now)

    def _token(self, reply: Reply, started_at: dt.datetime, now: dt.datetime) -> Token:
        answer = _parsed(reply)
        access = reading.as_text(answer.get("access_token")) if isinstance(answer, dict) else ""
        if reply.status in (200, 201) and access:
            refresh = reading.as_text(answer.get("refresh_token"))
            return Token(access, refresh, started_at, now, self._end(answer, started_at, now))
        raise _failure(reply, answer, self._auth.token_path, now)

    def _end(self, answer: dict[str, Any], started_at: dt.datetime, now: dt.datetime) -> dt.datetime | None:
        ends = []
        if self._auth.session_seconds:
            ends.append(started_at + dt.timedelta(seconds=self._auth.session_seconds))
        told = reading.as_amount(answer.get("expires_in"))
        if told is not None and 0 < told < 10**9:
            ends.append(now + dt.timedelta(seconds=int(told)))
        return min(ends, default=None)

    def _basic(self) -> str:
        if not self._credentials.username:
            raise Configuration("The QAD connection has no user name. Enter it under QAD connection.")
        return base64.b64encode(f"{self._credentials.username}:{self._credentials.password}".encode()).decode()

    def _fixed_token(self) -> str:
        if not self._credentials.token:
            raise Configuration("The QAD connection has no token. Enter it under QAD connection.")
        return self._credentials.token


def _parsed(reply: Reply) -> Any:
    try:
        return reading.parse(reply.content)
    except ValueError:
        return None


def _failure(reply: Reply, answer: Any, path: str, now: dt.datetime) -> Exception:
    says = f"HTTP {reply.status}: {_oauth_words(answer) or reading.excerpt(reply.content)}"
    if reply.status in (408, 425, 429) or reply.status >= 500:
        wait = parse_retry_after(reading.header(reply.headers, "Retry-After"), now)
        return Transient(f"QAD cannot sign us in now ({says}).", exchange=reply.exchange, retry_after=wait)
    if isinstance(answer, dict) and reply.status in (400, 401, 403):
        return Authentication(f"QAD refuses to sign us in ({says}). {_FIX}", exchange=reply.exchange)
    if reply.status == 401:
        return Authentication(f"QAD refuses to sign us in ({says}). {_FIX}", exchange=reply.exchange)
    return Configuration(
        f"There is no token service at {path} below the base URL ({says}). Correct the base URL of the QAD connection "
        f"or auth.token_path in the QAD profile.",
        exchange=reply.exchange,
    )


def _oauth_words(answer: Any) -> str:
    """Of an OAuth refusal, its error and description; nothing else of a token answer is ever quoted."""
    if not isinstance(answer, dict):
        return ""
    words = [reading.as_text(answer.get(name)) for name in ("error", "error_description")]
    return ", ".join(word[:200] for word in words if word) or "an answer without a token"

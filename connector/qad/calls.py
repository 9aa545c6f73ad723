"""One call to the instance: address, workspace and identity added; 401 renews once, reads never leave doubt."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from connector.errors import Authentication, Configuration, Transient, Uncertain
from connector.http.retry import parse_retry_after
from connector.http.session import Call, Http, Reply
from connector.qad import reading
from connector.qad.auth import Clock, Session
from connector.qad.closed import forbidden_word, refusal
from connector.qad.complaints import complaints
from connector.qad.profile_shape import Profile
from connector.qad.replies import is_own_401
from connector.qad.substitute import filled

Pairs = Sequence[tuple[str, str]]
_NOBODY_THERE = frozenset({404, 405, 410, 501})
_LEAST_SECONDS = 1.0  # a second attempt with less than this left would only end in doubt


class Calls:
    """`workspace` is the header's value; '' takes the profile's template."""

    def __init__(
        self, http: Http, base_url: str, profile: Profile, session: Session, *, workspace: str, now: Clock
    ) -> None:
        self._http, self._base_url = http, checked_base_url(base_url)
        self._profile, self._session, self._now = profile, session, now
        context = profile.context
        self._workspace = {context.header: workspace or filled(context.header_value, context)} if context.header else {}

    def send(self, method: str, path: str, query: Pairs, *, deadline: float, **sent: Any) -> Reply:
        """`sent`: headers, body. The whole answer, whatever it says; sent again only after a 401 of QAD's own."""
        began = time.monotonic()
        authorization = self._session.authorization()
        reply = self._once(method, path, query, authorization, deadline, **sent)
        if reply.status != 401 or not self._session.can_renew or not is_own_401(reply.headers, reply.content):
            return reply
        authorization = self._session.renew(authorization)
        left = deadline - (time.monotonic() - began)
        if left < _LEAST_SECONDS:
            raise Transient("QAD ended the session and no time was left to try again.", exchange=reply.exchange)
        return self._once(method, path, query, authorization, left, **sent)

    def get(self, path: str, query: Pairs, *, about: str, deadline: float) -> Any:
        """The parsed answer of a read. `about` names the place in the profile that a person would change.

        Raises Configuration, Authentication or Transient; a read leaves nothing behind and is never Uncertain.
        """
        return self._answer(self._read(path, query, deadline), path, about)

    def get_or_none(self, path: str, query: Pairs, *, about: str, deadline: float) -> Any:
        """The same, None where the instance says that there is no such record."""
        reply = self._read(path, query, deadline)
        return None if self._means_missing(reply) else self._answer(reply, path, about)

    def _read(self, path: str, query: Pairs, deadline: float) -> Reply:
        try:
            return self.send("GET", path, query, deadline=deadline, headers={"Accept": "application/json"})
        except Uncertain as error:
            raise Transient(error.message, exchange=error.exchange) from None

    def _once(
        self,
        method: str,
        path: str,
        query: Pairs,
        authorization: str,
        deadline: float,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> Reply:
        return self._http.call(
            Call(
                method,
                self._base_url + path,
                {**headers, **self._workspace, "Authorization": authorization},
                params=tuple(query),
                body=body,
                secrets=self._session.secrets(authorization),
                deadline=deadline,
            )
        )

    def _answer(self, reply: Reply, path: str, about: str) -> Any:
        answer = reading.document(reply.headers, reply.content)
        is_json = answer is not None
        if 200 <= reply.status < 300 and is_json:
            return answer
        says = f"HTTP {reply.status}: {reading.excerpt(reply.exchange.reply_body.encode())}"
        if reply.status in (408, 425, 429) or (reply.status >= 500 and reply.status != 501):
            wait = parse_retry_after(reading.header(reply.headers, "Retry-After"), self._now())
            raise Transient(f"QAD cannot answer now ({says}).", exchange=reply.exchange, retry_after=wait)
        if reply.status == 401 and is_own_401(reply.headers, reply.content):
            raise Authentication(
                f"QAD does not accept the credentials ({says}). Check them under QAD connection.",
                exchange=reply.exchange,
            )
        if reply.status == 403 and is_json:
            raise Authentication(
                f"QAD does not allow {path} ({says}). Give the connector's QAD user the right to read it, "
                f"and check the workspace of the QAD connection.",
                exchange=reply.exchange,
            )
        if reply.status in _NOBODY_THERE or (is_json and 400 <= reply.status < 500):
            raise Configuration(
                f"QAD does not answer at {path} as the profile expects ({says}). Correct {about} in the QAD profile, "
                f"or the base URL of the QAD connection, then test the connection.",
                exchange=reply.exchange,
            )
        raise Transient(
            f"Something other than QAD's answer came back from {path} ({says}). A gateway or login page may stand "
            f"before the instance.",
            exchange=reply.exchange,
        )

    def _means_missing(self, reply: Reply) -> bool:
        if reply.status not in (400, 404, 422):
            return False
        found = complaints(reading.document(reply.headers, reply.content), self._profile)
        return any(complaint.meaning == "not_found" for complaint in found)


def checked_base_url(base_url: str) -> str:
    """Without a slash at the end. Raises Configuration for one that a profile's paths cannot be put behind."""
    parts = urlsplit(base_url)
    word = forbidden_word(parts.path)
    if word:
        raise Configuration(f"The base URL '{base_url}' is refused. {refusal(word)}")
    if parts.query or parts.fragment:
        raise Configuration(f"The base URL '{base_url}' must end with its path. Remove what follows '?' or '#'.")
    return base_url.rstrip("/")


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)

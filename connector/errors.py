"""What can go wrong: a user's problem is a value, a broken world is one of six exceptions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing a person must know or mend.

    `code` is stable and short (`item-not-mapped`); `subject` names the thing (`Item price 'pro-EUR-Monthly'`);
    `message` is one sentence with the value in it; `fix` is the next step and where to take it.
    `link` is the name of the screen that mends it (a key of the table in `syncs.admin`), '' if there is none.
    """

    code: str
    subject: str
    message: str
    fix: str
    link: str = ""

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()


def clause(words: str) -> str:
    """Somebody else's words inside a sentence of ours: without a full stop of their own."""
    return words.rstrip(" .")


class ConnectorError(Exception):
    """Root of the six. `exchange` is the redacted request and reply (http.exchange.Exchange) where there was one."""

    def __init__(self, message: str, *, exchange: object | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.exchange = exchange


class Transient(ConnectorError):
    """Nothing was applied: no byte was sent, a read failed, or the other side said "later". Try again.

    `retry_after` is in seconds, where the other side named a time.
    """

    def __init__(self, message: str, *, exchange: object | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, exchange=exchange)
        self.retry_after = retry_after


class Uncertain(ConnectorError):
    """A write may have been applied: bytes were sent and no trustworthy answer came back. Look it up, never resend."""


class Authentication(ConnectorError):
    """The other side refuses who we are or what we may do (401, 403). Stop the connection, tell a person."""


class Configuration(ConnectorError):
    """What was set up cannot work: a wrong path, host, profile or key. Only a person can mend it."""


class Rejected(ConnectorError):
    """The other side understood and said no; nothing was applied. `problems` says why, one for each complaint."""

    def __init__(self, message: str, *, exchange: object | None = None, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message, exchange=exchange)
        self.problems = problems


class Conflict(ConnectorError):
    """Two truths: what is found there is not what we hold here. Never resolved by the machine."""

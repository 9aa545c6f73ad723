"""What a reply to a write proves. Success is read from the body, a page of HTML is never data, doubt is Uncertain."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from connector.errors import Authentication, Configuration, Conflict, Problem, Rejected, Transient, Uncertain
from connector.http.exchange import Exchange
from connector.http.retry import parse_http_date, parse_retry_after
from connector.qad import reading
from connector.qad.complaints import Complaint, complaints, problem, warnings
from connector.qad.payloads import WriteRequest
from connector.qad.profile_shape import Profile

_WRONG_ADDRESS = frozenset({404, 405, 406, 410, 415})  # nobody there who could have applied it
_TOO_LARGE = frozenset({413, 414, 431})
_DOUBTFUL = frozenset({408, 409, 425, 429})


@dataclass(frozen=True, slots=True)
class Receipt:
    """What QAD made of a document. `exchange` is the redacted call that proves it."""

    number: str
    year: str
    daybook: str
    voucher: str
    posting_date: dt.date | None
    warnings: tuple[str, ...] = ()
    exchange: object | None = None


@dataclass(frozen=True, slots=True)
class _Reply:
    profile: Profile
    entity: str
    status: int
    headers: Mapping[str, str]
    content: bytes
    sent: WriteRequest | None
    exchange: object | None

    @property
    def says(self) -> str:
        return f"HTTP {self.status}: {reading.excerpt(self.told)}"

    @property
    def told(self) -> bytes:
        """The body as it may be quoted: redacted, where the call was recorded."""
        return self.exchange.reply_body.encode() if isinstance(self.exchange, Exchange) else self.content


def read(
    profile: Profile,
    entity: str,
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    *,
    sent: WriteRequest | None = None,
    exchange: object | None = None,
) -> Receipt:
    """The receipt, or one of the six exceptions: only Uncertain and Conflict leave open whether QAD holds it.

    `sent` is what an echo of reference and total is compared with.
    """
    reply = _Reply(profile, entity, status, headers, content, sent, exchange)
    _by_status(reply)
    try:
        answer = reading.parse(content)
    except ValueError:
        raise Uncertain(f"QAD's answer to '{entity}' is no readable JSON ({reply.says}).", exchange=exchange) from None
    found = complaints(answer, profile)
    if found:  # what is quoted to people comes from the redacted body
        found = complaints(_parsed(reply.told, answer), profile) or found
    if any(complaint.meaning in ("duplicate", "already_exists") for complaint in found):
        words = "; ".join(complaint.quoted() for complaint in found)
        raise Uncertain(f"QAD may hold this already: {words}.", exchange=exchange)
    verdict = _verdict(answer, found, profile)
    record = _record(answer, reply)
    number = reading.as_text(_own(record, reply, "number")).strip()
    if verdict == "yes" and not found and status in profile.replies.statuses:
        return _receipt(record, number, answer, reply)
    if number or (verdict == "yes" and found):
        raise Uncertain(f"QAD's answer to '{entity}' contradicts itself ({reply.says}).", exchange=exchange)
    if found or verdict == "no":
        raise _rejection(found, reply)
    raise Uncertain(f"QAD's answer to '{entity}' says neither yes nor no ({reply.says}).", exchange=exchange)


def _by_status(reply: _Reply) -> None:
    """Raises what the status alone decides."""
    status = reply.status
    if status == 401 and is_own_401(reply.headers, reply.content):
        _refuse(reply, Authentication, "QAD does not accept the credentials", "Check them under QAD connection.")
    if status == 403 and reading.document(reply.headers, reply.content) is not None:
        fix = f"Give the connector's QAD user the right to create '{reply.entity}', then test the connection."
        _refuse(reply, Authentication, f"QAD does not allow '{reply.entity}'", fix)
    if status in _WRONG_ADDRESS:
        _wrong_address(reply)
    if status in _TOO_LARGE:
        raise _rejection((), reply)
    if status in reply.profile.replies.not_processed_statuses:
        wait = _retry_after(reply.headers)
        raise Transient(f"QAD says it is busy ({reply.says}).", exchange=reply.exchange, retry_after=wait)
    if status < 200 or 300 <= status < 400 or status >= 500 or status in _DOUBTFUL or status in (401, 403):
        raise Uncertain(f"QAD's answer proves nothing ({reply.says}).", exchange=reply.exchange)
    if reading.is_html(reply.headers, reply.content):
        raise Uncertain(f"A web page came back instead of QAD's answer ({reply.says}).", exchange=reply.exchange)


def _parsed(content: bytes, otherwise: Any) -> Any:
    try:
        return reading.parse(content)
    except ValueError:  # cut short when it was recorded
        return otherwise


def is_own_401(headers: Mapping[str, str], content: bytes) -> bool:
    """From QAD or the server it runs in, not from a gateway's login page: proof that nothing was applied."""
    return bool(reading.header(headers, "WWW-Authenticate")) or not reading.is_html(headers, content)


def _refuse(reply: _Reply, kind: type[Authentication], what: str, fix: str) -> NoReturn:
    raise kind(f"{what} ({reply.says}). {fix}", exchange=reply.exchange)


def _wrong_address(reply: _Reply) -> NoReturn:
    write = reply.profile.write(reply.entity)
    path = reply.sent.path if reply.sent else (write.path if write else "?")
    raise Configuration(
        f"QAD has no '{reply.entity}' at the path {path} ({reply.says}). "
        f"Correct writes.{reply.entity}.path in the QAD profile, or the base URL of the QAD connection, "
        f"then test the connection.",
        exchange=reply.exchange,
    )


def _verdict(answer: Any, found: tuple[Complaint, ...], profile: Profile) -> str:
    """'yes', 'no' or '' where the answer does not say. Without a pointer to success only a complaint says no."""
    replies = profile.replies
    if not replies.success:
        return "no" if found else "yes"
    value = reading.at(answer, replies.success)
    word = str(value).lower() if isinstance(value, bool) else reading.as_text(value).strip().lower()
    if word in replies.success_values:
        return "yes"
    return "no" if word in replies.refusal_values else ""


def _record(answer: Any, reply: _Reply) -> Any:
    write = reply.profile.write(reply.entity)
    return reading.at(answer, reply.profile.replies.record.replace("{collection}", write.collection if write else ""))


def _own(record: Any, reply: _Reply, field: str) -> Any:
    write = reply.profile.write(reply.entity)
    return reading.pluck(record, getattr(write.receipt, field)) if write else None


def _receipt(record: Any, number: str, answer: Any, reply: _Reply) -> Receipt:
    if not number:
        raise Uncertain(
            f"QAD says yes to '{reply.entity}' but names no number ({reply.says}).", exchange=reply.exchange
        )
    _compare_echo(record, reply)
    values = reply.profile.values
    return Receipt(
        number=number,
        year=reading.as_text(_own(record, reply, "year")),
        daybook=reading.as_text(_own(record, reply, "daybook")),
        voucher=reading.as_text(_own(record, reply, "voucher")),
        posting_date=reading.as_date(_own(record, reply, "posting_date"), values.dates),
        warnings=warnings(answer, reply.profile),
        exchange=reply.exchange,
    )


def _compare_echo(record: Any, reply: _Reply) -> None:
    if reply.sent is None:
        return
    reference = _own(record, reply, "reference")
    if isinstance(reference, str) and reference and reply.sent.reference and reference != reply.sent.reference:
        raise Conflict(
            f"QAD answered '{reply.sent.reference}' with the document '{reference}'. "
            f"Compare both in QAD before anything is sent again.",
            exchange=reply.exchange,
        )
    total: Decimal | None = reading.as_amount(_own(record, reply, "total"))
    if total is not None and reply.sent.total is not None and total != reply.sent.total:
        raise Conflict(
            f"QAD holds '{reply.sent.reference}' with a total of {total!s:.40} where {reply.sent.total} was sent. "
            f"Compare both before anything is sent again.",
            exchange=reply.exchange,
        )


def _rejection(found: tuple[Complaint, ...], reply: _Reply) -> Rejected:
    problems = tuple(problem(complaint, reply.entity, reply.profile) for complaint in found)
    if not problems:
        message = f"QAD refuses '{reply.entity}' without a reason ({reply.says})."
        problems = (Problem("qad-refused", reply.entity, message, "Ask your QAD administrator, then replay it."),)
    return Rejected(" ".join(each.message for each in problems), exchange=reply.exchange, problems=problems)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Counted from the answer's own clock."""
    now = parse_http_date(reading.header(headers, "Date")) or dt.datetime.min.replace(tzinfo=dt.UTC)
    wait = reading.header(headers, "Retry-After")
    return parse_retry_after(wait, now) if wait.isdecimal() or now.year > 1 else None

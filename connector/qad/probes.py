"""Questions to a real instance before anything is trusted to it: each read-only, timed, answered with a sentence."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from connector.errors import Authentication, Configuration, ConnectorError, Transient, Uncertain
from connector.http.session import Reply
from connector.qad import reading
from connector.qad.client import QadClient
from connector.qad.closed import ENTITIES, LISTS
from connector.qad.profile_shape import Write
from connector.qad.substitute import filled, filled_pairs

Answer = Literal[
    "ok", "empty", "forbidden", "wrong_path", "not_configured", "unreachable", "refused_credentials", "wrong_profile",
    "missing", "closed",
]  # fmt: skip
_IMPOSSIBLE = "~PROBE~"  # no instance has this code
_DEADLINE = 20.0


@dataclass(frozen=True, slots=True)
class Probe:
    """`subject` is 'sign-in', 'workspace', 'list NAME' or 'entity NAME'; `seconds` is how long the answer took."""

    subject: str
    answer: Answer
    seconds: float
    sentence: str


def run(client: QadClient) -> Iterator[Probe]:
    """Every question in order, each as soon as it is answered. Without a sign-in the rest is not asked."""
    signed_in = timed("sign-in", lambda: _sign_in(client))
    yield signed_in
    if signed_in.answer != "ok":
        return
    workspace = timed("workspace", lambda: _workspace(client))
    yield workspace
    if workspace.answer in ("unreachable", "refused_credentials"):
        return
    for name in LISTS:
        yield probe_list(client, name)
    for name in ENTITIES:
        yield probe_entity(client, name)


def probe_list(client: QadClient, name: str) -> Probe:
    """One row of a list."""
    return timed(f"list {name}", lambda: _list(client, name))


def probe_entity(client: QadClient, name: str) -> Probe:
    """Whether an entity's path is there, by a read of a record that cannot exist; never by a POST."""
    return timed(f"entity {name}", lambda: _entity(client, name))


def timed(subject: str, ask: Callable[[], tuple[Answer, str]]) -> Probe:
    """One question with how long its answer took; what goes wrong is an answer, too."""
    began = time.monotonic()
    try:
        answer, sentence = ask()
    except ConnectorError as error:
        answer, sentence = _failed(subject, error), error.message
    return Probe(subject, answer, round(time.monotonic() - began, 4), sentence)


def _failed(subject: str, error: ConnectorError) -> Answer:
    if isinstance(error, Authentication):
        return "refused_credentials" if subject == "sign-in" or _status(error) == 401 else "forbidden"
    if isinstance(error, Transient | Uncertain):
        return "unreachable"
    if error.exchange is None:  # nothing was asked: the set-up itself falls short
        return "not_configured" if subject == "sign-in" else "wrong_profile"
    if _status(error) is None:
        return "unreachable"
    return "wrong_path" if subject == "sign-in" or _status(error) in (404, 405, 410, 501) else "wrong_profile"


def _status(error: ConnectorError) -> int | None:
    return getattr(error.exchange, "status", None)


def _sign_in(client: QadClient) -> tuple[Answer, str]:
    if client.session.can_renew:
        client.session.forget()
    client.sign_in()
    if client.session.can_renew:
        return "ok", "QAD accepts the credentials."
    return "ok", "The credentials go out with each call; the next answers show whether QAD accepts them."


def _workspace(client: QadClient) -> tuple[Answer, str]:
    """By a list that every instance fills. Periods name their entity, so they show a wrong one too."""
    context = client.profile.context
    name = next((name for name in ("periods", "currencies", *LISTS) if client.profile.list_of(name)), "")
    if not name:
        return "not_configured", "The QAD profile names no list to ask in this workspace. Add [lists.periods]."
    rows = client.browser.first_page(name, 1)
    place = f"domain '{context.domain}', entity '{context.entity}'"
    told = next((row["entity"] for row in rows if row.get("entity")), "")
    if told and context.entity and told != context.entity:
        return "forbidden", f"QAD answers for entity '{told}', not for {place}. Correct the workspace."
    if not rows:
        return "empty", f"QAD answers for {place}, but the list '{name}' is empty there. Confirm the workspace."
    return "ok", f"QAD answers for {place}."


def _list(client: QadClient, name: str) -> tuple[Answer, str]:
    if client.profile.list_of(name) is None:
        return "not_configured", f"The QAD profile does not name this list. Add [lists.{name}] to use it."
    rows = client.browser.first_page(name, 1)
    if rows:
        return "ok", f"QAD's list '{name}' answers with rows."
    return "empty", (
        f"QAD's list '{name}' answers, but without a row. That is right if nothing exists yet; otherwise check "
        f"lists.{name} in the QAD profile, the workspace and the rights of the QAD user."
    )


def _entity(client: QadClient, name: str) -> tuple[Answer, str]:
    write = client.profile.write(name)
    if write is None:
        return "not_configured", f"The QAD profile does not say how '{name}' is written. Add [writes.{name}] to use it."
    ask = {"keyed_get": _keyed_get, "collection": _collection, "options": _options}[write.probe]
    sentence = ask(client, name, write)
    gaps = [constant for constant in write.required_constants if write.constants.get(constant) == ""]
    if gaps:
        listed = ", ".join(gaps)
        return "not_configured", f"{sentence} Still to fill in under writes.{name}.constants: {listed}."
    return "ok", sentence


def _keyed_get(client: QadClient, name: str, write: Write) -> str:
    keys = {ours: _IMPOSSIBLE for ours in write.keys if ours not in ("domain", "entity", "shared_set")}
    try:
        client.read_record(name, keys or {"code": _IMPOSSIBLE, "number": _IMPOSSIBLE})
    except Configuration as error:
        if _status(error) != 400:
            raise
        return f"QAD knows '{name}' at {write.path}: it objects to the impossible key of the test."
    return f"QAD knows '{name}' at {write.path}: it says that the record asked for does not exist."


def _collection(client: QadClient, name: str, write: Write) -> str:
    paging, context = client.profile.browse.paging, client.profile.context
    size = paging.limit_parameter if paging.style == "offset" else paging.size_parameter
    query = (*filled_pairs(context.query, context), (size, "1"))
    path = filled(write.path, context)
    answer = client.calls.get(path, query, about=f"writes.{name}.path", deadline=_DEADLINE)
    if not isinstance(reading.at(answer, client.profile.browse.rows), list):
        raise Configuration(
            f"QAD answers at {path} without a list at '{client.profile.browse.rows}' ({str(answer)[:200]}). "
            f"Correct writes.{name}.path in the QAD profile."
        )
    return f"QAD knows '{name}' at {path}."


def _options(client: QadClient, name: str, write: Write) -> str:
    path = filled(write.path, client.profile.context)
    reply: Reply = client.calls.send("OPTIONS", path, (), deadline=_DEADLINE, headers={"Accept": "application/json"})
    allowed = reading.header(reply.headers, "Allow").upper()
    if reply.status in (200, 204) and (not allowed or "POST" in allowed):
        return f"QAD takes '{name}' at {path}."
    about = f"HTTP {reply.status}, allowed: {allowed or 'not said'}"
    if reply.status in (401, 403):
        raise Authentication(f"QAD does not allow {path} ({about}).", exchange=reply.exchange)
    raise Configuration(
        f"QAD does not take '{name}' at {path} ({about}). Correct writes.{name}.path in the QAD profile.",
        exchange=reply.exchange,
    )

"""What a broken call means. The one question is whether the other side may have acted on the request."""

from __future__ import annotations

import socket
import ssl

from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from connector.errors import Configuration, ConnectorError, Transient, Uncertain, clause
from connector.http import redact
from connector.http.line import Refused

_NAME_DOES_NOT_EXIST = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
_MOST_LAYERS = 8


class UnknownHost(Transient):
    """The name does not exist (which a name server that does not answer does not say)."""


class BodyTooLarge(Exception):
    """More bytes than any answer of these systems may have."""


def failure(
    error: Exception, *, host: str, deadline: float, secrets: tuple[str, ...], has_sent: bool
) -> ConnectorError:
    """What a failure means: the question is only whether the other side may have acted on the request."""
    root = _root(error)
    reason = clause(redact.text(str(root) or type(root).__name__, secrets))
    if has_sent:
        return Uncertain(f"{host} was asked but gave no whole answer: {_worded(root, reason, deadline)}.")
    if isinstance(root, Refused):
        return Configuration(f"The call was not made: {reason}. Correct the address of the connection.")
    if isinstance(root, ssl.SSLCertVerificationError):
        why = clause(redact.text(root.verify_message or reason, secrets))
        return Configuration(f"The certificate of {host} is not trusted: {why}. Nothing was sent.")
    if isinstance(root, ValueError):  # requests and urllib3 say so of URLs and headers
        return Configuration(f"The request to {host} cannot be written: {type(root).__name__}. Nothing was sent.")
    if isinstance(root, socket.gaierror):
        if root.errno in _NAME_DOES_NOT_EXIST:
            return UnknownHost(f"The host name '{host}' does not exist.")
        return Transient(f"The host name '{host}' could not be looked up: {reason}.")
    return Transient(f"{host} could not be reached: {_worded(root, reason, deadline)}. Nothing was sent.")


def _worded(root: BaseException, reason: str, deadline: float) -> str:
    if isinstance(root, TimeoutError) and not root.errno:
        return f"{deadline:g} seconds were not enough"
    return reason


def _root(error: BaseException) -> BaseException:
    """The cause under the layers that urllib3 and requests wrap around it."""
    for _ in range(_MOST_LAYERS):
        if not isinstance(error, (RequestException, HTTPError)):
            break
        inner = getattr(error, "reason", None) or next((arg for arg in error.args if isinstance(arg, Exception)), None)
        inner = inner or error.__cause__ or error.__context__
        if not isinstance(inner, BaseException):
            break
        error = inner
    return error

"""Secrets leave nothing behind: what is stored, shown or raised has passed through here. Nothing in here raises."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus

MASK = "***"
UNREADABLE = "[left out: it could not be redacted]"
LONGEST_BODY = 64 * 1024  # characters kept of a body

_SECRET_HEADERS = {"cookie", "cookie2", "set-cookie", "set-cookie2", "authentication-info"}
# A key or header is secret if it ends with one of these words, in any case: access_token, clientSecret, QAD-Password.
_KEY = (
    r"(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|private[_-]?key|authorization|credentials?"
    r"|session[_-]?id|jsessionid)"
)
# Every match of _KEY holds one of these, so a text without any need not be searched letter by letter.
_STEMS = ("passw", "passphrase", "pwd", "secret", "token", "api", "private", "authorization", "credential", "session")
_HEADER = re.compile(_KEY + r"\Z", re.IGNORECASE)
_JSON = re.compile(
    _KEY + r'\\*"\s*:\s*(?:(?P<text>"(?:[^"\\]|\\.)*"?)|(?P<nested>\\+"(?:(?!\\+").)*)|(?P<bare>[^\s,}\]\[{"\\]+))',
    re.IGNORECASE | re.DOTALL,
)
_FORM = re.compile(r"(" + _KEY + r"(?:\]|%5D)?=)[^&\s\"'<>]+", re.IGNORECASE)
_USERINFO = re.compile(r"://[^/\s@?#\"'<>]+@")
_BEARER = re.compile(r"\b(Bearer\s+)[A-Za-z0-9+/=._~-]{16,}", re.IGNORECASE)
_SHORTEST_SECRET = 4  # masking shorter texts would tear every document apart
_MARGIN = 4096  # read beyond the limit so that no secret is cut in half at the edge


def text(value: str, secrets: tuple[str, ...] = ()) -> str:
    """Any text (an error, a body, a URL) without passwords, tokens, userinfo and the given literal secrets."""
    try:
        masked = _without_literals(value, secrets) if secrets else value
        if "://" in masked:
            masked = _USERINFO.sub(f"://{MASK}@", masked)
        folded = masked.casefold()
        if any(stem in folded for stem in _STEMS):
            masked = _JSON.sub(_mask_json, masked)
            masked = _FORM.sub(lambda found: found[1] + MASK, masked)
        return _BEARER.sub(lambda found: found[1] + MASK, masked) if "bearer" in folded else masked
    except Exception:  # noqa: BLE001 - a leak or a crash here would both be worse than a missing text
        return UNREADABLE


def headers(pairs: Iterable[tuple[str, str]], secrets: tuple[str, ...] = ()) -> tuple[tuple[str, str], ...]:
    """Header lines with the values of secret ones masked."""
    try:
        return tuple((str(name), MASK if _is_secret(str(name)) else text(str(value), secrets)) for name, value in pairs)
    except Exception:  # noqa: BLE001 - see text()
        return (("redaction", UNREADABLE),)


def body(content: bytes | str | None, secrets: tuple[str, ...] = (), limit: int = LONGEST_BODY) -> str:
    """A body as text of at most `limit` characters."""
    try:
        if not content:
            return ""
        window = content[: limit + _MARGIN]
        plain = window.decode("utf-8", "replace") if isinstance(window, bytes) else window
        masked = text(plain, secrets)
        if len(content) > len(window):
            masked = masked[: max(0, len(masked) - _MARGIN)]
        return masked[:limit]
    except Exception:  # noqa: BLE001 - see text()
        return UNREADABLE


def _is_secret(name: str) -> bool:
    return name.lower() in _SECRET_HEADERS or _HEADER.search(name) is not None


def _mask_json(found: re.Match[str]) -> str:
    whole = found[0]
    if found["text"] is not None:
        return f'{whole[: found.start("text") - found.start()]}"{MASK}"'
    group = "nested" if found["nested"] is not None else "bare"
    head = whole[: found.start(group) - found.start()]
    return head + (re.match(r'\\+"', found[group])[0] if group == "nested" else "") + MASK  # type: ignore[index]


def _without_literals(value: str, secrets: tuple[str, ...]) -> str:
    """Looks for each form first: a plain search of a text is far quicker than a pattern of all of them."""
    forms, pattern = _literals(secrets)
    return pattern.sub(MASK, value) if any(form in value for form in forms) else value


@lru_cache(maxsize=64)
def _literals(secrets: tuple[str, ...]) -> tuple[tuple[str, ...], re.Pattern[str]]:
    forms = {form for secret in secrets if len(secret) >= _SHORTEST_SECRET for form in _forms(secret)}
    longest_first = sorted(forms, key=len, reverse=True)
    return tuple(longest_first), re.compile("|".join(map(re.escape, longest_first)) if longest_first else r"(?!)")


def _forms(secret: str) -> set[str]:
    """How a secret may appear: as it is, quoted for URLs, JSON or HTML, and inside a Basic header."""
    raw = secret.encode("utf-8", "surrogatepass")
    plain = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], html.escape(secret)}
    quoted = {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    return {form for form in plain | quoted | _base64_forms(raw) if len(form) >= _SHORTEST_SECRET}


def _base64_forms(raw: bytes) -> set[str]:
    """The part of base64 that depends on the secret alone, at each of the three places it can start at."""
    forms = {base64.b64encode(raw + b":").decode(), base64.b64encode(raw).decode()}
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        whole = (offset + len(raw)) * 8 // 6  # the last character may hold bits of what follows
        forms.add(encoded[(offset * 8 + 5) // 6 : whole])
    long = {form for form in forms if len(form) >= 6}
    return long | {form.replace("+", "-").replace("/", "_") for form in long}

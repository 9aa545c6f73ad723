"""States as coloured words; the colour never says what the word does not."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString

_TONES = {
    "ok": "good", "live": "good", "on": "good",
    "test": "wait",
    "empty": "warn", "warning": "warn", "not_configured": "quiet",
    "off": "warn",
}  # fmt: skip


def badge(state: str, label: str = "") -> SafeString:
    """A badge for a probe's answer, a mode or a switch; what is not known to be harmless is bad."""
    return format_html('<span class="badge badge-{}">{}</span>', _TONES.get(state, "bad"), label or words(state))


def words(state: str) -> str:
    """`wrong_path` -> `Wrong path`; `ok` -> `OK`."""
    return "OK" if state == "ok" else state.replace("_", " ").capitalize()

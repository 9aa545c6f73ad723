"""Write-only form fields for credentials: they say whether one is set, and never show it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from tenants.fields import CredentialUnreadable, Secret


class SecretInput(forms.PasswordInput):
    """Never renders a value."""

    def __init__(self) -> None:
        super().__init__(render_value=False, attrs={"autocomplete": "new-password", "class": "vTextField"})

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


class SecretField(forms.CharField):
    """Blank keeps what is stored."""

    widget = SecretInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, strip=True, max_length=4000, **kwargs)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data)


def stored_note(secret: Secret | None, changed_at: dt.datetime | None, origin: str) -> str:
    """What stands below the field; `origin` is the address that the connection has now."""
    if secret is None:
        return "Not set."
    try:
        secret.reveal(origin)
    except CredentialUnreadable as error:
        return error.message
    return f"Set, changed {changed_at:%Y-%m-%d} — leave blank to keep." if changed_at else "Set — leave blank to keep."

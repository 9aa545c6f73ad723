"""Forms of the two connections: settings and write-only credentials on one page, checked as a file's are."""

from __future__ import annotations

import tomllib
from typing import Any

from django import forms

from connector.chargebee.site import key_warnings, site_problems
from connector.errors import ConnectorError
from connector.qad.calls import checked_base_url
from connector.qad.presets import PRESETS
from connector.qad.profile import ProfileError
from tenants import toml_text
from tenants.admin.secrets import SecretField, stored_note
from tenants.connections import profile_of
from tenants.models import ChargebeeConnection, ChargebeeCredential, Mode, QadConnection, QadCredential, Tenant
from tenants.origins import chargebee_origin, qad_origin, web_origin
from tenants.sandbox import is_sandbox_url, url_problem

ADDRESS = ("site", "region", "base_url")


LIMITS = {"plan", "share_percent", "calls_per_minute", "concurrency"}


class ChargebeeForm(forms.ModelForm):
    """`owner` is the current tenant (tenants.scoping.owned_form)."""

    api_key = SecretField(label="API key")
    look_again = forms.BooleanField(
        required=False,
        label="Look for the host again",
        help_text="Forgets the pinned host. The next test of the connection looks for it anew.",
    )
    owner: Tenant | None = None
    credential_keys = ("api_key",)

    class Meta:
        model = ChargebeeConnection
        fields = (
            *("site", "region", "api_key", "plan", "share_percent", "calls_per_minute", "concurrency"),
            *("base_url", "look_again"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in LIMITS & self.fields.keys():  # left empty, they stay as they are
            self.fields[name].required = False
        self.credential = stored(ChargebeeCredential, self.instance)
        self.old_origin = chargebee_origin(self.instance)
        _note(self, "api_key", self.credential, self.old_origin)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in LIMITS & self.fields.keys():
            cleaned[name] = cleaned.get(name) or getattr(self.instance, name)
        mode = self.owner.mode if self.owner else Mode.TEST
        site, region, base_url = cleaned.get("site", ""), cleaned.get("region", ""), cleaned.get("base_url", "")
        for problem in site_problems(site=site, region=region, mode=mode) if site and region else []:
            self.add_error("site", str(problem))
        if base_url and mode == Mode.LIVE:
            self.add_error("base_url", "A live tenant has no sandbox. Leave it empty.")
        elif base_url and (url_problem(base_url) or not is_sandbox_url(base_url)):
            self.add_error("base_url", url_problem(base_url) or "Only an address inside OUTBOUND_ALLOW may stand here.")
        if not self.errors and not cleaned.get("api_key"):
            ask_again(self, ("api_key",), chargebee_origin(ChargebeeConnection(**_only(cleaned, *ADDRESS))))
        return cleaned

    def warnings(self) -> list[str]:
        """What is saved and yet worth a look."""
        key = self.cleaned_data.get("api_key") or ""
        mode = self.owner.mode if self.owner else Mode.TEST
        return [str(problem) for problem in key_warnings(mode=mode, api_key=key)]


class QadForm(forms.ModelForm):
    """The profile is edited as TOML: what differs from the preset."""

    preset = forms.ChoiceField(choices=[(name, name) for name in PRESETS])
    profile_text = forms.CharField(
        required=False,
        label="Profile",
        strip=False,
        widget=forms.Textarea(attrs={"class": "code", "rows": 14, "spellcheck": "false"}),
        help_text="What differs from the preset, as TOML; the preset's own text names every key.",
    )
    client_id = forms.CharField(required=False, max_length=100, label="Client id")
    username = forms.CharField(required=False, max_length=100, label="User name")
    password = SecretField(label="Password")
    token = SecretField(label="Fixed token")
    owner: Tenant | None = None
    credential_keys = ("client_id", "username", "password", "token")

    class Meta:
        model = QadConnection
        fields = (
            "base_url", "domain", "entity", "workspace", "shared_set", "reference_prefix", "concurrency",
            "deadline_seconds", "preset",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.credential = stored(QadCredential, self.instance)
        self.old_origin = qad_origin(self.instance)
        for name in ("password", "token"):
            _note(self, name, self.credential, self.old_origin)
        for name in ("client_id", "username"):
            self.initial.setdefault(name, getattr(self.credential, name, ""))
        override = self.instance.profile_override
        self.initial.setdefault("profile_text", toml_text.dumps(override) if override else "")

    def clean_base_url(self) -> str:
        url: str = self.cleaned_data["base_url"]
        wanted = url_problem(url)
        if wanted:
            raise forms.ValidationError(wanted)
        try:
            return checked_base_url(url)
        except ConnectorError as error:
            raise forms.ValidationError(error.message) from None

    def clean_profile_text(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self.cleaned_data["profile_text"].replace("\r\n", "\n"))
        except tomllib.TOMLDecodeError as error:
            raise forms.ValidationError(f"This is not valid TOML: {error}.") from None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("password") and cleaned.get("token"):
            self.add_error("token", "Give a password or a fixed token, not both.")
        if not self.errors:
            self._check_profile(cleaned)
            if not cleaned.get("password") and not cleaned.get("token"):
                ask_again(self, ("password", "token"), web_origin(cleaned["base_url"]))
        return cleaned

    def _check_profile(self, cleaned: dict[str, Any]) -> None:
        names = {key: cleaned.get(key, "") for key in ("domain", "entity", "shared_set")}
        self.instance.profile_override = cleaned["profile_text"]
        try:
            profile_of(cleaned["preset"], cleaned["profile_text"], **names)
        except ProfileError as error:
            for problem in error.problems:
                self.add_error("profile_text", str(problem))
        except ConnectorError as error:
            self.add_error("profile_text", error.message)

    def warnings(self) -> list[str]:
        return []


def stored(model: Any, connection: Any) -> Any:
    """The credential row beside a connection, or None."""
    return model.objects.filter(tenant_id=connection.tenant_id).first() if connection.tenant_id else None


def _note(form: forms.ModelForm, name: str, credential: Any, origin: str) -> None:
    secret = getattr(credential, name, None)
    form.fields[name].help_text = stored_note(secret, getattr(credential, "changed_at", None), origin)


def ask_again(form: Any, names: tuple[str, ...], origin: str) -> None:
    """A stored secret stays with the address that it was entered for; for another one it is asked for again."""
    if origin == form.old_origin:
        return
    for name in names:
        if getattr(form.credential, name, None) is not None:
            form.add_error(name, f"Enter it again, for {origin}: the stored one was entered for {form.old_origin}.")


def _only(cleaned: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: cleaned.get(name, "") for name in names}

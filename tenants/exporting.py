"""Writes the file that describes a tenant, without its secrets; applied again it changes nothing."""

from __future__ import annotations

from typing import Any

from tenants import setup_blackouts, setup_calendar, toml_text
from tenants.models import (
    Blackout,
    CalendarRule,
    ChargebeeConnection,
    PolicySetting,
    QadConnection,
    QadCredential,
    Tenant,
)

_HEAD = """# A tenant of the QAD–Chargebee connector. Apply it with: manage.py apply_tenant FILE.toml
# Secrets are not in it. Add them where a comment says so; what is left out stays as it is.
"""


def export(tenant: Tenant) -> str:
    """The tenant as TOML text."""
    chargebee = ChargebeeConnection.objects.filter(tenant=tenant).first()
    qad = QadConnection.objects.filter(tenant=tenant).first()
    decided = {row.key: row.value for row in PolicySetting.objects.filter(tenant=tenant).order_by("key")}
    parts = [_HEAD, toml_text.dumps({"tenant": _values(tenant, _TENANT)})]
    if chargebee is not None:
        parts += [toml_text.dumps({"chargebee": _values(chargebee, _CHARGEBEE)}), _hint(tenant, "CHARGEBEE", "api_key")]
    if qad is not None:
        parts += _qad(tenant, qad)
    parts.append(toml_text.dumps({"policies": decided}) if decided else "")
    rules = [setup_calendar.written(rule) for rule in CalendarRule.objects.filter(tenant=tenant)]
    parts += ["[[calendar]]\n" + toml_text.dumps(rule) for rule in rules]
    closed = [setup_blackouts.written(row, tenant.time_zone) for row in Blackout.objects.filter(tenant=tenant)]
    parts += ["[[blackouts]]\n" + toml_text.dumps(row) for row in closed]
    return "\n".join(part for part in parts if part)


_TENANT = ("slug", "name", "mode", "time_zone", "base_currency", "business_entities")
_CHARGEBEE = ("site", "region", "base_url", "plan", "share_percent", "calls_per_minute", "concurrency")
_QAD = (
    "base_url", "domain", "entity", "workspace", "shared_set", "reference_prefix", "concurrency", "deadline_seconds",
)  # fmt: skip


def _values(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names if getattr(row, name) != ""}


def _qad(tenant: Tenant, row: QadConnection) -> list[str]:
    values = _values(row, _QAD)
    credential = QadCredential.objects.filter(tenant=tenant).defer("password", "token").first()
    if credential is not None:
        values |= _values(credential, ("client_id", "username"))
    if not row.profile_override:
        return [toml_text.dumps({"qad": {**values, "profile": row.preset}}), _hint(tenant, "QAD", "password")]
    profile = {"preset": row.preset, **row.profile_override}
    hint = _hint(tenant, "QAD", "password")
    return [toml_text.dumps({"qad": values}), hint, toml_text.dumps({"qad": {"profile": profile}})]


def _hint(tenant: Tenant, side: str, key: str) -> str:
    name = f"{tenant.slug.upper().replace('-', '_')}_{side}_{key.upper()}"
    return f'# {key} = {{ env = "{name}" }}\n'

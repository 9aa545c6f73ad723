"""The policies of a tenant as a form; its fields and sentences come from the table in `tenants.policies`."""

from __future__ import annotations

import re
from typing import Any

from django import forms

from tenants import policies
from tenants.policies import POLICIES, Policy

_ORIGIN = re.compile(r"\s*([a-z_]*)\s*=\s*([a-z]+)\s*\Z")
_PAIR = re.compile(r"\s*([A-Z]{3})\s*=\s*([0-9])\s*\Z")
_TEXTS = re.compile(r"\s*([\w-]+)\s*=\s*([^,=]+?)\s*\Z")
_TABLES = {"minor_units": _PAIR, "origins": _ORIGIN, "codes": _TEXTS, "sharing": _TEXTS, "days": _TEXTS}


class PolicyForm(forms.Form):
    """`cleaned_data` holds a value for each policy, or the form has errors."""

    def __init__(self, entered: Any = None, *, decided: dict[str, Any]) -> None:
        shown = {key: _shown(POLICIES[key], value) for key, value in decided.items()}
        super().__init__(entered, initial=shown)
        for key, policy in POLICIES.items():
            self.fields[key] = _field(policy)

    def clean(self) -> dict[str, Any]:
        for key, policy in POLICIES.items():
            if key not in self.cleaned_data:
                continue
            value = _read(policy, self.cleaned_data[key])
            self.cleaned_data[key] = value
            for problem in policies.check(key, value):
                self.add_error(key, str(problem))
        return self.cleaned_data


def _field(policy: Policy) -> forms.Field:
    common: dict[str, Any] = {
        "label": policy.sentence,
        "help_text": f"{policy.key}; {_shown(policy, policy.default) or 'empty'} by default",
    }
    if policy.kind == "choice":
        return forms.ChoiceField(choices=[(value, value.replace("_", " ")) for value in policy.values], **common)
    if policy.kind == "whole":
        return forms.IntegerField(min_value=policy.low, max_value=policy.high, **common)
    return forms.CharField(required=False, max_length=400, **common)


def _shown(policy: Policy, value: Any) -> Any:
    if policy.kind in _TABLES and isinstance(value, dict):
        return ", ".join(f"{code} = {digits}" for code, digits in value.items())
    return value


def _read(policy: Policy, value: Any) -> Any:
    if policy.kind not in _TABLES:
        return value
    pattern = _TABLES[policy.kind]
    bare = str(value).strip().removeprefix("{").removesuffix("}").replace('"', "")  # as in a tenant file, or without
    found = [pattern.match(part) for part in bare.split(",") if part.strip()]
    if not all(found):
        return str(value)
    pairs = {pair[1]: pair[2] for pair in found if pair}
    return {key: int(text) for key, text in pairs.items()} if policy.kind == "minor_units" else pairs

"""What a pass works by: the direction, who owns which field, and how values look on the other side."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from connector.ledger.merging import Rule
from connector.ledger.party_fields import FIELDS, Owner
from connector.ledger.projecting import Projection
from connector.qad.client import QadClient
from connector.qad.profile_shape import Profile
from mappings.models import QadCode
from syncs.models import FieldRule
from tenants import policies
from tenants.models import Tenant

OFF, ONE_WAY, BOTH_WAYS = "off", "chargebee_to_qad", "both"


@dataclass(frozen=True, slots=True)
class Setting:
    """`rules` name the fields that are aligned; `version` changes with anything that would change a verdict."""

    tenant: Tenant
    mode: str
    rules: tuple[Rule, ...]
    projection: Projection
    policies: dict[str, Any]
    version: str

    @property
    def writes_chargebee(self) -> bool:
        return self.mode == BOTH_WAYS


def mode_of(tenant: Tenant) -> str:
    mode: str = policies.read(tenant)["align_customers"]
    return mode


def setting_of(tenant: Tenant, profile: Profile, term_days: dict[str, str] | None = None) -> Setting:
    """The setting of a tenant; `term_days` are the days of QAD's credit terms, None where nobody asked QAD.

    QAD answers a list that it does not like with nothing at all: without days no terms are aligned, and none are lost.
    """
    decided = policies.read(tenant)
    mode = decided["align_customers"]
    has_days = term_days is None or bool(term_days)
    rules = tuple(rule for rule in rules_of(tenant, profile, mode) if has_days or rule.name != "credit_terms")
    projection = projection_of(profile, decided, term_days or {})
    marks = repr([mode, rules, projection.codes, sorted(projection.term_days.items()), projection.longest])
    return Setting(tenant, mode, rules, projection, decided, hashlib.sha256(marks.encode()).hexdigest()[:32])


def projection_of(profile: Profile, decided: dict[str, Any], term_days: dict[str, str]) -> Projection:
    write = profile.write("customer")
    return Projection(
        longest=dict(write.max_length) if write else {},
        characters=profile.values.characters,
        in_capitals=profile.values.letters == "capitals",
        codes={"country": decided["country_codes"], "state": decided["state_codes"]},
        term_days=term_days,
    )


def rules_of(tenant: Tenant, profile: Profile, mode: str) -> Iterable[Rule]:
    """The fields that this direction and this profile allow, each with its owner."""
    stored = {row.field: row for row in FieldRule.objects.filter(tenant=tenant)}
    for name, field in FIELDS.items():
        row = stored.get(name)
        owner: str = row.owner if row else field.owner
        if owner == "none" or why_not(profile, name, owner):
            continue
        if mode == ONE_WAY and owner == "qad":
            continue
        wins: Owner = "chargebee" if mode == ONE_WAY else cast(Owner, owner)
        yield Rule(name, wins, bool(row and row.blank_erases))


def why_not(profile: Profile, name: str, owner: str) -> str:
    """'' if the profile can align this field under this owner, else what is missing."""
    listed, write = profile.list_of("customers"), profile.write("customer")
    if listed is None or name not in listed.fields:
        return f"QAD's list shows no such field. Add lists.customers.fields.{name} to the QAD profile."
    if write is None or (name not in write.fields and name not in write.read_fields):
        return f"A QAD record shows no such field. Add writes.customer.fields.{name} to the QAD profile."
    if owner != "qad" and (name not in write.fields or write.update.how == "not_possible"):
        return f"It cannot be written into QAD. Complete writes.customer.fields.{name} and writes.customer.update."
    if name == "credit_terms" and profile.list_of("credit_terms") is None:
        return "QAD's credit terms cannot be read. Add lists.credit_terms to the QAD profile."
    return ""


def days_of_terms(qad: QadClient) -> dict[str, str]:
    """The days of each of QAD's credit terms, {} where the instance does not say."""
    if qad.profile.list_of("credit_terms") is None:
        return {}
    rows = (row for page in qad.browse("credit_terms") for row in page)
    return {row["code"]: row["days"] for row in rows if row.get("days")}


def stored_days_of_terms(tenant: Tenant) -> dict[str, str]:
    """The same as it was listed last, {} where that list was never read."""
    rows = QadCode.objects.filter(tenant=tenant, list_name="credit_terms", is_gone=False)
    return {code: facts["days"] for code, facts in rows.values_list("code", "facts") if facts.get("days")}

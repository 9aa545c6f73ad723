"""One customer as each side has it now: its values, a mark of its version, and the record that a write goes back in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.chargebee import parse
from connector.chargebee.customer_writes import CustomerWrites
from connector.chargebee.records import Customer
from connector.errors import Transient
from connector.ledger.names import normalised
from connector.ledger.party_fields import of_chargebee, of_qad, version_of
from connector.qad.client import QadClient
from mappings.models import QadCustomer
from syncs.alignment.setting import Setting
from syncs.models import SourceDocument
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class There:
    """A customer on one side. `raw` is the record as that side gave it."""

    values: Mapping[str, str]
    version: str
    raw: Mapping[str, Any] = field(repr=False, default_factory=dict)
    customer: Customer | None = None
    relation: str = ""


def chargebee_version(resource_version: int | None, content_hash: str) -> str:
    """Chargebee counts each change of a customer; the rare record without a count is known by its content."""
    return str(resource_version) if resource_version is not None else content_hash[:64]


def stored_chargebee(setting: Setting, source: SourceDocument) -> There | None:
    """As Chargebee listed him last; None if that cannot be read."""
    return _of_record(setting, source.content, source.content_hash)


def live_chargebee(setting: Setting, writes: CustomerWrites, key: str) -> There | None:
    """As Chargebee has him now, None if it has none. Raises Transient for a record that cannot be read."""
    record = writes.read(key)
    return None if record is None else told_by_chargebee(setting, record)


def told_by_chargebee(setting: Setting, record: Mapping[str, Any]) -> There:
    found = _of_record(setting, record, hashlib.sha256(repr(sorted(record.items(), key=str)).encode()).hexdigest())
    if found is None:
        raise Transient(f"Chargebee's customer '{record.get('id')}' cannot be read.")
    return found


def _of_record(setting: Setting, record: Mapping[str, Any], digest: str) -> There | None:
    customer = parse.customer(dict(record), minor_units=setting.policies["minor_units"])
    if isinstance(customer, list):
        return None
    version = chargebee_version(customer.resource_version, digest)
    return There(of_chargebee(customer), version, record, customer)


def stored_qad(mirror: QadCustomer) -> There:
    return There(mirror.content, mirror.version)


def live_qad(qad: QadClient, code: str) -> There | None:
    """As QAD has him now, None if it says that there is none."""
    row = qad.read("customer", {"code": code})
    if row is None:
        return None
    values = of_qad(row)
    return There(values, version_of(row, values), row["raw"], relation=row.get("business_relation") or code)


def refresh_mirror_row(tenant: Tenant, code: str, there: There) -> None:
    """The mirror learns at once what the next reading of QAD's list would show."""
    values = {name: there.values[name] for name in ("name", "tax_id", "country") if name in there.values}
    fresh: dict[str, Any] = {"content": dict(there.values), "version": there.version}
    if "name" in values:
        fresh |= {"name": values["name"][:200], "search_key": normalised(values["name"])[:200]}
    if "tax_id" in values:
        fresh["tax_id"] = values["tax_id"][:60]
    if "is_active" in there.values:
        fresh["is_active"] = there.values["is_active"] != "false"
    QadCustomer.objects.filter(tenant=tenant, code=code).update(**fresh)

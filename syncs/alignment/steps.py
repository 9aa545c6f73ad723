"""The single requests that a change of a customer is made of. Each is promised, sent and read back on its own, so that
one either landed or did not: what came before it stands, what comes after it was never tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from connector.chargebee import customer_form
from connector.chargebee.client import Row
from connector.chargebee.customer_form import Pairs
from connector.errors import Transient, Uncertain
from connector.ledger.merging import Side
from connector.qad.payloads import WriteRequest
from connector.qad.profile_shape import Profile
from connector.qad.updating import update
from syncs.alignment.desk import Desk
from syncs.alignment.setting import Setting
from syncs.alignment.sides import There, live_qad, told_by_chargebee
from syncs.models import AlignedCustomer


@dataclass(frozen=True, slots=True)
class Request:
    """`send` gives the fields of `targets` their values and returns what the side has then.

    `is_beside`: it goes to another record, so that the customer's own may show nothing of it yet.
    """

    targets: Mapping[str, str]
    send: Callable[[], There]
    is_beside: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """`prepare` makes the request for what a side is to be given; None if it has nothing to say."""

    side: Side
    prepare: Callable[[Desk, AlignedCustomer, There, Mapping[str, str]], Request | None]


def _relation(desk: Desk, link: AlignedCustomer, there: There, targets: Mapping[str, str]) -> Request | None:
    """The name of the business relation, where the instance keeps one beside the customer's."""
    profile, name = desk.qad.profile, targets.get("name")
    code = there.relation or link.qad_code
    row = desk.qad.read("business_relation", {"code": code}) if name and profile.write("business_relation") else None
    if name is None or row is None or row.get("name") == name:
        return None
    request = update(profile, "business_relation", row["raw"], _named(profile, name), keys={"code": code})
    return Request({"name": name}, partial(_sent_to_qad, desk, link.qad_code, request), is_beside=True)


def _customer(desk: Desk, link: AlignedCustomer, there: There, targets: Mapping[str, str]) -> Request:
    profile, code = desk.qad.profile, link.qad_code
    changes: dict[str, Any] = {
        name: value == "true" if name == "is_active" else value for name, value in targets.items()
    }
    if "name" in targets:
        changes |= _named(profile, targets["name"])
    request = update(profile, "customer", dict(there.raw), changes, keys={"code": code})
    return Request(targets, partial(_sent_to_qad, desk, code, request))


def _named(profile: Profile, name: str) -> dict[str, str]:
    """A name, and what it is found by."""
    write = profile.write("customer")
    if write is None or "search_name" not in write.fields:
        return {"name": name}
    return {"name": name, "search_name": name[: write.max_length.get("search_name", 28)].rstrip()}


def _sent_to_qad(desk: Desk, code: str, request: WriteRequest) -> There:
    desk.qad.send(request, desk.deadline)
    try:
        told = live_qad(desk.qad, code)
    except Transient as error:
        raise Uncertain(f"QAD took a change of customer {code} and cannot be read: {error}") from error
    if told is None:
        raise Uncertain(f"QAD changed customer {code} and does not show it any more.")
    return told


def _person(desk: Desk, link: AlignedCustomer, there: There, targets: Mapping[str, str]) -> Request | None:
    """Fields of the customer himself."""
    mine = {name: value for name, value in targets.items() if name not in customer_form.BILLING}
    pairs = customer_form.changes(there.raw, mine).customer
    return _form(desk, link, desk.chargebee.update, pairs, mine)


def _billing(desk: Desk, link: AlignedCustomer, there: There, targets: Mapping[str, str]) -> Request | None:
    """Billing details, which are replaced as a whole: made of the record as it was read a moment ago."""
    mine = {name: value for name, value in targets.items() if name in customer_form.BILLING}
    pairs = customer_form.changes(there.raw, mine).billing
    return _form(desk, link, desk.chargebee.bill, pairs, mine)


def _form(
    desk: Desk, link: AlignedCustomer, send: Callable[[str, Pairs], Row], pairs: Pairs, targets: Mapping[str, str]
) -> Request | None:
    if not targets:
        return None
    return Request(targets, partial(_sent_to_chargebee, desk.setting, partial(send, link.chargebee_id, pairs)))


def _sent_to_chargebee(setting: Setting, send: Callable[[], Row]) -> There:
    record = send()
    try:
        return told_by_chargebee(setting, record)
    except Transient as error:
        raise Uncertain(error.message) from error


STEPS = (
    Step(Side.QAD, _relation),
    Step(Side.QAD, _customer),
    Step(Side.CHARGEBEE, _person),
    Step(Side.CHARGEBEE, _billing),
)

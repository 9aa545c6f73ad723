"""QAD's lists of codes, periods and rates, as the values that the checks of documents ask."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from decimal import Decimal

from connector.ledger.calendar import Calendar, Period, calendar
from connector.ledger.currency_rates import NamedRate
from connector.ledger.dating import folded
from connector.ledger.reference_data import ReferenceData
from mappings.listed import DOMAINS, PERIODS, RATES
from mappings.mirror import listed, standing
from mappings.models import MirrorState, QadCode
from tenants.models import QadConnection

WHOLE = ("daybooks", "currencies")  # short lists that are read whole


def load(tenant_id: int, used: Mapping[str, Collection[str]]) -> ReferenceData:
    """`used` is list -> the codes that matter; a list that was never read, or is configured no more, is left out."""
    was_read, left_out = standing(tenant_id)
    place = QadConnection.objects.filter(tenant_id=tenant_id).values_list("domain", "entity").first() or ("", "")
    daybooks = _rows(tenant_id, "daybooks") if "daybooks" in was_read else []
    return ReferenceData(
        codes={name: _codes(tenant_id, name, used.get(name, ())) for name in {*used, *WHOLE} & was_read},
        calendar=_calendar(tenant_id, place[1]) if PERIODS in was_read else None,
        daybooks=_by_type(daybooks),
        base_currency=_base_currency(tenant_id, place[0]) if DOMAINS in was_read else "",
        left_out=frozenset(left_out),
    )


def rate_on(tenant_id: int, currency: str, base: str, day: dt.date) -> NamedRate | None:
    """QAD's rate in force on a day, the one that began last; accounting rates before others. None if none is known."""
    rows = QadCode.objects.filter(tenant_id=tenant_id, list_name=RATES, is_gone=False, code__startswith=f"{currency}/")
    fit = [facts for facts in rows.values_list("facts", flat=True) if _is_in_force(facts, base, day)]
    if not fit:
        return None
    best = max(fit, key=lambda facts: (facts["type"].upper() == "ACCOUNTING", facts["first"]))
    return NamedRate(Decimal(best["rate"]), "QAD's list of exchange rates", dt.date.fromisoformat(best["first"]))


def rates_read_on(tenant_id: int) -> dt.date | None:
    """The day on which QAD's list of exchange rates was read last; None if it never was."""
    state = MirrorState.objects.filter(tenant_id=tenant_id, list_name=RATES, answer="ok").first()
    return state.refreshed_at.date() if state is not None and state.refreshed_at is not None else None


def _is_in_force(facts: Mapping[str, str], base: str, day: dt.date) -> bool:
    text = day.isoformat()
    return facts["to"] == base and facts["first"] <= text and (not facts["last"] or text <= facts["last"])


def _rows(tenant_id: int, list_name: str) -> list[tuple[str, bool, dict[str, str]]]:
    rows = QadCode.objects.filter(tenant_id=tenant_id, list_name=list_name, is_gone=False)
    return list(rows.values_list("code", "is_active", "facts"))


def _codes(tenant_id: int, list_name: str, codes: Collection[str]) -> dict[str, bool]:
    if list_name in WHOLE:
        return {code: is_active for code, is_active, _ in _rows(tenant_id, list_name)}
    return listed(tenant_id, list_name, codes)


def _by_type(rows: list[tuple[str, bool, dict[str, str]]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for code, is_active, facts in rows:
        if is_active and facts.get("type"):
            found.setdefault(folded(facts["type"]), []).append(code)
    return {name: tuple(codes) for name, codes in found.items()}


def _calendar(tenant_id: int, entity: str) -> Calendar | None:
    """The own entity's periods; rows that name no entity are everybody's. None if nothing is about this entity."""
    rows = QadCode.objects.filter(tenant_id=tenant_id, list_name=PERIODS, is_gone=False)
    own = [facts for facts in rows.values_list("facts", flat=True) if facts["entity"] in ("", entity)]
    return calendar(_period(facts) for facts in own) if own else None


def has_locked_daybooks(tenant_id: int) -> bool:
    """Whether a period is locked for some daybooks only, so that one must know in which a document lands."""
    rows = QadCode.objects.filter(tenant_id=tenant_id, list_name=PERIODS, is_gone=False)
    return any(facts["locked"] for facts in rows.values_list("facts", flat=True))


def _period(facts: Mapping[str, object]) -> Period:
    locked = facts["locked"]
    return Period(
        name=str(facts["name"]),
        first=dt.date.fromisoformat(str(facts["first"])),
        last=dt.date.fromisoformat(str(facts["last"])),
        is_open=bool(facts["is_open"]),
        locked=frozenset(str(code) for code in locked) if isinstance(locked, list) else frozenset(),
    )


def _base_currency(tenant_id: int, domain: str) -> str:
    row = QadCode.objects.filter(tenant_id=tenant_id, list_name=DOMAINS, code=domain, is_gone=False).first()
    return str(row.facts.get("base_currency", "")) if row else ""

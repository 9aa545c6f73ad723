"""Does this instance have what the tenant leans on: daybooks, accounts, currencies, terms, and an open period today."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from connector.qad.browse import Filter, Row
from connector.qad.client import QadClient
from connector.qad.daybooks import configured
from connector.qad.probes import Answer, Probe, timed

SHOWN = 5  # codes that a sentence names
NAMES = {
    "gl_accounts": "GL account",
    "daybooks": "daybook",
    "currencies": "currency",
    "credit_terms": "credit terms",
    "domains": "domain",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """`codes` is list -> the codes that must be there; `today` is a day of the books."""

    today: dt.date
    base_currency: str
    codes: Mapping[str, Collection[str]] = field(default_factory=dict)


def run(client: QadClient, wanted: Wanted) -> Iterator[Probe]:
    """One answer for each kind of reference data, read-only."""
    named = {name: {code for code in codes if code} for name, codes in wanted.codes.items()}
    named["daybooks"] = named.get("daybooks", set()) | set(configured(client.profile).values())
    named["currencies"] = named.get("currencies", set()) | {wanted.base_currency}
    for name, codes in sorted(named.items()):
        if codes:
            yield timed(f"reference {name}", _asking(client, name, codes))
    yield timed("reference base currency", lambda: _base_currency(client, wanted.base_currency))
    yield timed("reference period", lambda: _period(client, wanted.today))


def _asking(client: QadClient, name: str, codes: set[str]) -> Callable[[], tuple[Answer, str]]:
    return lambda: _codes(client, name, codes)


def _codes(client: QadClient, name: str, codes: set[str]) -> tuple[Answer, str]:
    if client.profile.list_of(name) is None:
        return "not_configured", f"The QAD profile has no list '{name}', so nobody knows whether these codes exist."
    absent, inactive = [], []
    for code in sorted(codes):
        row = _row(client, name, code)
        if row is None:
            absent.append(code)
        elif row.get("is_active") is False:
            inactive.append(code)
    what = NAMES.get(name, name)
    if absent:
        return "missing", f"QAD does not have {what} {_some(absent)}. Correct it here, or create it in QAD."
    if inactive:
        return "missing", f"QAD holds {what} {_some(inactive)} as inactive. Correct it here, or activate it in QAD."
    return "ok", f"QAD has {what} {_some(sorted(codes))}."


def _row(client: QadClient, name: str, code: str) -> Row | None:
    """The row with exactly this code: filters of an instance may ignore capitals, or match more."""
    for page in client.browser.pages(name, (Filter("code", "equals", code),)):
        for row in page:
            if row["code"] == code:
                return row
    return None


def _base_currency(client: QadClient, ours: str) -> tuple[Answer, str]:
    domain = client.profile.context.domain
    if client.profile.list_of("domains") is None or not domain:
        return "not_configured", "The QAD profile does not say where a domain tells its base currency."
    row = _row(client, "domains", domain)
    theirs = str(row.get("base_currency") or "") if row else ""
    if row is None:
        return "missing", f"QAD does not have domain {domain}. Correct the domain of the QAD connection."
    if not theirs:
        return "not_configured", f"QAD's list of domains does not tell the base currency of {domain}."
    if theirs != ours:
        return (
            "missing",
            f"QAD keeps the books of {domain} in {theirs}, the tenant's base currency is {ours}. Correct one.",
        )
    return "ok", f"The books of {domain} are kept in {ours}, here and in QAD."


def _period(client: QadClient, today: dt.date) -> tuple[Answer, str]:
    if client.profile.list_of("periods") is None:
        return "not_configured", "The QAD profile has no list 'periods': closed periods show only when QAD refuses."
    entity = client.profile.context.entity
    rows = [row for page in client.browser.pages("periods") for row in page]
    row = next((one for one in rows if one.get("entity") in (None, "", entity) and _is_in(one, today)), None)
    if row is None:
        return "missing", f"QAD's calendar has no period for {today} in entity {entity}. Set it up in QAD."
    name = f"{row.get('year') or today.year}/{str(row['period']).zfill(2)}"
    if row.get("is_open") is False:
        return "closed", f"Period {name}, in which today falls, is closed for entity {entity}. Open it in QAD."
    locked = str(row.get("locked_daybooks") or "")
    also = f" Locked in it: {locked}." if locked else ""
    return "ok", f"Period {name}, in which today falls, is open.{also}"


def _is_in(row: Row, day: dt.date) -> bool:
    first, last = row.get("starts_on"), row.get("ends_on")
    if isinstance(first, dt.date) and isinstance(last, dt.date):
        return first <= day <= last
    return (str(row.get("year")), str(row["period"]).lstrip("0")) == (str(day.year), str(day.month))


def _some(codes: list[str]) -> str:
    rest = len(codes) - SHOWN
    return ", ".join(codes[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")

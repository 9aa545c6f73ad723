"""Master data of the sandbox's domain: chart of accounts, dimensions, daybooks, terms, currencies, rates."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import lru_cache
from typing import Any

from connector.sandbox.population import GlAccount, gl_accounts

Row = dict[str, Any]
BASE_CURRENCY = "USD"
RECEIVABLE = "1200"
EXCHANGE_DIFFERENCE = "7800"
DOMAIN, ENTITY, SHARED_SET = "10USA", "10USACO", "SS1"
WORKSPACE = f"{DOMAIN}_{ENTITY}"
_TYPES = ("bank", "control", "tax", "clearing")
_DECIMALS = {"JPY": 0, "KRW": 0, "XPF": 0, "KWD": 3, "BHD": 3}
# Dollars for one unit on the first day of the table; XPF is a currency that nobody maintains a rate for.
_RATES = {
    "EUR": "1.0800",
    "GBP": "1.2700",
    "JPY": "0.0067",
    "KWD": "3.2500",
    "CAD": "0.7300",
    "AUD": "0.6600",
    "CHF": "1.1300",
    "INR": "0.0120",
    "KRW": "0.00075",
    "BHD": "2.6500",
    "SEK": "0.0950",
    "NZD": "0.6100",
}
_RATES_BEGIN = dt.date(2020, 1, 1)


def account(code: str, description: str = "", *, kind: str = "standard", active: bool = True, **rules: Any) -> Row:
    """`rules`: currency ('' takes all), needs_…; takes_… sub_account, cost_centre, project."""
    flags = {"currency": "", "needs_sub_account": False, "needs_cost_centre": False, "needs_project": False}
    # Costs have no place on tax and bank accounts.
    flags |= {"takes_sub_account": True, "takes_cost_centre": kind not in ("tax", "bank"), "takes_project": True}
    return {"code": code, "description": description[:24], "is_active": active, "type": kind, **flags, **rules}


def masters() -> dict[str, dict[str, Row]]:
    """Rows by kind and code, fresh for each instance."""
    return {
        "gl_account": {row["code"]: row for row in (*map(_from_chart, gl_accounts()), *_flagged_accounts())},
        "sub_account": _coded("SUB1 North", "SUB2 South", "SUB9 Closed region"),
        "cost_centre": _coded("CC10 Sales", "CC20 Services", "CC99 Closed cost centre"),
        "project": _coded("PRJ1 Launch", "PRJ9 Closed project"),
        "item": _coded("SUBS Subscription", "ADDON Add-on", "USAGE Usage", "SETUP Set-up", "OLDITEM Closed item"),
        "tax_code": _tax_codes(),
        "daybook": _daybooks(),
        "credit_terms": {
            code: {"code": code, "description": text, "is_active": True, "days": days}
            for code, text, days in (("N00", "Due at once", 0), ("N15", "15 days", 15), ("N30", "30 days", 30))
        },
        "currency": {
            code: {"code": code, "description": code, "is_active": True, "decimals": _DECIMALS.get(code, 2)}
            for code in (BASE_CURRENCY, *_RATES, "XPF")
        },
        "daybook_set": _coded("DBS1 Standard"),
        "site": _coded("10-100 Head office", "10-200 Plant"),
        "domain": {DOMAIN: {"code": DOMAIN, "description": "USA", "is_active": True, "base_currency": BASE_CURRENCY}},
    }


def _coded(*entries: str) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for entry in entries:
        code, _, text = entry.partition(" ")
        rows[code] = {"code": code, "description": text, "is_active": not text.startswith("Closed")}
    return rows


def _from_chart(row: GlAccount) -> Row:
    kind = next((flag for flag in row.flags if flag in _TYPES), "standard")
    return account(row.code, row.description, kind=kind, active=row.active)


def _flagged_accounts() -> tuple[Row, ...]:
    return (
        account("4600", "Revenue by region", needs_sub_account=True),
        account("4610", "Revenue by cost centre", needs_cost_centre=True),
        account("4620", "Revenue by project", needs_project=True),
        account("4630", "Revenue in euro", currency="EUR"),
    )


def _tax_codes() -> dict[str, Row]:
    rows = (("ST", "State tax", "2.90"), ("CT", "County tax", "1.00"), ("VAT", "VAT", "20.00"), ("EX", "Exempt", "0"))
    return {
        code: {"code": code, "description": text, "is_active": True, "rate": Decimal(rate)} for code, text, rate in rows
    }


def _daybooks() -> dict[str, Row]:
    types = {
        "CINV": "customer_invoice",
        "CINVC": "customer_invoice_correction",
        "CCRN": "customer_credit_note",
        "CCRNC": "customer_credit_note_correction",
        "CPAY": "customer_payment",
        "CPAYC": "customer_payment_correction",
        "CADJ": "customer_adjustment",
        "CJRN": "journal_entry",
        "GLJRN": "journal_entry",
    }
    return {
        code: {
            "code": code,
            "description": kind.replace("_", " "),
            "is_active": True,
            "type": kind,
            "control": "FINANCIAL" if code == "GLJRN" else "EXTERNAL",
        }
        for code, kind in types.items()
    }


@lru_cache(maxsize=4096)
def rate(currency: str, date: dt.date) -> Decimal | None:
    """Base currency for one unit by posting date; a new rate each month, None where the table has none."""
    if currency == BASE_CURRENCY:
        return Decimal(1)
    if currency not in _RATES or date < _RATES_BEGIN:
        return None
    drift = Decimal((date.year * 12 + date.month) * 7 % 11 - 5) / 1000
    return (Decimal(_RATES[currency]) * (1 + drift)).normalize()


@lru_cache(maxsize=4)
def rate_rows(today: dt.date) -> tuple[Row, ...]:
    """The table of rates as a list shows it: a row for each currency and month, from its first day to its last."""
    months = [dt.date(year, month, 1) for year in range(_RATES_BEGIN.year, today.year + 1) for month in range(1, 13)]
    known = [first for first in months if first <= today]
    return tuple(
        {
            "from": currency,
            "to": BASE_CURRENCY,
            "rate": rate(currency, first),
            "valid_from": first,
            "valid_to": (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1),
            "type": "ACCOUNTING",
        }
        for first in known
        for currency in _RATES
    )

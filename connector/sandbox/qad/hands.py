"""What a QAD user does at his own screen: locks, accounts, customers, documents without a reference."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from connector.sandbox.qad.books import Document
from connector.sandbox.qad.company import Company
from connector.sandbox.qad.masters import Row, account
from connector.sandbox.qad.parties import blank_customer
from connector.sandbox.qad.posting import post


class Hands:
    """Mixed into the instance. A period is (year, month)."""

    company: Company

    def lock_period(self, year: int, period: int) -> None:
        self.company.calendar.lock(year, period)

    def unlock_period(self, year: int, period: int) -> None:
        self.company.calendar.unlock(year, period)

    def lock_daybook(self, daybook: str, year: int, period: int) -> None:
        self.company.calendar.lock_daybook(daybook, year, period)

    def unlock_daybook(self, daybook: str, year: int, period: int) -> None:
        self.company.calendar.unlock_daybook(daybook, year, period)

    def set_duplicate_mode(self, mode: str) -> None:
        """warn: a second document with the same reference is posted with a warning; reject: it is refused."""
        if mode not in ("warn", "reject"):
            raise ValueError(mode)
        self.company.modes.duplicates = mode

    def add_account(self, code: str, description: str = "", *, kind: str = "standard", **rules: Any) -> None:
        """`rules`: currency, needs_sub_account, needs_cost_centre, needs_project; `kind` also bank, control, tax."""
        self.company.masters["gl_account"][code] = account(code, description, kind=kind, **rules)

    def deactivate_account(self, code: str) -> None:
        self.company.masters["gl_account"][code]["is_active"] = False

    def add_master(self, kind: str, code: str, **values: Any) -> None:
        """A row of any other table: sub_account, cost_centre, project, item, tax_code, daybook, credit_terms…"""
        self.company.masters[kind][code] = {"code": code, "description": code, "is_active": True, **values}

    def deactivate_master(self, kind: str, code: str) -> None:
        self.company.masters[kind][code]["is_active"] = False

    def add_customer(self, code: str, name: str, *, complete: bool = True, **values: Any) -> Row:
        """`values` in the ledger's words: currency, email, reference, is_active…"""
        now, parties = self.company.clock.now(), self.company.parties
        row = parties.add(blank_customer(code, name, **values), now)
        if complete:
            parties.complete(code, "10-100", "DBS1", now)
        return row

    def change_customer(self, code: str, **changes: Any) -> Row:
        parties = self.company.parties
        return parties.update(parties.customers[code], changes, self.company.clock.now())

    def change_relation(self, code: str, **changes: Any) -> Row:
        """The business relation behind a customer."""
        parties = self.company.parties
        return parties.update(parties.relations[code], changes, self.company.clock.now())

    def delete_customer(self, code: str) -> None:
        self.company.parties.remove(code)

    def set_stamps(self, shown: bool) -> None:
        """Off: no record says from now on when it was changed, and no hash changes with it."""
        self.company.parties.stamps = self.company.parties.rotates_hash = shown

    def set_shared_names(self, shared: bool) -> None:
        """On: a customer has the name of his business relation, whatever was sent with the customer."""
        self.company.parties.shared_names = shared

    def set_capitals(self, kept: bool) -> None:
        """On: names and addresses are kept in capitals, whatever is sent."""
        self.company.parties.capitals = kept

    def enter_invoice(self, customer: str, total: str, **values: Any) -> Document:
        """An open item keyed in by hand; by default in dollars, today, on revenue, without external reference."""
        return self.enter("invoice", customer, total, **values)

    def enter(self, kind: str, customer: str, total: str, **values: Any) -> Document:
        """Any receivable document; refusals raise, since a person would see them at once."""
        today: dt.date = self.company.clock.now().date()
        line: dict[str, Any] = dict.fromkeys(
            ["sub_account", "cost_centre", "project", "item", "tax_code", "description"], ""
        )
        line |= {"gl_account": "4000", "amount": Decimal(total), "service_from": None, "service_to": None}
        document: Document = {
            **dict.fromkeys(["reference", "daybook", "entity", "reverses", "reverses_number", "purchase_order"], ""),
            **{"kind": kind, "customer": customer, "description": "Entered by hand", "currency": "USD"},
            **{"document_date": today, "posting_date": today, "due_date": today, "exchange_rate": None},
            **{"total": Decimal(total), "lines": [line], "taxes": [], "applications": [], "bank_account": "1010"},
            **values,
        }
        if kind == "payment":
            document["lines"] = []
        outcome = post(self.company, document)
        if outcome.errors:
            raise ValueError([complaint.text for complaint in outcome.errors])
        return outcome.document

"""Debit and credit columns of dialect B <-> the signed amounts of the books."""

from __future__ import annotations

from typing import Any

from connector.sandbox.qad.books import ZERO, Document
from connector.sandbox.qad.complaints import Complaint, complain

# kind on the wire -> kind in the books
_KINDS = {"refund": "payment", "unapplication": "adjustment"}
_CREDIT_IS_POSITIVE = frozenset({"invoice"})


def from_columns(document: Document, kind: str) -> list[Complaint]:
    """Turn a document as read into one of the books, in place; nothing negative may come over the wire."""
    found: list[Complaint] = []
    amounts = [("total", document.get("total"))]
    amounts += [(f"applications[{n}].amount", row["amount"]) for n, row in enumerate(document["applications"])]
    for name, amount in amounts:
        if amount is not None and amount < 0:
            found.append(complain("negative", name, amount))
    for group in ("lines", "taxes"):
        for index, row in enumerate(document[group]):
            found += _one_column(row, f"{group}[{index}].")
            _sign(row, kind)
    undone = document.pop("is_reversal", None) is True
    if undone and not (document["reverses"] or document["reverses_number"]):
        found.append(complain("mandatory", "reverses"))
    if undone != (kind in ("refund", "unapplication")):
        _flip(document)
    document["kind"] = _KINDS.get(kind, kind)
    return found


def to_columns(document: Document) -> Document:
    """A copy as the wire shows it: totals and applications without sign, lines in columns."""
    kind = document["kind"]
    shown = {**document, "is_reversal": bool(document["reverses"] or document["reverses_number"])}
    for name in ("total", "open_amount", "base_amount"):
        if shown.get(name) is not None:
            shown[name] = abs(shown[name])
    shown["applications"] = [{**row, "amount": abs(row["amount"])} for row in document["applications"]]
    for group in ("lines", "taxes"):
        shown[group] = [_columns(row, kind) for row in document[group]]
    return shown


def doc_type(document: Document) -> str:
    kind = document["kind"]
    reversed_sign = bool(document["reverses"] or document["reverses_number"])
    if kind == "payment":
        return "RFD" if (document["total"] < 0) != reversed_sign else "PAY"
    if kind == "adjustment":
        undone = any(row["amount"] < 0 for row in document["applications"])
        return "UNA" if undone else "ADJ"
    return {"invoice": "INV", "credit_note": "CRN"}[kind]


def _one_column(row: dict[str, Any], place: str) -> list[Complaint]:
    debit, credit = row["debit"] or ZERO, row["credit"] or ZERO
    if debit and credit:
        return [complain("wrong_column", f"{place}debit", debit)]
    worst = min(debit, credit)
    return [complain("negative", f"{place}debit", worst)] if worst < 0 else []


def _sign(row: dict[str, Any], kind: str) -> None:
    debit, credit = row.pop("debit") or ZERO, row.pop("credit") or ZERO
    row["amount"] = credit - debit if kind in _CREDIT_IS_POSITIVE else debit - credit


def _columns(row: dict[str, Any], kind: str) -> dict[str, Any]:
    credit = row["amount"] if kind in _CREDIT_IS_POSITIVE else -row["amount"]
    zero = credit - credit  # with the decimals of the currency
    return {**row, "credit": max(credit, zero), "debit": max(-credit, zero)}


def _flip(document: Document) -> None:
    """A reversal, a refund and an un-application are negative in the books; their lines come swapped already."""
    if document.get("total") is not None:
        document["total"] = -document["total"]
    for row in document["applications"]:
        if row["amount"] is not None:
            row["amount"] = -row["amount"]

"""The sums a Chargebee document keeps, written down a second time: each check names the document it fails on."""

from __future__ import annotations


def _sum(rows, field):
    return sum(row.get(field, 0) for row in rows)


def broken_invoice(row):
    """Names of the identities this invoice breaks."""
    lines, taxes = row.get("line_items", []), row.get("line_item_taxes", [])
    payments = row.get("linked_payments", [])
    paid = [link for link in payments if link["txn_status"] == "success"]
    waiting = [link for link in payments if link["txn_status"] == "in_progress"]
    adjusted = [link for link in row.get("adjustment_credit_notes", []) if link["cn_status"] != "voided"]
    discounts = row.get("line_item_discounts", [])
    tax_on_top = row["tax"] if row["price_type"] == "tax_exclusive" else 0
    due = row["total"] - row["amount_paid"] - row["amount_adjusted"] - row["credits_applied"]
    checks = {
        "I1 sub_total": row["sub_total"] == _sum(lines, "amount") - _sum(lines, "discount_amount"),
        "I1 line discounts": _sum(lines, "discount_amount") == _sum(discounts, "discount_amount"),
        "I1 discounts": _sum(discounts, "discount_amount") == _sum(row.get("discounts", []), "amount"),
        "I2 total": row["total"] == row["sub_total"] + tax_on_top + row["round_off_amount"],
        "I3 amount_due": row["amount_due"] == due,
        "I4 amount_paid": row["amount_paid"] == _sum(paid, "applied_amount"),
        "I5 amount_adjusted": row["amount_adjusted"] == _sum(adjusted, "cn_total"),
        "I6 credits_applied": row["credits_applied"] == _sum(row.get("applied_credits", []), "applied_amount"),
        "I7 amount_to_collect": row["status"] == "voided"
        or row["amount_to_collect"] == row["amount_due"] - _sum(waiting, "applied_amount"),
        "I8 tax of lines": row["tax"] == _sum(lines, "tax_amount") == _sum(taxes, "tax_amount"),
        "I8 taxes": row["tax"] == _sum(row.get("taxes", []), "amount"),
        "P paid": row["status"] != "paid" or row["amount_due"] == 0,
        "nothing is negative": min(row["total"], row["tax"], row["amount_due"], *[0, *_amounts(lines)]) >= 0,
        "rows name lines": {r["line_item_id"] for r in [*taxes, *discounts]} <= {line["id"] for line in lines},
        "whole numbers": all(type(row[name]) is int for name in ("total", "tax", "sub_total", "amount_due")),
    }
    return [name for name, holds in checks.items() if not holds]


def _amounts(lines):
    return [line["amount"] for line in lines] + [line["amount"] - line["discount_amount"] for line in lines]


def broken_note(row):
    tax = _sum(row["taxes"], "amount")
    on_top = tax if row["price_type"] == "tax_exclusive" else 0
    extras = row["round_off_amount"] + row["fractional_correction"]
    parts = row["amount_allocated"] + row["amount_refunded"] + row["amount_available"]
    checks = {
        "sub_total": row["sub_total"] == _sum(row["line_items"], "amount") - _sum(row["line_items"], "discount_amount"),
        "total": row["total"] == row["sub_total"] + on_top + extras,
        "parts": row["total"] == parts,
        "allocated": row["amount_allocated"] == _sum(row.get("allocations", []), "allocated_amount"),
        "refunded": row["amount_refunded"] == _sum(row.get("linked_refunds", []), "applied_amount"),
        "tax": tax == _sum(row["line_items"], "tax_amount") == _sum(row["line_item_taxes"], "tax_amount"),
        "voided keeps its total": row["status"] != "voided" or row["amount_available"] == row["total"],
        "used up": row["status"] not in ("refunded", "adjusted") or row["amount_available"] == 0,
        "positive": row["total"] > 0,
    }
    return [name for name, holds in checks.items() if not holds]


def broken_transaction(row):
    if row["type"] == "refund":
        linked = row.get("linked_credit_notes")
        return [] if not linked or row["amount"] == _sum(linked, "applied_amount") else ["refund"]
    if row["type"] != "payment":
        return []
    parts = _sum(row["linked_invoices"], "applied_amount") + row["amount_unused"]
    whole = parts + _sum(row["linked_refunds"], "txn_amount")
    return [] if row["amount"] == whole and row["amount"] > 0 else ["payment"]


def broken(site):
    """(kind, id, identity) of every breach on the site, and links whose two sides differ."""
    found = [("invoice", row["id"], name) for row in site.all("invoice") for name in broken_invoice(row)]
    found += [("credit_note", row["id"], name) for row in site.all("credit_note") for name in broken_note(row)]
    found += [("transaction", row["id"], name) for row in site.all("transaction") for name in broken_transaction(row)]
    return found + _one_sided(site)


def _one_sided(site):
    invoices = {row["id"]: row for row in site.all("invoice")}
    here = {
        (row["id"], link["txn_id"], link["applied_amount"], link["txn_status"])
        for row in invoices.values()
        for link in row.get("linked_payments", [])
    }
    there = {
        (link["invoice_id"], row["id"], link["applied_amount"], row["status"])
        for row in site.all("transaction")
        for link in row.get("linked_invoices", [])
    }
    notes = {row["id"]: row["status"] for row in site.all("credit_note")}
    stale = [
        ("invoice", row["id"], f"{name} tells another status of {link['cn_id']}")
        for row in invoices.values()
        for name in ("adjustment_credit_notes", "issued_credit_notes", "applied_credits")
        for link in row.get(name, [])
        if link["cn_status"] != notes[link["cn_id"]]
    ]
    return [("link", *row) for row in sorted(here ^ there)] + stale

"""What the books of the demo should hold, told by the oracle from Chargebee's raw documents and the exported mappings.

`python -m tests.oracle.demo SANDBOX MAPPINGS.xlsx KEPT.json` prints {"account currency": amount}; debit is positive.
KEPT.json keeps the invoices as they stood last time, for what is voided later. DEMO_CHARGEBEE_KEY holds the key.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from tests.oracle.fold import fold
from tests.oracle.model import Document, Earlier, Key, Mapping, Policies

RESOURCES = {"invoices": "invoice", "credit_notes": "credit_note", "transactions": "transaction"}
OFFLINE = dict.fromkeys(("check", "bank_transfer", "cash"), "chargebee")  # as the demo's tenant file says


def main(sandbox: str, mappings: str, kept: str) -> None:
    documents = {name: list(listed(sandbox, name)) for name in RESOURCES}
    prices = {one["id"]: (one["item_id"], one["item_family_id"]) for one in listed(sandbox, "item_prices")}
    path = Path(kept)
    before = json.loads(path.read_text()) if path.exists() else []
    mapping = mapping_of(rows_of(mappings), prices, ended(before, documents["invoices"]))
    books = fold(documents, mapping)
    path.write_text(json.dumps([one for one in documents["invoices"] if one["status"] != "voided"]))
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for (account, currency, _), (debit, credit) in books.trial_balance.items():
        sums[f"{account} {currency}"] += debit - credit
    sys.stdout.write(json.dumps({key: str(amount) for key, amount in sums.items() if amount}))


def listed(sandbox: str, resource: str) -> Iterator[Document]:
    """Every document of a list, the deleted ones too."""
    token = base64.b64encode(f"{os.environ['DEMO_CHARGEBEE_KEY']}:".encode()).decode()
    asked = {"limit": "100"} | ({} if resource == "item_prices" else {"include_deleted": "true"})
    while True:
        url = f"{sandbox}/api/v2/{resource}?{urllib.parse.urlencode(asked)}"
        request = urllib.request.Request(url, headers={"Authorization": f"Basic {token}"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            page = json.load(reply)
        yield from (next(value for name, value in row.items() if name in resource) for row in page["list"])
        if "next_offset" not in page:
            return
        asked["offset"] = page["next_offset"]


def ended(before: list[Document], now: list[Document]) -> dict[Key, list[Earlier]]:
    """Invoices that stood and are voided or deleted now: they were posted, and taken back."""
    gone = {one["id"] for one in now if one["status"] == "voided" or one.get("deleted")}
    return {("invoice", one["id"]): [Earlier(one)] for one in before if one["id"] in gone}


def rows_of(path: str) -> dict[str, list[dict[str, str]]]:
    """Sheet -> its rows as texts."""
    found = {}
    for sheet in load_workbook(path, read_only=True).worksheets:
        rows = sheet.iter_rows(values_only=True)
        headings = [str(cell) for cell in next(rows, ())]
        found[sheet.title] = [
            dict(zip(headings, ("" if cell is None else str(cell) for cell in row), strict=True)) for row in rows
        ]
    return found


def mapping_of(
    rows: dict[str, list[dict[str, str]]], prices: dict[str, tuple[str, str]], before: dict[Key, list[Earlier]]
) -> Mapping:
    """The demo's mappings; every row of it holds from the start of the year on."""
    by_level: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in rows["items"]:
        by_level[row["level"]][row["key"]] = row["gl_account"]
    roles = {row["role"]: row["gl_account"] for row in rows["account_roles"]}
    return Mapping(
        zone="America/Denver",
        customers={row["chargebee_id"]: row["qad_code"] for row in rows["customers"]},
        roles={**roles, "accounts_receivable": roles["receivable"]},
        item_prices=by_level["item_price"],
        items=by_level["item"],
        families=by_level["item_family"],
        charge=by_level["charge"].get("adhoc"),
        catalogue=prices,
        taxes={(row["jurisdiction"], row["name"], row["rate"]): row["gl_account"] for row in rows["taxes"]},
        banks={(row["gateway"], row["method"], row["currency"]): row["gl_account"] for row in rows["banks"]},
        policies=Policies(rounding_tolerance=5, offline=OFFLINE),
        posted_before=before,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

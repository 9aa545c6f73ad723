"""From Chargebee's codes to accounts: the most specific row wins, and the row that is valid on the day."""

from collections.abc import Collection
from datetime import date
from decimal import Decimal

from .model import Document, Mapping, Rows
from .outcome import held

Coding = tuple[str, tuple[tuple[str, str], ...]]  # (account, dimensions)


def coding(rows: Rows | None, day: date) -> Coding | None:
    """The account and its dimensions on a day; None if no row is valid yet."""
    if isinstance(rows, list):
        begun = [row for row in rows if row[0] <= day]
        rows = max(begun, key=lambda row: row[0])[1] if begun else None
    if rows is None or isinstance(rows, str):
        return (rows, ()) if rows else None
    account, dims = rows
    return account, tuple(sorted(dims.items()))


def role(mapping: Mapping, name: str, day: date) -> Coding:
    found = coding(mapping.roles.get(name), day)
    if found is None and name == "on_account":
        return role(mapping, "accounts_receivable", day)
    if found is None:
        raise held(f"role {name} has no account on {day}")
    return found


def customer(mapping: Mapping, document: Document) -> str:
    code = mapping.customers.get(document["customer_id"])
    if not code:
        raise held(f"customer {document['customer_id']} has no QAD code")
    return code


def item(mapping: Mapping, line: Document, day: date) -> Coding:
    price = line.get("entity_id") or ""
    item_id, family = mapping.catalogue.get(price, ("", ""))
    levels = [mapping.item_prices.get(price), mapping.items.get(item_id), mapping.families.get(family)]
    levels += [mapping.charge if not price else None, mapping.fallback]
    for rows in levels:
        found = coding(rows, day)
        if found is not None:
            return found
    raise held(f"line {line.get('id')} ({price or 'no item price'}) has no account on {day}")


def tax(mapping: Mapping, row: Document, day: date) -> Coding:
    """A row of line_item_taxes, or of taxes (which knows a name only)."""
    places = {row.get(f"tax_juris_{part}") or "" for part in ("code", "name", "type")}
    names = {row.get("tax_name") or row.get("name") or ""}
    table = {(place, name, rate_text(rate)): rows for (place, name, rate), rows in mapping.taxes.items()}
    found = most_specific(table, (places, names, {rate_text(row.get("tax_rate"))}), day)
    if found is None:
        raise held(f"tax {names} {row.get('tax_rate')} of {places} has no account on {day}")
    return found


def rate_text(rate: object) -> str:
    """'19', 19, 19.0 and '19.00' are one rate; no rate is ''."""
    if rate is None or rate == "":
        return ""
    return f"{Decimal(str(rate)).normalize():f}"


def bank(mapping: Mapping, transaction: Document, day: date) -> Coding | None:
    wanted = tuple({transaction.get(name) or ""} for name in ("gateway", "payment_method", "currency_code"))
    return most_specific(mapping.banks, wanted, day)


def most_specific(
    table: dict[tuple[str, str, str], Rows], wanted: tuple[Collection[str], ...], day: date
) -> Coding | None:
    """Blank parts of a key match all; more filled parts win, then the earlier part."""
    fitting = [key for key in table if all(not part or part in ok for part, ok in zip(key, wanted, strict=True))]
    fitting.sort(key=lambda key: (sum(map(bool, key)), [bool(part) for part in key]), reverse=True)
    codings = (coding(table[key], day) for key in fitting)
    return next((found for found in codings if found is not None), None)

"""What the shape alone cannot say: names must be ours, required ones present, and the parts must fit together."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from connector.qad import canonical
from connector.qad.profile_load import Loader
from connector.qad.profile_shape import Auth, Correction, ListOf, Lookup, Paging, Profile, Table, Write


def check(profile: Profile, loader: Loader) -> None:
    """Adds to `loader.problems` whatever would make a call fail later."""
    _auth(profile.auth, loader)
    _paging(profile.browse.paging, loader)
    for name, listed in profile.lists.items():
        _list(name, listed, profile, loader)
    for entity, write in profile.writes.items():
        _write(entity, write, profile, loader)


def _auth(auth: Auth, loader: Loader) -> None:
    for name in ("session_seconds", "idle_seconds"):
        life = getattr(auth, name)
        if life and life <= auth.refresh_margin_seconds:
            loader.complain(
                "wrong-value",
                f"auth.{name}",
                f"{life} is not above refresh_margin_seconds: every token would be too old at once.",
                "Raise it, lower the margin, or give 0 where the instance does not say.",
            )


def _paging(paging: Paging, loader: Loader) -> None:
    needed = {"flag": "more_pointer", "total": "total_pointer"}.get(paging.more)
    if needed and not getattr(paging, needed):
        _missing(loader, f"browse.paging.{needed}", f"more = '{paging.more}' needs it")
    if paging.more == "full_page":
        return
    if paging.count_path and not paging.count_pointer:
        _missing(loader, "browse.paging.count_pointer", "count_path needs it")


def _list(name: str, listed: ListOf, profile: Profile, loader: Loader) -> None:
    path = f"lists.{name}"
    names = canonical.LISTS[name]
    _names(listed.fields, names, f"{path}.fields", loader)
    if not listed.path and not profile.browse.path:
        _missing(loader, f"{path}.path", "neither this list nor [browse] has a path")
    if not listed.path and not listed.browse_id:
        _missing(loader, f"{path}.browse_id", "a list needs a browse id or a path of its own")


def _write(name: str, write: Write, profile: Profile, loader: Loader) -> None:
    path = f"writes.{name}"
    names = canonical.WRITES[name]
    _names(write.fields, names, f"{path}.fields", loader)
    _lengths(write.max_length, names.fields, f"{path}.max_length", loader)
    if not write.path:
        _missing(loader, f"{path}.path", "a write needs one")
    _collisions(write.fields, write.constants, f"{path}.constants", loader)
    _names(write.read_fields, canonical.Names(canonical.READS[name], ()), f"{path}.read_fields", loader)
    for constant in write.required_constants:
        if constant not in write.constants:
            _missing(loader, f"{path}.constants.{constant}", f"{path}.required_constants names it")
    if write.style == "envelope" and not write.collection:
        _missing(loader, f"{path}.collection", "an envelope names its collection")
    for table in ("lines", "taxes", "applications"):
        _table(table, getattr(write, table), names, path, loader)
    if "lines" in names.tables and write.lines is None:
        _missing(loader, f"{path}.lines", "this document has lines")
    _lookup(write.lookup, write, profile, path, loader)
    for correction in ("reversal", "refund", "unapplication"):
        _correction(getattr(write, correction), write, profile, f"{path}.{correction}", loader)


def _table(name: str, table: Table | None, names: canonical.Names, path: str, loader: Loader) -> None:
    if table is None:
        return
    below = f"{path}.{name}"
    if name not in names.tables:
        loader.complain("unknown-key", below, f"this entity has no {name}.", "Remove it.")
        return
    _names(table.fields, canonical.TABLES[name], f"{below}.fields", loader)
    _lengths(table.max_length, canonical.TABLES[name].fields, f"{below}.max_length", loader)
    _collisions(table.fields, table.constants, f"{below}.constants", loader)
    sided = {"debit", "credit"} <= set(table.fields)
    if table.sign == "debit_credit" and not sided:
        _missing(loader, f"{below}.fields.debit", "sign = 'debit_credit' needs the fields debit and credit")
    if table.sign != "debit_credit" and "amount" not in table.fields:
        _missing(loader, f"{below}.fields.amount", f"sign = '{table.sign}' needs it")


def _lookup(lookup: Lookup, write: Write, profile: Profile, path: str, loader: Loader) -> None:
    if lookup.how == "read" and "reference" not in write.keys:
        _missing(loader, f"{path}.keys.reference", "lookup.how = 'read' needs the key that carries the reference")
    if lookup.how != "browse":
        return
    if lookup.list not in profile.lists:
        _missing(loader, f"lists.{lookup.list or '?'}", f"{path}.lookup.list names it")
    listed = profile.list_of(lookup.list)
    field = "external_reference" if lookup.list == "customers" else "reference"
    if listed and field not in listed.fields:
        _missing(loader, f"lists.{lookup.list}.fields.{field}", f"{path}.lookup finds documents by it")
    if lookup.match not in profile.browse.filters.operators:
        _missing(loader, f"browse.filters.operators.{lookup.match}", f"{path}.lookup.match names it")


def _correction(correction: Correction, write: Write, profile: Profile, path: str, loader: Loader) -> None:
    if correction.how != "own_entity":
        _collisions(
            dict(enumerate([*write.fields.values(), *correction.link.values()])),
            correction.constants,
            f"{path}.constants",
            loader,
        )
    if correction.how == "own_entity" and correction.entity not in profile.writes:
        loader.complain(
            "wrong-value", f"{path}.entity", f"'{correction.entity}' is not an entity of [writes].", "Name one of them."
        )


def _names(given: Mapping[str, str], names: canonical.Names, path: str, loader: Loader) -> None:
    for name, theirs in given.items():
        if name not in names.fields:
            near = get_close_matches(name, names.fields, 1)
            hint = f"Did you mean '{near[0]}'?" if near else f"Known here: {', '.join(names.fields)}."
            loader.complain("unknown-key", f"{path}.{name}", "there is no such field.", f"{hint} Correct or remove it.")
        elif not theirs:
            loader.complain("wrong-value", f"{path}.{name}", "the name is empty.", "Give a name or remove the key.")
    for alternatives in names.required:
        if not any(name in given for name in alternatives):
            _missing(loader, f"{path}.{alternatives[0]}", "the connector cannot do without this field")


def _collisions(fields: Mapping[Any, str], constants: Mapping[str, object], path: str, loader: Loader) -> None:
    """An instance's field can be written once, and cannot be a value and an object at a time."""
    names = [*fields.values(), *constants]
    for name in sorted({name for name in names if names.count(name) > 1}):
        loader.complain("wrong-value", f"{path}.{name}", f"'{name}' is written twice.", "Remove one of the two.")
    for name in names:
        if any(other.startswith(f"{name}.") for other in names):
            loader.complain(
                "wrong-value", f"{path}.{name}", f"'{name}' is both a value and an object.", "Correct one of the names."
            )


def _lengths(given: Mapping[str, int], known: tuple[str, ...], path: str, loader: Loader) -> None:
    for name in given:
        if name not in known:
            loader.complain("unknown-key", f"{path}.{name}", "there is no such field.", "Correct or remove it.")


def _missing(loader: Loader, path: str, why: str) -> None:
    loader.complain("missing", path, f"it is missing: {why}.", "Add it to the profile.")

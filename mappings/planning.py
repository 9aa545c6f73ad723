"""What a set of changes would do and what speaks against it; reads only."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q

from connector.errors import Problem
from mappings import mirror
from mappings.kinds import KINDS, Kind
from mappings.models import CustomerKind, CustomerMapping
from mappings.rules import LIST_OF_COLUMN, Finding, Mirror, check


@dataclass(frozen=True, slots=True)
class Change:
    """One row as it should be. `values` has every field of its kind; `pk` is the row edited, None to go by its key."""

    kind: str
    values: Mapping[str, Any]
    place: str = ""  # where a person finds it, such as "items, row 7"
    pk: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one change may not be saved."""

    change: Change
    finding: Finding

    @property
    def problem(self) -> Problem:
        return self.finding.problem


@dataclass(frozen=True, slots=True)
class Planned:
    """A change beside the row that it finds, None if the row is new."""

    change: Change
    row: Any = None
    before: Mapping[str, Any] | None = None

    @property
    def is_new(self) -> bool:
        return self.row is None

    @property
    def is_unchanged(self) -> bool:
        return self.before == self.change.values


def plan(tenant_id: int, changes: Sequence[Change], *, lock: bool = False) -> list[Planned]:
    """Each change beside the stored row that it means, in the same order; a query for each kind."""
    planned: dict[int, Planned] = {}
    for name, kind in KINDS.items():
        mine = [(place, change) for place, change in enumerate(changes) if change.kind == name]
        if mine:
            stored = _stored(kind, tenant_id, [change for _, change in mine], lock=lock)
            by_key = {kind.key_of(kind.values_of(row)): row for row in stored}
            by_pk = {row.pk: row for row in stored}
            for place, change in mine:
                row = by_key.get(kind.key_of(change.values)) if change.pk is None else by_pk.get(change.pk)
                planned[place] = Planned(change, row, kind.values_of(row) if row is not None else None)
    return [planned[place] for place in sorted(planned)]


def fingerprint(planned: Sequence[Planned]) -> str:
    """A mark of the stored rows that the changes find: it is another one as soon as one of them was changed."""
    rows = [(one.change.kind, _place(one), sorted((one.before or {}).items())) for one in planned]
    return hashlib.sha256("\n".join(sorted(map(repr, rows))).encode()).hexdigest()


def _place(one: Planned) -> str:
    return str(one.change.pk or KINDS[one.change.kind].key_of(one.change.values))


def moved(planned: Sequence[Planned], seen: str) -> list[Refusal]:
    """What speaks against changes that were decided on from rows that are others by now; `seen` '' asks nothing."""
    if not seen or not planned or fingerprint(planned) == seen:
        return []
    change = planned[0].change
    what = _subject(change) if len(planned) == 1 else "A row"
    message = f"{what} was changed by somebody else after it was shown."
    return [_refusal(change, "", "row-moved", message, "Nothing was saved. Look at what it is now and decide again.")]


def _stored(kind: Kind, tenant_id: int, changes: Sequence[Change], *, lock: bool) -> list[Any]:
    rows = kind.model._default_manager.filter(tenant_id=tenant_id)
    names = {change.values[kind.narrow] for change in changes}
    pks = {change.pk for change in changes if change.pk is not None}
    if len(names) + len(pks) <= mirror.FEW:
        rows = rows.filter(Q(**{f"{kind.narrow}__in": names}) | Q(pk__in=pks))
    return list(rows.select_for_update() if lock else rows)


def refusals_of(tenant_id: int, planned: Sequence[Planned]) -> list[Refusal]:
    """Every reason against the changes. Rows that stay as they are need no fresh look at QAD's lists."""
    moving = [one.change for one in planned if not one.is_unchanged]
    codes = {change.values["qad_code"] for change in moving if change.kind == "customers"}
    named: dict[str, set[str]] = {}
    for column, name in LIST_OF_COLUMN.items():
        named.setdefault(name, set()).update(str(one.values[column]) for one in moving if one.values.get(column))
    known = mirror.read(tenant_id, {change.kind for change in moving}, codes, named)
    found = [Refusal(change, finding) for change in moving for finding in _findings(change, known)]
    return found + _vanished(planned) + _twins(tenant_id, planned) + _shared_customers(tenant_id, planned)


def _findings(change: Change, known: Mirror) -> list[Finding]:
    """What the rules say, and then what the model says of fields that the rules have nothing against."""
    found = check(change.kind, change.values, known, _subject(change))
    named = {finding.field for finding in found}
    row = KINDS[change.kind].model(**change.values)
    try:
        row.full_clean(exclude={"tenant", *named}, validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        for field, messages in error.message_dict.items():
            message = f"{_subject(change)}: {field} is refused."
            problem = Problem("cell-refused", _subject(change), message, " ".join(messages), "mappings")
            found.append(Finding(field, problem))
    return found


def _vanished(planned: Sequence[Planned]) -> list[Refusal]:
    lost = [one.change for one in planned if one.change.pk is not None and one.row is None]
    return [
        _refusal(change, "", "row-gone", f"{_subject(change)} was deleted meanwhile.", "Add it as a new row.")
        for change in lost
    ]


def _twins(tenant_id: int, planned: Sequence[Planned]) -> list[Refusal]:
    """Two changes for one key, or an edit that takes the key of another row."""
    counts = Counter((one.change.kind, KINDS[one.change.kind].key_of(one.change.values)) for one in planned)
    found = []
    for one in planned:
        kind = KINDS[one.change.kind]
        key = kind.key_of(one.change.values)
        subject = _subject(one.change)
        if counts[one.change.kind, key] > 1:
            message = f"{subject} stands in the file twice."
            found.append(_refusal(one.change, kind.key[0], "row-twice", message, "Keep one of them."))
        elif one.change.pk is not None and _is_taken(tenant_id, kind, one):
            message = f"{subject} exists already."
            found.append(_refusal(one.change, kind.key[0], "row-exists", message, "Change that row instead."))
    return found


def _is_taken(tenant_id: int, kind: Kind, one: Planned) -> bool:
    key = kind.key_of(one.change.values)
    if one.before is None or kind.key_of(one.before) == key:
        return False
    others = kind.model._default_manager.filter(tenant_id=tenant_id).exclude(pk=one.change.pk)
    return others.filter(**dict(zip(kind.key, key, strict=True))).exists()


def _shared_customers(tenant_id: int, planned: Sequence[Planned]) -> list[Refusal]:
    """A QAD customer may have one direct row; the rows that are not among the changes count too."""
    direct = [
        one.change
        for one in planned
        if one.change.kind == "customers" and one.change.values["kind"] == CustomerKind.DIRECT and not one.is_unchanged
    ]
    if not direct:
        return []
    owner = _owners(tenant_id, planned, {change.values["qad_code"] for change in direct})
    found = []
    for change in direct:
        code, name = change.values["qad_code"], change.values["chargebee_id"]
        other = owner.setdefault(code, name)
        if other != name:
            message = f"{_subject(change)}: QAD customer {code} already belongs to '{other}'."
            fix = "Choose another customer, or make one of the two an alias or collective."
            found.append(_refusal(change, "qad_code", "customer-taken", message, fix))
    return found


def _owners(tenant_id: int, planned: Sequence[Planned], codes: Collection[str]) -> dict[str, str]:
    """QAD code -> the Chargebee customer that keeps it as its own, of the rows that the changes leave alone."""
    moving = {one.row.pk for one in planned if one.row is not None and not one.is_unchanged}
    rows = CustomerMapping.objects.filter(tenant_id=tenant_id, kind=CustomerKind.DIRECT)
    named = mirror.few(rows, "qad_code", codes).values_list("pk", "qad_code", "chargebee_id")
    return {code: name for pk, code, name in named if pk not in moving}


def _refusal(change: Change, field: str, code: str, message: str, fix: str) -> Refusal:
    return Refusal(change, Finding(field, Problem(code, _subject(change), message, fix, "mappings")))


def _subject(change: Change) -> str:
    return KINDS[change.kind].subject(change.values)

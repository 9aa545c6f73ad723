"""Reads QAD's lists into the mirrors: pages over the network first, rows in short transactions after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Protocol

from django.db import transaction
from django.db.models import Q

from connector.errors import Configuration
from connector.qad.browse import Filter
from connector.qad.profile import Profile
from mappings import revision
from mappings.listed import LISTS, Mirrored
from mappings.models import MirrorAnswer, MirrorState
from tenants.models import Tenant

__all__ = ["LISTS", "note_failure", "refresh_configured", "refresh_mirror"]

_BATCH = 400


class Lists(Protocol):
    """What a refresh needs of a QAD client: pages of rows under our own names."""

    def browse(self, list_name: str, filters: tuple[Any, ...] = ()) -> Iterator[list[dict[str, Any]]]: ...


class Profiled(Lists, Protocol):
    """A client that also says which lists it knows."""

    @property
    def profile(self) -> Profile: ...


def refresh_configured(
    tenant: Tenant, client: Profiled, names: Collection[str], now: dt.datetime
) -> Iterator[MirrorState]:
    """Read these lists, each as soon as it is asked for. One that is not configured, or set up wrongly, says so in its
    state and stops no other. Raises what the client raises when QAD cannot be reached or refuses us.
    """
    for name in names:
        if client.profile.list_of(name) is None:
            yield _note(tenant, name, MirrorAnswer.NOT_CONFIGURED, _not_configured(name), now)
            continue
        try:
            yield refresh_mirror(tenant, client, name, now, _filters(LISTS[name], client.profile, now))
        except Configuration as error:
            yield note_failure(tenant, name, error.message, now)


def refresh_mirror(
    tenant: Tenant, client: Lists, list_name: str, now: dt.datetime, filters: tuple[Filter, ...] = ()
) -> MirrorState:
    """Read one list (a name of LISTS) and keep what it said.

    Rows that QAD lists no more are marked gone, and only after a whole pass: an error on the way leaves the rows of
    the pages before it refreshed and nothing marked. A list that was full and comes back empty is not believed.
    Raises what the client raises.
    """
    mirrored = LISTS[list_name]
    seen: set[str] = set()
    for page in client.browse(list_name, filters):
        rows = [fields for row in page if (fields := mirrored.fields(row))["code"]]
        _store(tenant, mirrored, {fields["code"]: fields for fields in rows}, now)
        seen.update(fields["code"] for fields in rows)
    return _settle(tenant, mirrored, seen, now)


def _filters(mirrored: Mirrored, profile: Profile, now: dt.datetime) -> tuple[Filter, ...]:
    """Only those that this instance can express."""
    return tuple(one for one in mirrored.filters(now) if one.operator in profile.browse.filters.operators)


def _store(tenant: Tenant, mirrored: Mirrored, rows: Mapping[str, dict[str, Any]], now: dt.datetime) -> None:
    """Insert or update one page."""
    names = [field for field in next(iter(rows.values()), {}) if field != "code"]
    model, fixed = mirrored.model, mirrored.fixed
    made = [model(tenant=tenant, seen_at=now, is_gone=False, **fixed, **fields) for fields in rows.values()]
    model._default_manager.bulk_create(
        made,
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["tenant", *fixed, "code"],
        update_fields=[*names, "seen_at", "is_gone"],
    )


def _settle(tenant: Tenant, mirrored: Mirrored, seen: set[str], now: dt.datetime) -> MirrorState:
    rows = mirrored.rows(tenant)
    with transaction.atomic():
        state, _ = MirrorState.objects.select_for_update().get_or_create(tenant=tenant, list_name=mirrored.name)
        state.asked_at = now
        if not seen:
            state.answer = MirrorAnswer.EMPTY
            state.sentence = _empty(mirrored.title, rows.filter(is_gone=False).count())
        else:
            gone = rows.filter(is_gone=False, seen_at__lt=now).update(is_gone=True) if mirrored.is_complete else 0
            _mark_lost(rows, now)
            state.answer, state.refreshed_at, state.rows = MirrorAnswer.OK, now, len(seen)
            state.sentence = f"QAD lists {len(seen)} {mirrored.title}" + (f"; {gone} are gone." if gone else ".")
        state.save()
        revision.bump(tenant.pk)
    return state


def _mark_lost(rows: Any, now: dt.datetime) -> None:
    """The moment since which a code cannot be used, forgotten as soon as it can again."""
    unusable = Q(is_gone=True) | Q(is_active=False)
    rows.filter(unusable, lost_at=None).update(lost_at=now)
    rows.filter(~unusable, lost_at__isnull=False).update(lost_at=None)


def note_failure(tenant: Tenant, name: str, sentence: str, now: dt.datetime) -> MirrorState:
    """QAD could not be asked, or did not understand: what is known of the list stays."""
    return _note(tenant, name, MirrorAnswer.FAILED, f"It could not be read. {sentence}", now)


def _note(tenant: Tenant, name: str, answer: MirrorAnswer, sentence: str, now: dt.datetime) -> MirrorState:
    with transaction.atomic():
        before = MirrorState.objects.filter(tenant=tenant, list_name=name).values_list("answer", flat=True).first()
        state, _ = MirrorState.objects.update_or_create(
            tenant=tenant, list_name=name, defaults={"asked_at": now, "answer": answer, "sentence": sentence}
        )
        if before != answer:
            revision.bump(tenant.pk)
    return state


def _not_configured(name: str) -> str:
    one = LISTS[name]
    return (
        f"The QAD profile has no list '{name}', so nothing is checked against QAD's {one.title} ({one.serves}). "
        f"Add [lists.{name}] to the profile to have it checked."
    )


def _empty(title: str, known: int) -> str:
    """QAD answers an unknown or forbidden list with nothing at all, so nothing is no proof that nothing is there."""
    kept = f" The {known} known ones are kept." if known else ""
    return f"Empty, not confirmed: QAD listed no {title}.{kept} Check the list's address and your rights in QAD."

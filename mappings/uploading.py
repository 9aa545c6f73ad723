"""Large spreadsheets in the background: checked without a lock, shown, and saved in one write when a person says so.

waiting -> checking -> checked -> asked -> saving -> saved; or failed, with a sentence. Each step is claimed by a
conditional update. What dies on the way is taken up again after a while, three times at most: a check changes nothing,
and a save leaves its sentence in its own transaction, so that it is never done twice; what follows from it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.db.models import F, Q, QuerySet
from import_export.results import RowResult

from mappings import sheets
from mappings.files import failed_rows, row_errors
from mappings.formats import NumberedDataset, dataset_of
from mappings.giving_up import MOST_TRIES, give_up
from mappings.kinds import KINDS
from mappings.models import MappingUpload, UploadState
from mappings.planning import plan
from mappings.resources import RESOURCES, MappingResource, MappingResult
from mappings.saving import Saved
from mappings.screens import IN_BACKGROUND, ImpactOf
from mappings.sheets import UnreadableFile
from mappings.uploads import UploadStorage
from mappings.workbooks import to_xlsx
from tenants.models import Tenant

SHOWN = 200  # changes and errors that are kept for the page
STEP = 500  # rows between two signs of life
PATIENCE = dt.timedelta(minutes=5)  # without a sign of life, a check or save is taken up again


class _Overtaken(Exception):
    """Another worker has saved this upload meanwhile."""


def receive(tenant: Tenant, kind: str, name: str, content: bytes, *, actor: str, now: dt.datetime) -> MappingUpload:
    """Keep an upload and its row; the caller then asks for its check."""
    storage = UploadStorage()
    storage.save(content)
    ending = name.rpartition(".")[2].lower()
    given = {"kind": kind, "file_name": name[-120:], "ending": ending, "stored_as": storage.name, "actor": actor}
    return MappingUpload.objects.create(tenant=tenant, created_at=now, changed_at=now, **given)


def due(tenant: Tenant, now: dt.datetime) -> QuerySet[MappingUpload]:
    """Uploads to check or save now: those that wait, and those of which nothing was heard for a while."""
    waits = Q(state__in=(UploadState.WAITING, UploadState.ASKED))
    silent = Q(state__in=(UploadState.CHECKING, UploadState.SAVING), changed_at__lt=now - PATIENCE)
    return MappingUpload.objects.filter(waits | silent, tenant=tenant).order_by("pk")


def work(
    tenant: Tenant,
    *,
    clock: Callable[[], dt.datetime],
    after_save: Callable[[Saved], None],
    impact_of: ImpactOf | None = None,
) -> int:
    """Check or save everything that is due; returns how many uploads got on.

    `impact_of` says, at the end of a check, what the save would do to documents.
    """
    done = 0
    while (upload := due(tenant, clock()).select_related("tenant").first()) is not None:
        if upload.tries >= MOST_TRIES:
            done += give_up(upload, clock())
            continue
        is_check = upload.state in (UploadState.WAITING, UploadState.CHECKING)
        if _claim(upload, UploadState.CHECKING if is_check else UploadState.SAVING, clock()):
            done += 1
            if is_check:
                _check(upload, clock, impact_of)
            elif (saved := _save(upload, clock)) is not None:
                after_save(saved)
                _finish(upload, clock)
    return done


def _claim(upload: MappingUpload, state: UploadState, now: dt.datetime) -> bool:
    found = MappingUpload.objects.filter(pk=upload.pk, state=upload.state, changed_at=upload.changed_at)
    is_ours = bool(found.update(state=state, done_rows=0, changed_at=now, tries=F("tries") + 1))
    upload.state = state
    return is_ours


def _check(upload: MappingUpload, clock: Callable[[], dt.datetime], impact_of: ImpactOf | None = None) -> None:
    """Compare every row with what is stored; nothing is saved."""
    try:
        dataset = _dataset(upload)
        _tell(upload, clock, total_rows=len(dataset))
        resource, result = _run(upload, dataset, clock, dry_run=True)
    except UnreadableFile as error:
        _tell(upload, clock, state=UploadState.FAILED, sentence=str(error))
        return
    found = _found(upload, dataset, resource, result)
    moving = found["created"] + found["changed"]
    if impact_of is not None and moving:
        _tell(upload, clock, done_rows=len(dataset))
        found["shown"]["impact"] = impact_of(upload.tenant, result.changes, limit=IN_BACKGROUND)
    _tell(upload, clock, state=UploadState.CHECKED, **found)


def ask_to_save(upload: MappingUpload, *, may_leave_out: bool, actor: str, now: dt.datetime) -> bool:
    """Ask for the save; False if it was asked for already or the wrong rows stand in its way."""
    ready = MappingUpload.objects.filter(pk=upload.pk, tenant=upload.tenant_id, state=UploadState.CHECKED)
    if not may_leave_out:
        ready = ready.filter(wrong=0)
    values = {"state": UploadState.ASKED, "may_leave_out": may_leave_out, "saved_by": actor, "changed_at": now}
    return bool(ready.update(done_rows=0, tries=0, **values))


def _save(upload: MappingUpload, clock: Callable[[], dt.datetime]) -> Saved | None:
    """Read the file again and save it in one write; None if that did not work."""
    if upload.sentence:
        return Saved(
            keys=frozenset({(upload.kind,)}), actor=upload.saved_by
        )  # it was saved, by a worker that died right after
    try:
        _, result = _run(upload, _dataset(upload), clock, dry_run=False)
    except _Overtaken:
        return None
    except UnreadableFile as error:
        _tell(upload, clock, state=UploadState.FAILED, sentence=str(error))
        return None
    saved = result.saved
    if saved is None or (saved.refusals and not saved):
        sentence = "Nothing was saved: other changes came in between. Upload the file again to see what is wrong now."
        _tell(upload, clock, state=UploadState.FAILED, sentence=sentence)
        return None
    return saved


def _finish(upload: MappingUpload, clock: Callable[[], dt.datetime]) -> None:
    """The last step, when what follows from the save is done too."""
    found = MappingUpload.objects.filter(pk=upload.pk, state=UploadState.SAVING)
    found.update(state=UploadState.SAVED, changed_at=clock())
    UploadStorage(name=upload.stored_as).remove()


def _leave_sentence(upload: MappingUpload, saved: Saved, left_out: int, now: dt.datetime) -> None:
    """In the transaction of the save: that it is done. Raises _Overtaken, which undoes it, if it was done already."""
    wrong = f" {left_out:,} wrong rows were left out." if left_out else ""
    text = f"Saved: {saved.created:,} new, {saved.changed:,} changed, {saved.unchanged:,} unchanged.{wrong}"
    found = MappingUpload.objects.filter(pk=upload.pk, state=UploadState.SAVING, sentence="")
    if not found.update(sentence=text, changed_at=now):
        raise _Overtaken


def wrong_rows(upload: MappingUpload) -> bytes:
    """The wrong rows with their reasons as a workbook. Raises UnreadableFile if the upload is gone."""
    return _stored(upload.failed_as)


def _dataset(upload: MappingUpload) -> NumberedDataset:
    content = _stored(upload.stored_as)
    return dataset_of(sheets.of_kind(sheets.read(content, f"upload.{upload.ending}"), upload.kind))


def _stored(name: str) -> bytes:
    storage = UploadStorage(name=name)
    if not name or not storage.exists():
        raise UnreadableFile("The upload is no longer here; uploads are kept for a day. Upload the file again.")
    return storage.read()


def _run(
    upload: MappingUpload, dataset: NumberedDataset, clock: Callable[[], dt.datetime], *, dry_run: bool
) -> tuple[MappingResource, MappingResult]:
    def on_row(number: int) -> None:
        if number % STEP == 0:
            _tell(upload, clock, done_rows=number)

    resource = RESOURCES[upload.kind](
        tenant=upload.tenant,
        actor=upload.saved_by,
        may_leave_out=upload.may_leave_out,
        on_row=on_row,
        on_saved=lambda saved, left_out: _leave_sentence(upload, saved, left_out, clock()),
        seen=upload.shown.get("seen", ""),
    )
    found: Any = resource.import_data(dataset, dry_run=dry_run)
    if any(isinstance(error.error, _Overtaken) for error in found.base_errors):
        raise _Overtaken
    if found.base_errors:
        raise UnreadableFile(" ".join(str(error.error) for error in found.base_errors))
    if found.has_errors():
        line, errors = next(iter(found.row_errors()))
        raise UnreadableFile(f"Row {line} cannot be read: {errors[0].error}")
    return resource, found


def _found(
    upload: MappingUpload, dataset: NumberedDataset, resource: MappingResource, result: MappingResult
) -> dict[str, Any]:
    """The columns that say what a check found."""
    errors = row_errors(upload.kind, dataset, result)
    failed_as = ""
    if errors:
        storage = UploadStorage()
        storage.save(to_xlsx([failed_rows(upload.kind, dataset, errors)]))
        failed_as = str(storage.name)
    return {
        "done_rows": len(dataset),
        "created": result.totals[RowResult.IMPORT_TYPE_NEW],
        "changed": result.totals[RowResult.IMPORT_TYPE_UPDATE],
        "unchanged": result.totals[RowResult.IMPORT_TYPE_SKIP],
        "wrong": result.totals[RowResult.IMPORT_TYPE_INVALID],
        "shown": {
            "headings": [column.name for column in KINDS[upload.kind].columns],
            "changes": _changes(upload, resource),
            "errors": [[error.row, error.column, error.message] for error in errors[:SHOWN]],
            "seen": result.seen,
        },
        "failed_as": failed_as,
        "sentence": "",
    }


def _changes(upload: MappingUpload, resource: MappingResource) -> list[dict[str, Any]]:
    """The first new and changed rows, each cell as [before, after]."""
    moving = (RowResult.IMPORT_TYPE_NEW, RowResult.IMPORT_TYPE_UPDATE)
    numbers = [number for number, row in resource.row_results.items() if row.import_type in moving][:SHOWN]
    fields = KINDS[upload.kind].fields
    found = []
    for one in plan(upload.tenant_id, [resource.changes[number] for number in numbers]):
        before = one.before or dict.fromkeys(fields, "")
        cells = [[str(before[field]), str(one.change.values[field])] for field in fields]
        found.append({"is_new": one.is_new, "cells": cells})
    return found


def _tell(upload: MappingUpload, clock: Callable[[], dt.datetime], **values: Any) -> None:
    """Only while it is in the step that was claimed: a worker that was overtaken has nothing to say any more."""
    found = MappingUpload.objects.filter(pk=upload.pk, state=upload.state, sentence="")
    found.update(changed_at=clock(), **values)

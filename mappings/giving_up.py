"""Large uploads that end their worker each time: given up after a few tries, checked again when a person asks."""

from __future__ import annotations

import datetime as dt

from mappings.models import MappingUpload, UploadState

MOST_TRIES = 3


def give_up(upload: MappingUpload, now: dt.datetime) -> int:
    """What ended its worker each time is not tried by itself any more. One that was saved is saved: what is prepared
    follows the mappings before it is sent, and the next sync releases what waited."""
    found = MappingUpload.objects.filter(pk=upload.pk, state=upload.state, changed_at=upload.changed_at)
    if upload.sentence:
        return found.update(state=UploadState.SAVED, changed_at=now)
    step = "check" if upload.state == UploadState.CHECKING else "saving"
    sentence = f"Its {step} was broken off {MOST_TRIES} times before its end, so it is not tried again by itself. "
    sentence += "Nothing was saved. Split the file, or have it checked again when the server has more memory or time."
    return found.update(state=UploadState.FAILED, sentence=sentence, changed_at=now)


def may_check_again(upload: MappingUpload) -> bool:
    """Whether it failed by being broken off; a file that cannot be read stays so."""
    return upload.state == UploadState.FAILED and upload.tries >= MOST_TRIES


def check_again(upload: MappingUpload, now: dt.datetime) -> bool:
    """Ask for another check of an upload that was given up; False if it was asked for already."""
    given_up = MappingUpload.objects.filter(pk=upload.pk, state=UploadState.FAILED, tries__gte=MOST_TRIES)
    return bool(given_up.update(state=UploadState.WAITING, tries=0, sentence="", done_rows=0, changed_at=now))

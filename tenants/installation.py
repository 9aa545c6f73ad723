"""Which installation this is, and whether the database belongs to it: a copy elsewhere may not post."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import secrets
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction

from tenants import audit
from tenants.models import Installation

FILE = "installation-id"
ONLY = 1  # the key of the only row


def identity() -> str:
    """INSTALLATION_ID, or that of a file of our own in VAR_DIR. Raises OSError where none can be kept."""
    return settings.INSTALLATION_ID or _of_file(Path(settings.VAR_DIR) / FILE)


def why_not_here() -> str:
    """'' if the database is this installation's own; one that belongs to nobody yet is taken."""
    try:
        mine = identity()
    except OSError as error:
        return (
            f"This installation cannot keep its identity in {settings.VAR_DIR} ({error.strerror}). "
            "Make the folder writable, or set INSTALLATION_ID."
        )
    row = Installation.objects.filter(pk=ONLY).first() or _take(mine)
    if row.identity == mine:
        return ""
    return (
        f"This database belongs to installation '{row.identity}', and this is '{mine}'. A copy may not post. If it is "
        f"one host of several, set INSTALLATION_ID={row.identity} on each. If it takes the place of the other one, "
        "stop that one for good, then run manage.py take_over."
    )


def take_over(*, reason: str, now: dt.datetime, actor: str) -> str:
    """The database is this installation's from now on; the answer is whose it was ('' if nobody's)."""
    mine = identity()
    with transaction.atomic():
        row = Installation.objects.filter(pk=ONLY).first() or _take(mine)
        if row.identity == mine:
            return ""
        Installation.objects.filter(pk=ONLY, identity=row.identity).update(identity=mine, taken_at=now)
        line = audit.Line(
            "taken-over",
            "installation",
            before={"installation": row.identity},
            after={"installation": mine},
            reason=reason,
        )
        audit.record(None, [line], actor=actor, now=now)
    return row.identity


def _take(mine: str) -> Installation:
    with contextlib.suppress(IntegrityError), transaction.atomic():
        return Installation.objects.create(pk=ONLY, identity=mine, taken_at=dt.datetime.now(dt.UTC))
    return Installation.objects.get(pk=ONLY)  # another process was first


def _of_file(path: Path) -> str:
    """Its text and its place on the disk: a copied folder holds another file, and is so another installation."""
    if not path.exists():
        _make(path)
    text = f"{path.read_text(encoding='ascii').strip()} {path.stat().st_ino}"
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _make(path: Path) -> None:
    """Complete from the first moment, and made once however many processes start together."""
    draft = path.with_name(f"{FILE}.{os.getpid()}")
    draft.write_text(secrets.token_hex(20) + "\n", encoding="ascii")
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()

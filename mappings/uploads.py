"""Uploaded spreadsheets between their dry run and the confirmation: private files that go after a day."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from import_export.tmp_storages import BaseStorage

_NAME = re.compile(r"[0-9a-f]{32}")
_LIFETIME = 24 * 3600


class UploadStorage(BaseStorage):
    """One file under VAR_DIR/uploads, readable by the service's own user only."""

    def save(self, data: bytes) -> None:
        self.name = uuid4().hex
        folder = _folder()
        _sweep(folder)
        path = folder / self.name
        path.touch(mode=0o600)
        path.write_bytes(data)

    def read(self) -> bytes:
        return self._path().read_bytes()

    def remove(self) -> None:
        self._path().unlink(missing_ok=True)

    def exists(self) -> bool:
        return self._path().is_file()

    def _path(self) -> Path:
        if not _NAME.fullmatch(str(self.name)):
            raise FileNotFoundError("That is no upload.")
        return _folder() / self.name


def _folder() -> Path:
    folder: Any = settings.VAR_DIR / "uploads"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Path(folder)


def _sweep(folder: Path) -> None:
    oldest = time.time() - _LIFETIME
    for path in folder.iterdir():
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)

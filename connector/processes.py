"""Who holds a run, written so that another process of the same machine can tell whether it is still there."""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")


def this_process() -> str:
    """'boot/namespace/pid/start' of this process; '' where the system does not tell, and then only the lease counts.

    Process numbers are given anew after a start of the machine and in each container, so both are named; the start time
    tells this process from a later one of the same number.
    """
    here = _here()
    started = _started(os.getpid())
    return f"{here}/{os.getpid()}/{started}" if here and started else ""


def is_gone(holder: str) -> bool:
    """True only if that process ran here and is no more; one elsewhere, or of an unknown system, may be alive."""
    place, _, rest = holder.rpartition("/")
    place, _, number = place.rpartition("/")
    if not place or place != _here() or not number.isdigit():
        return False
    return _started(int(number)) != rest


def _here() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink(_PROC / 'self/ns/pid')}"
    except OSError:
        return ""


def _started(number: int) -> str:
    """Clock ticks from the start of the machine to that of the process; '' if it is gone or dead (a zombie)."""
    try:
        after_name = (_PROC / str(number) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if after_name[0] in ("Z", "X") else after_name[19]

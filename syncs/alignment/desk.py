"""What a pass over customers holds in its hands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from connector.chargebee.customer_writes import CustomerWrites
from connector.qad.client import QadClient
from syncs.alignment.setting import Setting


@dataclass(frozen=True, slots=True)
class Desk:
    """Both systems, the setting, the clock, and how long an unknown write may still be under way."""

    setting: Setting
    qad: QadClient
    chargebee: CustomerWrites
    clock: Callable[[], dt.datetime]
    settle: dt.timedelta
    deadline: float
    actor: str = "sync"

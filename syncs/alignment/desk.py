"""What a pass over customers holds in its hands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from connector.chargebee.customer_writes import CustomerWrites
from connector.qad.client import QadClient
from syncs.alignment.setting import Setting

PUT_OFF = "put off"  # how a customer ended that could not be read or written now
MOST_IN_A_ROW = 5  # so many of them, and the connection is taken to be down


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

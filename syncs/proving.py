"""A sweep: Chargebee's lists by document date and its events against the inbox, window by window, resumable.

Missing, extra and stale documents are healed at once; their numbers say what polling had left wrong and must be 0.
"""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.db.models import Count, Sum
from django.db.models.functions import TruncDate

from connector import processes
from connector.chargebee.client import ChargebeeClient
from connector.chargebee.resources import BY_KIND
from connector.errors import Configuration, ConnectorError
from syncs import running
from syncs.completeness import Balance, equation, sentence
from syncs.intake import PULL_ORDER, Clock
from syncs.models import Cursor, Kind, Purpose, Run, RunState, SourceDocument, SweepWindow
from syncs.notices import clear_before
from syncs.proving_copies import COPIES, prove_copies
from syncs.proving_events import EVENT, prove_events
from syncs.proving_window import Sitting, prove
from syncs.windows import Window, cut
from tenants import calendar, connections
from tenants.models import Tenant

NIGHTLY_DAYS = 45
FIRST_HOUR, LAST_HOUR = 1, 5  # of the tenant's night
NIGHTLY_AFTER = dt.timedelta(hours=20)
WHOLE_AFTER = dt.timedelta(days=30)
PAUSE = dt.timedelta(minutes=30)
RESUMED_WITHIN = dt.timedelta(hours=20)
NAMED = 10
_ENDED = (RunState.COMPLETE, RunState.RED)


@dataclass(slots=True)
class Proof:
    """What a sweep found: the run, the sums of its windows, and how many windows are left to do."""

    run: Run
    counts: Counter[str] = field(default_factory=Counter)
    balances: list[Balance] = field(default_factory=list)
    left: int = 0

    @property
    def is_clean(self) -> bool:
        return not self.left and self.run.state == RunState.COMPLETE


def sweep(
    tenant: Tenant,
    *,
    since: dt.date | None,
    trigger: str,
    clock: Clock,
    tell: running.Tell,
    until: Callable[[], bool] = lambda: True,
) -> Proof:
    """Everything dated from `since` on (None: everything), or what an interrupted sweep of the same span left over.

    `until` answers False when the time is over: the rest is resumed. Raises ConnectorError if Chargebee cannot be read.
    """
    run = _resumed(tenant, since, clock()) or _planned(tenant, since, trigger, clock())
    try:
        with connections.chargebee_client(tenant, clock=clock) as client:
            _work_off(tenant, run, client, clock=clock, tell=tell, until=until)
    except ConnectorError as error:
        running.finish(run, RunState.STOPPED, error.message, now=clock())
        raise
    left = run.windows.filter(done_at=None).count()
    if left:
        running.finish(run, RunState.INTERRUPTED, f"{left} windows are left; it goes on by itself.", now=clock())
        return Proof(run, counts(run), [], left)
    return _closed(run, clock())


def _closed(run: Run, now: dt.datetime) -> Proof:
    balances, found = equation(run), counts(run)
    said = " ".join(text for text in (sentence(balances), findings(run)) if text)
    state = RunState.RED if said else RunState.COMPLETE
    running.finish(run, state, said, now=now, balances=balances)
    if state == RunState.COMPLETE:
        clear_before(run.tenant, run.started_at, now=now, reason=f"{run} proved that nothing is missing.")
    return Proof(run, found, balances)


def _work_off(
    tenant: Tenant, run: Run, client: ChargebeeClient, *, clock: Clock, tell: running.Tell, until: Callable[[], bool]
) -> None:
    done, total = 0, run.windows.count()
    for window in run.windows.filter(done_at=None).order_by("pk"):
        if not until():
            return

        def alive(rows: int, window: SweepWindow = window) -> None:
            nonlocal done
            done += rows
            running.keep_alive(run, clock())
            tell(running.Step(f"Sweeping {BY_KIND[window.kind].name.replace('_', ' ')}", done))

        if window.kind == COPIES:
            running.keep_alive(run, clock())
            prove_copies(tenant, window, clock=clock)
        elif window.kind == EVENT:
            prove_events(tenant, run, window, client, clock=clock, alive=alive)
        else:
            prove(Sitting(tenant, run, window, client, clock, alive, number=window.pk * 1000 % 10**9))
    tell(running.Step("Sweeping", total, total))


def _planned(tenant: Tenant, since: dt.date | None, trigger: str, now: dt.datetime) -> Run:
    kinds = [kind for kind in PULL_ORDER if BY_KIND[kind].dated or since is None]
    run = running.start(tenant, kinds, trigger=trigger, now=now, purpose=Purpose.SWEEP)
    rows = [SweepWindow(tenant=tenant, run=run, kind=EVENT)]
    for kind in kinds:
        rows += [_window(run, kind, window, window.expected) for window in _windows(tenant, kind, since)]
    rows += [_window(run, COPIES, window, 0) for window in _windows(tenant, Kind.INVOICE, since)]
    SweepWindow.objects.bulk_create(rows)
    return run


def _window(run: Run, kind: str, window: Window, expected: int) -> SweepWindow:
    return SweepWindow(
        tenant=run.tenant, run=run, kind=kind, starts_at=window.starts_at, ends_at=window.ends_at, expected=expected
    )


def _windows(tenant: Tenant, kind: str, since: dt.date | None) -> Sequence[Window]:
    stored = SourceDocument.objects.filter(tenant=tenant, kind=kind)
    if not BY_KIND[kind].dated:
        return [Window(None, None, stored.count())]
    days = stored.filter(dated_at__isnull=False).annotate(day=TruncDate("dated_at", tzinfo=dt.UTC))
    return cut(dict(days.values_list("day").annotate(count=Count("pk")).order_by("day")), since)


def _resumed(tenant: Tenant, since: dt.date | None, now: dt.datetime) -> Run | None:
    """The last sweep of this span that was cut off and has windows left, running again under a key of its own.

    Raises Configuration while a blackout of the billing calendar is open.
    """
    calendar.refuse_in_blackout(tenant, now)
    running.bury(tenant, Purpose.SWEEP, now)
    last = Run.objects.filter(tenant=tenant, purpose=Purpose.SWEEP, started_at__gt=now - RESUMED_WITHIN).first()
    if last is None or last.state not in (RunState.INTERRUPTED, RunState.STOPPED) or _span(last) != since:
        return None
    if not last.windows.filter(done_at=None).exists():
        return None
    fields = {
        "state": RunState.RUNNING,
        "key": uuid.uuid4(),
        "lease_until": now + running.LEASE,
        "holder": processes.this_process(),
    }
    try:
        with transaction.atomic():
            mine = Run.objects.filter(pk=last.pk, state=last.state, key=last.key)
            if not mine.update(**fields, finished_at=None, sentence=""):
                return None
    except IntegrityError:
        return None
    last.refresh_from_db()
    return last


def _span(run: Run) -> dt.date | None:
    """From which date on a sweep was asked for; None: everything."""
    first = run.windows.exclude(kind=EVENT).order_by("pk").first()
    return first.starts_at.date() if first is not None and first.starts_at is not None else None


def counts(run: Run) -> Counter[str]:
    """listed, missing, extra and stale over the windows of a sweep, and the days whose sums differ."""
    names = ("listed", "missing", "extra", "stale")
    found = run.windows.exclude(kind=EVENT).aggregate(**{name: Sum(name, default=0) for name in names})
    events = run.windows.filter(kind=EVENT).aggregate(
        events=Sum("listed", default=0), missing=Sum("missing", default=0), stale=Sum("stale", default=0)
    )
    days = sum(len(days) for days in run.windows.values_list("days", flat=True))
    return Counter(found) + Counter(events) + Counter(days=days)


def findings(run: Run) -> str:
    """'' if polling had left nothing wrong, else what a sweep found and healed."""
    found = counts(run)
    parts = [f"{found[name]} {name}" for name in ("missing", "extra", "stale") if found[name]]
    named = [f"{what} {name}" for window in run.windows.exclude(named=[]) for what, name in window.named][:NAMED]
    text = ""
    if parts:
        text = f"Reading had left documents wrong: {', '.join(parts)}. They are healed: {', '.join(named)}."
    if found["days"]:
        text += f" The sums of {found['days']} days differ from Chargebee's."
    return text.strip()


def due(tenant: Tenant, now: dt.datetime) -> tuple[bool, dt.date | None]:
    """Whether a sweep should run now, and from which date: the last weeks each night, everything once a month."""
    if not Cursor.objects.filter(tenant=tenant, kind="invoice", watermark__isnull=False).exists():
        return False, None
    if connections.is_stopped(tenant, connections.Side.CHARGEBEE, now=now) or calendar.open_until(tenant, now):
        return False, None
    runs = Run.objects.filter(tenant=tenant, purpose=Purpose.SWEEP)
    whole = runs.filter(windows__starts_at=None, windows__kind="invoice", state__in=_ENDED).first()
    is_whole_due = whole is None or now - whole.started_at > WHOLE_AFTER
    since = None if is_whole_due else now.date() - dt.timedelta(days=NIGHTLY_DAYS)
    last = runs.first()
    if last is not None and now - last.started_at < RESUMED_WITHIN and _goes_on(last, now):
        return True, _span(last)
    if last is not None and last.state == RunState.RUNNING and last.lease_until > now:
        return False, None
    is_night = FIRST_HOUR <= now.astimezone(zoneinfo.ZoneInfo(tenant.time_zone)).hour < LAST_HOUR
    since_last = None if last is None else now - last.started_at
    is_late = since_last is not None and since_last > 2 * NIGHTLY_AFTER
    return (is_late or (is_night and (since_last is None or since_last > NIGHTLY_AFTER))), since


def _goes_on(run: Run, now: dt.datetime) -> bool:
    """One that ran out of its time goes on at once, one that Chargebee broke off after a pause."""
    pause = {RunState.INTERRUPTED: dt.timedelta(0), RunState.STOPPED: PAUSE}.get(RunState(run.state))
    return pause is not None and run.finished_at is not None and now - run.finished_at >= pause


def last_proof(tenant: Tenant) -> Run | None:
    """The last sweep that came to its end."""
    return Run.objects.filter(tenant=tenant, purpose=Purpose.SWEEP, state__in=_ENDED).first()


def refuse_future(since: dt.date, now: dt.datetime) -> None:
    """Raises Configuration for a date from which nothing can be swept yet."""
    if since > now.date():
        raise Configuration(f"{since.isoformat()} lies ahead. Name a day up to {now.date().isoformat()}.")

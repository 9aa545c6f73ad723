"""The arithmetic of the billing calendar: zones, month ends, clock changes, cron, blackouts."""

from __future__ import annotations

import datetime as dt
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest

from connector import slots
from connector.slots import Timing

BERLIN, AUCKLAND, LORD_HOWE, APIA = "Europe/Berlin", "Pacific/Auckland", "Australia/Lord_Howe", "Pacific/Apia"


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def monthly(day, at="02:30", zone="UTC"):
    return Timing("monthly", zone, at=dt.time.fromisoformat(at), day=day)


def month_end(at="02:30", zone="UTC"):
    return Timing("month_end", zone, at=dt.time.fromisoformat(at))


def weekly(weekday, at="02:30", zone="UTC"):
    return Timing("weekly", zone, at=dt.time.fromisoformat(at), weekday=weekday)


def daily(at="02:30", zone="UTC"):
    return Timing("daily", zone, at=dt.time.fromisoformat(at))


def cron(expression, zone="UTC"):
    return Timing("cron", zone, cron=expression)


def first(timing, moment, count):
    return [f"{slot:%Y-%m-%d %H:%M}" for slot in islice(slots.slots(timing, utc(moment)), count)]


CASES = {
    "the 31st is the last day where a month has none": (
        monthly(31),
        "2026-03-15",
        ["2026-03-31 02:30", "2026-04-30 02:30", "2026-05-31 02:30"],
    ),
    "the 29th of February exists in leap years": (
        monthly(29),
        "2027-12-31",
        ["2028-01-29 02:30", "2028-02-29 02:30", "2028-03-29 02:30"],
    ),
    "the 29th of February is the 28th in other years": (monthly(29), "2027-02-01", ["2027-02-28 02:30"]),
    "the last day": (month_end(), "2028-02-01", ["2028-02-29 02:30", "2028-03-31 02:30", "2028-04-30 02:30"]),
    "the last day over the end of a year": (month_end(), "2026-12-31 02:30", ["2027-01-31 02:30"]),
    "a slot at this very moment is not later": (daily("12:00"), "2026-11-26 12:00", ["2026-11-27 12:00"]),
    "Monday after a Thursday": (weekly(0), "2026-11-26", ["2026-11-30 02:30", "2026-12-07 02:30"]),
    "today's weekday, later today": (weekly(3, "18:00"), "2026-11-26 17:59", ["2026-11-26 18:00"]),
    "today's weekday, earlier today": (weekly(3, "18:00"), "2026-11-26 18:00", ["2026-12-03 18:00"]),
    "02:30 on the day that leaves it out comes when the clocks have jumped": (
        daily("02:30", BERLIN),
        "2026-03-27 12:00",
        ["2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30"],
    ),
    "02:30 on the day that has it twice comes once, the first time": (
        daily("02:30", BERLIN),
        "2026-10-23 12:00",
        ["2026-10-24 00:30", "2026-10-25 00:30", "2026-10-26 01:30"],
    ),
    "between the two 02:30 the next is tomorrow's": (
        daily("02:30", BERLIN),
        "2026-10-25 01:00",
        ["2026-10-26 01:30"],
    ),
    "a clock that jumps by half an hour": (
        daily("02:15", LORD_HOWE),
        "2026-10-02 20:00",
        ["2026-10-03 15:30", "2026-10-04 15:15"],
    ),
    "a day that a zone left out altogether": (
        daily("09:00", APIA),
        "2011-12-29 18:00",
        ["2011-12-29 19:00", "2011-12-30 10:00", "2011-12-30 19:00"],
    ),
    "the last day far east": (
        month_end("00:30", AUCKLAND),
        "2026-11-01",
        ["2026-11-29 11:30", "2026-12-30 11:30"],
    ),
    "the last day far west": (
        month_end("23:30", "Pacific/Honolulu"),
        "2026-11-01",
        ["2026-11-01 09:30", "2026-12-01 09:30"],
    ),
    "cron on weekdays": (
        cron("30 2 * * 1-5"),
        "2026-11-27 12:00",
        ["2026-11-30 02:30", "2026-12-01 02:30"],
    ),
    "cron with the last day": (cron("0 6 L * *"), "2026-02-01", ["2026-02-28 06:00", "2026-03-31 06:00"]),
    "cron on the 29th of February": (cron("0 0 29 2 *"), "2026-01-01", ["2028-02-29 00:00", "2032-02-29 00:00"]),
    "a fixed cron hour that is left out": (cron("30 2 * * *", BERLIN), "2026-03-29", ["2026-03-29 01:00"]),
    "a fixed cron hour that comes twice": (
        cron("30 2 * * *", BERLIN),
        "2026-10-25",
        ["2026-10-25 00:30", "2026-10-26 01:30"],
    ),
    "a cron rule for every hour runs in both": (
        cron("30 * * * *", BERLIN),
        "2026-10-24 23:45",
        ["2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 02:30"],
    ),
    "a cron rule for every hour skips the hour that is left out": (
        cron("30 * * * *", BERLIN),
        "2026-03-29 00:15",
        ["2026-03-29 00:30", "2026-03-29 01:00", "2026-03-29 01:30", "2026-03-29 02:30"],
    ),
    "a clock that went back gets the same slot again from the arithmetic": (
        daily("12:00"),
        "2026-11-26 11:30",
        ["2026-11-26 12:00"],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_slots_come_when_people_expect_them(case):
    timing, moment, expected = case
    assert first(timing, moment, len(expected)) == expected


@pytest.mark.parametrize("zone", ["UTC", BERLIN, "America/New_York", LORD_HOWE, AUCKLAND, "Asia/Kolkata"])
@pytest.mark.parametrize("make", [daily, month_end, lambda zone: cron("*/20 1-3 * * *", zone)])
def test_slots_are_in_order_and_each_comes_once(zone, make):
    timing = make(zone=zone)
    found = list(islice(slots.slots(timing, utc("2026-01-01")), 400))
    assert all(earlier < later for earlier, later in pairwise(found))
    assert all(slots.after(timing, earlier) == later for earlier, later in pairwise(found[:40]))


CHANGES = (
    *((BERLIN, "2026-03-27"), (BERLIN, "2026-10-23"), ("America/New_York", "2026-03-06")),
    *(("America/New_York", "2026-10-30"), (LORD_HOWE, "2026-04-03"), (LORD_HOWE, "2026-10-02")),
    *(("Africa/Casablanca", "2026-02-13"), ("Africa/Casablanca", "2026-03-20")),
)


@pytest.mark.parametrize(("zone", "day"), CHANGES)
@pytest.mark.parametrize("at", ["00:00", "01:45", "02:00", "02:30", "03:00"])
def test_a_daily_rule_is_what_one_finds_who_watches_the_clock_minute_by_minute(zone, at, day):
    """Each local day once: at the first minute whose clock shows the time, or has gone past it without showing it."""
    start, there, wanted = utc(day), ZoneInfo(zone), dt.time.fromisoformat(at)
    seen, before = {}, (start - dt.timedelta(minutes=1)).astimezone(there)
    for minute in range(4 * 1440):
        now = (start + dt.timedelta(minutes=minute)).astimezone(there)
        shown, last = now.replace(tzinfo=None), before.replace(tzinfo=None)
        slot = dt.datetime.combine(now.date(), wanted)
        if last < slot <= shown:
            seen.setdefault(now.date(), now.astimezone(dt.UTC))
        before = now
    found = slots.slots(daily(at, zone), start - dt.timedelta(minutes=1))
    assert list(islice(found, len(seen))) == list(seen.values())


def starts(timing, moment, windows, count):
    closed = [(utc(begins), utc(ends)) for begins, ends in windows]
    return [f"{start:%Y-%m-%d %H:%M}" for start in islice(slots.starts(timing, utc(moment), closed), count)]


def test_a_slot_inside_a_blackout_comes_right_after_it():
    windows = [("2026-11-30 00:00", "2026-12-02 08:00")]
    assert starts(monthly(1), "2026-11-15", windows, 2) == ["2026-12-02 08:00", "2027-01-01 02:30"]


def test_several_slots_inside_a_blackout_become_one():
    windows = [("2026-11-30 00:00", "2026-12-03 02:30")]
    assert starts(daily(), "2026-11-29", windows, 3) == ["2026-11-29 02:30", "2026-12-03 02:30", "2026-12-04 02:30"]


def test_the_end_of_a_blackout_does_not_belong_to_it():
    assert starts(daily(), "2026-11-29", [("2026-11-29 00:00", "2026-11-29 02:30")], 1) == ["2026-11-29 02:30"]


def test_blackouts_that_touch_or_overlap_are_one():
    windows = [("2026-11-29 06:00", "2026-11-30 09:00"), ("2026-11-29 00:00", "2026-11-29 06:00")]
    windows.append(("2026-11-30 08:00", "2026-11-30 12:00"))
    assert starts(daily(), "2026-11-28 12:00", windows, 2) == ["2026-11-30 12:00", "2026-12-01 02:30"]


REFUSED = {
    "five fields": (cron("0 2 1 * * *"), "has 6 fields"),
    "four fields": (cron("0 2 1 *"), "has 4 fields"),
    "an hour that does not exist": (cron("0 25 * * *"), "cannot be read"),
    "words": (cron("every day at two o"), "cannot be read"),
    "dice": (cron("R 2 * * *"), "'R' is not known"),
    "a day that never comes": (cron("0 2 30 2 *"), "never comes"),
    "day 0": (monthly(0), "Day 0 does not exist."),
    "day 32": (monthly(32), "Day 32 does not exist."),
    "weekday 7": (weekly(7), "Weekday 7 does not exist."),
    "an unknown zone": (daily(zone="Europe/Berlln"), "no time zone 'Europe/Berlln'"),
    "no day": (Timing("monthly", "UTC", at=dt.time(2)), "needs a day of the month"),
    "no time": (Timing("daily", "UTC"), "needs a time of day"),
    "a day too many": (Timing("daily", "UTC", at=dt.time(2), day=3), "has no use for a day of the month"),
    "an unknown pattern": (Timing("yearly", "UTC"), "Use one of: monthly"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=list(REFUSED))
def test_nonsense_is_refused_in_a_sentence(case):
    timing, words = case
    assert any(words in str(problem) for problem in slots.problems(timing))


@pytest.mark.parametrize("timing", [case[0] for case in CASES.values()])
def test_every_rule_of_the_table_is_accepted(timing):
    assert slots.problems(timing) == []


def test_a_blackout_ends_after_it_begins():
    assert slots.window_problems(utc("2026-11-30"), utc("2026-11-29"))
    assert slots.window_problems(utc("2026-11-30"), utc("2026-11-30"))
    assert not slots.window_problems(utc("2026-11-30"), utc("2026-12-01"))

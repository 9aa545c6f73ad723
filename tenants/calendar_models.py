"""The billing calendar of a tenant: rules that start runs, and blackouts in which none starts."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from connector.slots import NEEDS, Timing


class Pattern(models.TextChoices):
    MONTHLY = "monthly", "Monthly, on a day"
    MONTH_END = "month_end", "Monthly, on the last day"
    WEEKLY = "weekly", "Weekly"
    DAILY = "daily", "Daily"
    CRON = "cron", "Cron expression"


class Weekday(models.IntegerChoices):
    MONDAY = 0, "Monday"
    TUESDAY = 1, "Tuesday"
    WEDNESDAY = 2, "Wednesday"
    THURSDAY = 3, "Thursday"
    FRIDAY = 4, "Friday"
    SATURDAY = 5, "Saturday"
    SUNDAY = 6, "Sunday"


def _is_given(name: str) -> Q:
    return ~Q(cron="") if name == "cron" else Q(**{f"{name}__isnull": False})


def _has_what_it_needs(pattern: str) -> Q:
    needed = Q(pattern=pattern)
    for name in ("day", "weekday", "at", "cron"):
        needed &= _is_given(name) if name in NEEDS[pattern] else ~_is_given(name)
    return needed


def _shapes() -> Q:
    found = Q()
    for pattern in NEEDS:
        found |= _has_what_it_needs(pattern)
    return found


class CalendarRule(models.Model):
    """`next_at` is the slot that comes or is due, in UTC; a due one stays due until a run for it has come to its end.

    `not_before` is the claim of the run that was started for the slot, and the pause after one that failed.
    """

    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="calendar_rules")
    name = models.CharField(max_length=60, help_text="What people call it, e.g. Month end.")
    pattern = models.CharField("comes", max_length=10, choices=Pattern.choices, default=Pattern.DAILY)
    day = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(31)],
        help_text="1 to 31, for a monthly rule. In a month without that day it comes on the last one.",
    )
    weekday = models.PositiveSmallIntegerField(
        null=True, blank=True, choices=Weekday.choices, help_text="For a weekly rule."
    )
    at = models.TimeField(
        "time", null=True, blank=True, help_text="By the clock on the wall, such as 02:30; not for a cron expression."
    )
    cron = models.CharField(
        "cron expression",
        max_length=100,
        blank=True,
        help_text="Five fields: minute, hour, day, month, weekday. 30 2 * * 1-5 is 02:30 from Monday to Friday.",
    )
    time_zone = models.CharField(
        max_length=64, blank=True, help_text="Such as Europe/Berlin; empty: the tenant's accounting time zone."
    )
    kinds = models.JSONField(default=list, blank=True, help_text="What is read; nothing chosen means everything.")
    is_paused = models.BooleanField("paused", default=False)
    next_at = models.DateTimeField(null=True, editable=False)
    not_before = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    last_at = models.DateTimeField("last run for it ended", null=True, editable=False)
    last_sentence = models.TextField(blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="calendar_rule_once"),
            models.CheckConstraint(condition=_shapes(), name="calendar_rule_shape"),
            models.CheckConstraint(condition=Q(day=None) | Q(day__gte=1, day__lte=31), name="calendar_rule_day"),
            models.CheckConstraint(
                condition=Q(weekday=None) | Q(weekday__gte=0, weekday__lte=6), name="calendar_rule_weekday"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "next_at"], name="calendar_rule_due")]

    def __str__(self) -> str:
        return self.name

    @property
    def timing(self) -> Timing:
        """As the arithmetic takes it; asks for the tenant only where the rule names no zone."""
        given: Any = {name: getattr(self, name) for name in ("pattern", "at", "day", "weekday", "cron")}
        return Timing(zone=self.time_zone or self.tenant.time_zone, **given)


class Blackout(models.Model):
    """Nothing new is read from `begins_at` until `ends_at`: no run starts, and webhooks wait in the inbox."""

    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="blackouts")
    reason = models.CharField(max_length=100, help_text="What people read, e.g. Close of November.")
    begins_at = models.DateTimeField("begins")
    ends_at = models.DateTimeField("ends")

    class Meta:
        ordering = ["-ends_at"]
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("begins_at")), name="blackout_ends_later")]
        indexes = [models.Index(fields=["tenant", "ends_at"], name="blackout_open")]

    def __str__(self) -> str:
        return self.reason

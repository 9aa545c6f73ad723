"""Tenants, who may reach them, their two connections, and the audit trail."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from tenants.calendar_models import Blackout, CalendarRule  # noqa: F401 - models of this app
from tenants.fields import SecretField
from tenants.origins import chargebee_origin, qad_origin

slug_rule = RegexValidator(r"^[a-z0-9][a-z0-9-]{0,39}$", "Use lower-case letters, digits and hyphens, 40 at most.")
prefix_rule = RegexValidator(r"^[A-Z0-9]{2,6}$", "Use two to six capital letters or digits.")


class Mode(models.TextChoices):
    TEST = "test", "Test"
    LIVE = "live", "Live"


class Role(models.TextChoices):
    FINANCE_USER = "finance_user", "Finance user"
    ACCOUNTANT = "accountant", "Accountant"
    INTEGRATION_ADMIN = "integration_admin", "Integration admin"
    AUDITOR = "auditor", "Auditor"


class Side(models.TextChoices):
    CHARGEBEE = "chargebee", "Chargebee"
    QAD = "qad", "QAD"


class Tenant(models.Model):
    """One Chargebee site and one QAD workspace."""

    slug = models.CharField(max_length=40, unique=True, validators=[slug_rule])
    name = models.CharField(max_length=120)
    mode = models.CharField(max_length=4, choices=Mode.choices, default=Mode.TEST)
    time_zone = models.CharField(
        max_length=64, default="UTC", help_text="The accounting time zone, e.g. Europe/Berlin."
    )
    base_currency = models.CharField(max_length=3, default="USD")
    business_entities = models.JSONField(
        default=list, blank=True, help_text="Chargebee business entities that belong here; none means all."
    )
    is_posting_on = models.BooleanField(
        "posting", default=True, help_text="The kill switch: off means that nothing is sent to QAD."
    )
    mapping_revision = models.PositiveBigIntegerField(default=0, editable=False)  # +1 with every change of a mapping
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="tenant_mode_known"),
        ]

    def __str__(self) -> str:
        return self.name


class PolicySetting(models.Model):
    """One decision of one tenant; the keys, values and defaults are the table in `tenants.policies`."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="policy_settings")
    key = models.CharField(max_length=60)
    value = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="policy_once")]

    def __str__(self) -> str:
        return f"{self.key} = {self.value}"


class Membership(models.Model):
    """A user's role at a tenant; a user may hold several."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user", "role"], name="membership_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.get_role_display().lower()} of {self.tenant}"


class Plan(models.TextChoices):
    """Chargebee's plans by the calls a minute that they allow (facts of its page on API limits)."""

    STARTER = "starter", "Starter (150 calls a minute)"
    PERFORMANCE = "performance", "Performance (1,000 calls a minute)"
    ENTERPRISE = "enterprise", "Enterprise (3,500 calls a minute)"
    CUSTOM = "custom", "Custom: the number below"


class ChargebeeConnection(models.Model):
    """Where a tenant's Chargebee site answers, and how much of its limit the connector may use."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="chargebee")
    site = models.CharField(max_length=50)
    region = models.CharField(max_length=2, choices=[("US", "US"), ("EU", "EU"), ("AU", "AU")], default="US")
    base_url = models.CharField(
        max_length=200, blank=True, help_text="For a sandbox only: its address. Empty for a real site."
    )
    pinned_host = models.CharField(
        max_length=200, blank=True, help_text="Found by Test connection; every call goes to this host and no other."
    )
    plan = models.CharField(
        max_length=11,
        choices=Plan.choices,
        default=Plan.CUSTOM,
        help_text="A test site has 150 calls a minute on any plan.",
    )
    share_percent = models.PositiveSmallIntegerField(
        "share of the plan's limit", default=50, help_text="Per cent; what is left is for everyone else on the site."
    )
    calls_per_minute = models.PositiveIntegerField(
        default=75, help_text="With the plan Custom: calls a minute that the connector may use. Else it is not read."
    )
    concurrency = models.PositiveSmallIntegerField(default=3, help_text="Calls to this site at the same time.")

    class Meta:
        verbose_name = "Chargebee connection"
        constraints = [
            models.CheckConstraint(condition=Q(plan__in=Plan.values), name="chargebee_plan_known"),
            models.CheckConstraint(
                condition=Q(share_percent__gte=1, share_percent__lte=100), name="chargebee_share_range"
            ),
            models.CheckConstraint(
                condition=Q(concurrency__gte=1, concurrency__lte=20), name="chargebee_concurrency_range"
            ),
        ]

    def __str__(self) -> str:
        return f"Chargebee site {self.site} ({self.region})"


class ChargebeeCredential(models.Model):
    """Secrets of a Chargebee connection; never joined by a list."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="chargebee_credential")
    api_key = SecretField(blank=True, null=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "Chargebee credential"

    def __str__(self) -> str:
        return "Chargebee credentials"

    @property
    def origin(self) -> str:
        """The address that a secret entered now is for; '' without a connection."""
        row = ChargebeeConnection.objects.filter(tenant_id=self.tenant_id).first()
        return chargebee_origin(row) if row else ""


class QadConnection(models.Model):
    """Which QAD instance and workspace, and how it speaks."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="qad")
    base_url = models.CharField(
        "base URL", max_length=300, help_text="The full address up to and including its context root."
    )
    domain = models.CharField(max_length=20)
    entity = models.CharField(max_length=20)
    workspace = models.CharField(max_length=60, blank=True, help_text="Usually DOMAIN_ENTITY.")
    shared_set = models.CharField(max_length=20, blank=True)
    reference_prefix = models.CharField(max_length=6, default="CB", validators=[prefix_rule])
    preset = models.CharField(max_length=40, default="adaptive")
    profile_override = models.JSONField(default=dict, blank=True, help_text="What differs from the preset.")
    profile_version = models.PositiveIntegerField(default=1)
    concurrency = models.PositiveSmallIntegerField(default=4, help_text="Documents sent at the same time.")
    deadline_seconds = models.PositiveSmallIntegerField(default=30, help_text="Longest time for one call.")

    class Meta:
        verbose_name = "QAD connection"
        constraints = [
            models.UniqueConstraint(
                fields=["base_url", "entity", "reference_prefix"], name="qad_prefix_once_per_entity"
            ),
            models.CheckConstraint(condition=Q(concurrency__gte=1, concurrency__lte=32), name="qad_concurrency_range"),
            models.CheckConstraint(
                condition=Q(deadline_seconds__gte=1, deadline_seconds__lte=300), name="qad_deadline_range"
            ),
        ]

    def __str__(self) -> str:
        return f"QAD {self.domain} > {self.entity}"


class QadCredential(models.Model):
    """Secrets of a QAD connection; never joined by a list."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="qad_credential")
    client_id = models.CharField(max_length=100, blank=True)
    username = models.CharField(max_length=100, blank=True)
    password = SecretField(blank=True, null=True)
    token = SecretField(blank=True, null=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "QAD credential"

    def __str__(self) -> str:
        return "QAD credentials"

    @property
    def origin(self) -> str:
        """The address that a secret entered now is for; '' without a connection."""
        row = QadConnection.objects.filter(tenant_id=self.tenant_id).first()
        return qad_origin(row) if row else ""


class ProbeResult(models.Model):
    """The last answer of one read-only probe."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="probes")
    side = models.CharField(max_length=10, choices=Side.choices)
    subject = models.CharField(max_length=60)
    answer = models.CharField(max_length=30)
    sentence = models.TextField()
    seconds = models.FloatField()
    probed_at = models.DateTimeField()
    overridden_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["side", "id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "side", "subject"], name="probe_once")]

    def __str__(self) -> str:
        return f"{self.subject}: {self.answer}"


class Circuit(models.Model):
    """A connection that failed in a way that only time or a person heals."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="circuits")
    side = models.CharField(max_length=10, choices=Side.choices)
    opened_at = models.DateTimeField()
    reason = models.TextField()
    try_again_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=1, help_text="How often in a row; each waits longer.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "side"], name="circuit_once")]

    def __str__(self) -> str:
        return f"{self.get_side_display()} stopped: {self.reason}"


class Installation(models.Model):
    """The one installation that this database belongs to: a copy of it elsewhere may not post."""

    identity = models.CharField(max_length=80)
    taken_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="installation_once")]

    def __str__(self) -> str:
        return self.identity


class CallBudget(models.Model):
    """Tokens left of one Chargebee site, shared by every process and every tenant on it."""

    host = models.CharField(max_length=200, unique=True)
    tokens = models.FloatField()
    counted_at = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True)  # Chargebee said 429: nobody on this site calls before
    recent = models.JSONField(default=list)  # [[minute of Unix time, calls], ...] of the last hour

    def __str__(self) -> str:
        return f"{self.host}: {self.tokens:.0f} calls left"


class CallPlace(models.Model):
    """One of the places of a Chargebee site: who holds it may call.

    It is free at once when its process on this machine is gone; elsewhere after its lease.
    """

    host = models.CharField(max_length=200)
    number = models.PositiveSmallIntegerField()
    holder = models.UUIDField(null=True)
    process = models.CharField(max_length=120, default="")  # see connector.processes
    lease_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "number"], name="call_place_once")]

    def __str__(self) -> str:
        return f"{self.host}: place {self.number}"


class AuditEntry(models.Model):
    """One change of state, mapping, credential, policy or decision. Append-only; no personal values."""

    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, null=True, related_name="audit_entries", db_index=False
    )
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=160, help_text="What changed, e.g. posting:CB-INV-1001.")
    reason = models.TextField(blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    personal_digest = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["tenant", "id"], name="audit_order"),
            models.Index(fields=["tenant", "subject"], name="audit_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"


class AuditPersonal(models.Model):
    """Personal before and after values of an entry; may be erased without breaking the chain."""

    entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="personal")
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, null=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    salt = models.CharField(max_length=32, blank=True, help_text="Without it nobody can guess what the digest hides.")
    erased_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return "Personal values"


class AuditSeal(models.Model):
    """The place of an entry in its tenant's hash chain, written by the sealing task."""

    entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="seal")
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, null=True, db_index=False)
    position = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "position"], name="seal_place_once"),
            models.UniqueConstraint(fields=["position"], condition=Q(tenant=None), name="seal_place_once_no_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.digest}"

"""How Chargebee's codes translate into QAD's, and what QAD said it knows."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from tenants.models import AuditEntry, Tenant


class CustomerKind(models.TextChoices):
    DIRECT = "direct", "Direct"
    ALIAS = "alias", "Alias"
    COLLECTIVE = "collective", "Collective"


class Level(models.TextChoices):
    ITEM_PRICE = "item_price", "Item price"
    ITEM = "item", "Item"
    ITEM_FAMILY = "item_family", "Item family"
    CHARGE = "charge", "Kind of line"
    FALLBACK = "fallback", "Everything else"


class RoleName(models.TextChoices):
    DISCOUNT = "discount", "Discount"
    PROMOTIONAL_GRANTED = "promotional_granted", "Promotional credit granted"
    PROMOTIONAL_BOUGHT = "promotional_bought", "Promotional credit bought"
    ROUND_OFF = "round_off", "Round-off"
    WRITE_OFF = "write_off", "Write-off"
    WITHHELD_TAX = "withheld_tax", "Withheld tax"
    REFUND_CLEARING = "refund_clearing", "Refund clearing"
    ON_ACCOUNT = "on_account", "On account"
    RECEIVABLE = "receivable", "Receivable (for the preview only)"


class CustomerMapping(models.Model):
    """A Chargebee customer and its QAD customer, for all time."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="customer_mappings")
    chargebee_id = models.CharField("Chargebee customer", max_length=100)
    qad_code = models.CharField("QAD customer", max_length=8)
    kind = models.CharField(
        max_length=10,
        choices=CustomerKind.choices,
        default=CustomerKind.DIRECT,
        help_text="Alias: a second Chargebee customer of the same QAD customer. "
        "Collective: many small customers in one QAD customer, which is never changed from here.",
    )
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["chargebee_id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "chargebee_id"], name="customer_mapping_once"),
            models.UniqueConstraint(
                fields=["tenant", "qad_code"], condition=Q(kind="direct"), name="customer_mapping_direct_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=CustomerKind.values), name="customer_mapping_kind_known"),
            models.CheckConstraint(
                condition=~Q(chargebee_id="") & ~Q(qad_code=""), name="customer_mapping_codes_given"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "qad_code"], name="customer_mapping_qad")]

    def __str__(self) -> str:
        return f"{self.chargebee_id} is {self.qad_code}"


class Dated(models.Model):
    """A mapping in force from a date on; the next row of the same key ends it."""

    valid_from = models.DateField(help_text="In force from this date on, until the next row of the same key.")
    version = models.PositiveIntegerField(default=1, editable=False, validators=[MinValueValidator(1)])

    class Meta:
        abstract = True


class Coded(Dated):
    """A dated mapping to a GL account with its dimensions."""

    gl_account = models.CharField("GL account", max_length=8)
    sub_account = models.CharField("sub-account", max_length=8, blank=True)
    cost_centre = models.CharField("cost centre", max_length=8, blank=True)
    project = models.CharField(max_length=8, blank=True)

    class Meta:
        abstract = True


class ItemMapping(Coded):
    """Where the lines of an item price, item, item family or kind of line land."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="item_mappings")
    level = models.CharField(max_length=12, choices=Level.choices)
    key = models.CharField(
        max_length=100,
        blank=True,
        help_text="The Chargebee ID of the item price, item or item family; the line's entity type (such as adhoc) "
        "for a kind of line; empty for everything else.",
    )
    qad_item = models.CharField("QAD item", max_length=18, blank=True)
    tax_code = models.CharField("QAD tax code", max_length=16, blank=True)

    class Meta:
        ordering = ["level", "key", "valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "level", "key", "valid_from"], name="item_mapping_once"),
            models.CheckConstraint(condition=Q(level__in=Level.values), name="item_mapping_level_known"),
            models.CheckConstraint(
                condition=Q(level="fallback", key="") | (~Q(level="fallback") & ~Q(key="")),
                name="item_mapping_key_fits_level",
            ),
            models.CheckConstraint(condition=~Q(gl_account=""), name="item_mapping_account_given"),
            models.CheckConstraint(condition=Q(version__gte=1), name="item_mapping_version"),
        ]

    def __str__(self) -> str:
        return f"{self.get_level_display()} {self.key}".strip()


class TaxMapping(Dated):
    """Where a tax lands: a GL account, a QAD tax code, or both. Empty keys mean any."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="tax_mappings")
    jurisdiction = models.CharField(max_length=100, blank=True, help_text="Empty for any.")
    name = models.CharField(max_length=100, blank=True, help_text="The tax's name in Chargebee; empty for any.")
    rate = models.CharField(max_length=20, blank=True, help_text="In percent, such as 8.875; empty for any.")
    gl_account = models.CharField("GL account", max_length=8, blank=True)
    qad_tax_code = models.CharField("QAD tax code", max_length=16, blank=True)

    class Meta:
        ordering = ["jurisdiction", "name", "rate", "valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "jurisdiction", "name", "rate", "valid_from"], name="tax_mapping_once"
            ),
            models.CheckConstraint(condition=~Q(gl_account="") | ~Q(qad_tax_code=""), name="tax_mapping_target_given"),
            models.CheckConstraint(
                condition=~Q(name="") | Q(jurisdiction="", rate=""), name="tax_mapping_name_before_rest"
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="tax_mapping_version"),
        ]

    def __str__(self) -> str:
        rate = f"{self.rate} %" if self.rate else ""
        return " ".join(part for part in (self.jurisdiction, self.name, rate) if part) or "Any tax"


class BankMapping(Coded):
    """Where the cash of a gateway, payment method and currency goes. Empty keys mean any; most parts named win."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="bank_mappings")
    gateway = models.CharField(
        max_length=60, blank=True, help_text="As Chargebee names it; not_applicable is offline; empty for any."
    )
    method = models.CharField("payment method", max_length=40, blank=True, help_text="Such as card; empty for any.")
    currency = models.CharField(max_length=3, blank=True, help_text="Empty for any.")
    daybook = models.CharField("QAD daybook", max_length=8, blank=True, help_text="Empty for the profile's own.")

    class Meta:
        ordering = ["gateway", "method", "currency", "valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "gateway", "method", "currency", "valid_from"], name="bank_mapping_once"
            ),
            models.CheckConstraint(condition=~Q(gl_account=""), name="bank_mapping_account_given"),
            models.CheckConstraint(condition=Q(version__gte=1), name="bank_mapping_version"),
        ]

    def __str__(self) -> str:
        return " ".join(part for part in (self.gateway, self.method, self.currency) if part) or "Any payment"


class AccountRole(Coded):
    """The account that plays a role in documents: discounts, rounding, write-offs and their like."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="account_roles")
    role = models.CharField(max_length=20, choices=RoleName.choices)

    class Meta:
        ordering = ["role", "valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "role", "valid_from"], name="account_role_once"),
            models.CheckConstraint(condition=Q(role__in=RoleName.values), name="account_role_known"),
            models.CheckConstraint(condition=~Q(gl_account=""), name="account_role_account_given"),
            models.CheckConstraint(condition=Q(version__gte=1), name="account_role_version"),
        ]

    def __str__(self) -> str:
        return self.get_role_display()


class CreditTermsMapping(Dated):
    """Which QAD credit terms stand for Chargebee's days to pay; used for customers that are created in QAD."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="credit_terms_mappings")
    days = models.CharField(
        "days to pay", max_length=4, blank=True, help_text="Chargebee's net terms, such as 30; empty for any other."
    )
    qad_terms = models.CharField("QAD credit terms", max_length=8)

    class Meta:
        ordering = ["days", "valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "days", "valid_from"], name="credit_terms_mapping_once"),
            models.CheckConstraint(condition=~Q(qad_terms=""), name="credit_terms_mapping_given"),
            models.CheckConstraint(condition=Q(version__gte=1), name="credit_terms_mapping_version"),
        ]

    def __str__(self) -> str:
        return f"{self.days} days" if self.days else "Any other terms"


class QadAccount(models.Model):
    """A GL account as QAD listed it last."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="qad_accounts")
    code = models.CharField(max_length=20)
    description = models.CharField(max_length=200, blank=True)
    account_type = models.CharField("type", max_length=60, blank=True)
    is_active = models.BooleanField("active", default=True)
    needs_sub_account = models.BooleanField(default=False)
    needs_cost_centre = models.BooleanField(default=False)
    needs_project = models.BooleanField(default=False)
    takes_sub_account = models.BooleanField(default=True)
    takes_cost_centre = models.BooleanField(default=True)
    takes_project = models.BooleanField(default=True)
    currency = models.CharField(max_length=3, blank=True)
    seen_at = models.DateTimeField()
    is_gone = models.BooleanField("gone", default=False)
    lost_at = models.DateTimeField("not usable since", null=True)  # as seen here: gone, or listed as inactive

    class Meta:
        ordering = ["code"]
        verbose_name = "QAD GL account"
        constraints = [models.UniqueConstraint(fields=["tenant", "code"], name="qad_account_once")]

    def __str__(self) -> str:
        return f"{self.code} — {self.description}" if self.description else self.code


class QadCustomer(models.Model):
    """A customer as QAD listed it last; `search_key` is its name made comparable."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="qad_customers")
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=200, blank=True)
    search_key = models.CharField(max_length=200, blank=True)
    tax_id = models.CharField("tax ID", max_length=60, blank=True)
    external_reference = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=20, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    is_active = models.BooleanField("active", default=True)
    is_complete = models.BooleanField("complete", default=True)
    # what customers are kept the same by: every field as QAD has it, a mark of that content, and what sharing asks
    content = models.JSONField(default=dict, editable=False)
    version = models.CharField(max_length=64, blank=True, editable=False)
    customer_type = models.CharField("type", max_length=20, blank=True)
    customer_group = models.CharField("group", max_length=40, blank=True)
    shared_flag = models.CharField("flag", max_length=40, blank=True)
    added_on = models.DateField(null=True, blank=True)
    seen_at = models.DateTimeField()
    is_gone = models.BooleanField("gone", default=False)
    lost_at = models.DateTimeField("not usable since", null=True)

    class Meta:
        ordering = ["code"]
        verbose_name = "QAD customer"
        constraints = [models.UniqueConstraint(fields=["tenant", "code"], name="qad_customer_once")]
        indexes = [
            models.Index(fields=["tenant", "search_key"], name="qad_customer_search"),
            models.Index(fields=["tenant", "external_reference"], name="qad_customer_reference"),
            models.Index(fields=["tenant", "tax_id"], name="qad_customer_tax_id"),
        ]

    def __str__(self) -> str:
        return f"{self.code} — {self.name}" if self.name else self.code


class QadCode(models.Model):
    """A row of any other list of QAD as it was listed last; `facts` is what that list tells beyond code and text."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="qad_codes")
    list_name = models.CharField("list", max_length=30)
    code = models.CharField(max_length=60)
    description = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField("active", default=True)
    facts = models.JSONField(default=dict)
    seen_at = models.DateTimeField()
    is_gone = models.BooleanField("gone", default=False)
    lost_at = models.DateTimeField("not usable since", null=True)

    class Meta:
        ordering = ["list_name", "code"]
        verbose_name = "code of QAD"
        verbose_name_plural = "codes of QAD"
        constraints = [models.UniqueConstraint(fields=["tenant", "list_name", "code"], name="qad_code_once")]

    def __str__(self) -> str:
        return f"{self.code} — {self.description}" if self.description else self.code


class MirrorAnswer(models.TextChoices):
    OK = "ok", "Read"
    EMPTY = "empty", "Empty, not confirmed"
    NOT_CONFIGURED = "not_configured", "Not configured"
    FAILED = "failed", "Could not be read"


class MirrorState(models.Model):
    """When a list of QAD was read last and what came of it; `refreshed_at` is empty until it worked once."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="mirror_states")
    list_name = models.CharField("list", max_length=30)
    asked_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=20, choices=MirrorAnswer.choices, default=MirrorAnswer.OK)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    rows = models.PositiveIntegerField(default=0)
    sentence = models.TextField(blank=True)

    class Meta:
        ordering = ["list_name"]
        constraints = [models.UniqueConstraint(fields=["tenant", "list_name"], name="mirror_state_once")]

    def __str__(self) -> str:
        return f"{self.list_name}: {self.sentence}"


class CatalogPrice(models.Model):
    """An item price of Chargebee's catalogue with its item and family, so that a mapping of either finds it."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    item_price = models.CharField(max_length=100)
    item = models.CharField(max_length=100)
    family = models.CharField(max_length=100, blank=True)
    item_type = models.CharField("type", max_length=10, blank=True)  # plan, addon or charge
    name = models.CharField(max_length=250, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    status = models.CharField(max_length=20, blank=True)
    accounting_code = models.CharField(max_length=100, blank=True)
    sku = models.CharField("SKU", max_length=100, blank=True)
    first_seen_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["item_price"]
        verbose_name = "item price"
        constraints = [models.UniqueConstraint(fields=["tenant", "item_price"], name="catalog_price_once")]
        indexes = [models.Index(fields=["tenant", "status", "item"], name="catalog_price_item")]

    def __str__(self) -> str:
        return self.item_price


class UploadState(models.TextChoices):
    WAITING = "waiting", "Waiting to be checked"
    CHECKING = "checking", "Being checked"
    CHECKED = "checked", "Checked, nothing saved yet"
    ASKED = "asked", "Waiting to be saved"
    SAVING = "saving", "Being saved"
    SAVED = "saved", "Saved"
    FAILED = "failed", "Failed"


class MappingUpload(models.Model):
    """A spreadsheet too large for one page: how far its check and its saving are, and what was found."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="mapping_uploads")
    kind = models.CharField(max_length=20)
    file_name = models.CharField("file", max_length=120)
    ending = models.CharField(max_length=4)
    stored_as = models.CharField(max_length=32, editable=False)
    failed_as = models.CharField(max_length=32, blank=True, editable=False)  # the wrong rows as a workbook
    state = models.CharField(max_length=10, choices=UploadState.choices, default=UploadState.WAITING)
    total_rows = models.PositiveIntegerField("rows", default=0)
    done_rows = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField("new", default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    wrong = models.PositiveIntegerField(default=0)
    shown = models.JSONField(default=dict, blank=True)
    sentence = models.TextField(blank=True)
    tries = models.PositiveSmallIntegerField(default=0, editable=False)  # of the step that it is in
    may_leave_out = models.BooleanField(default=False)
    actor = models.CharField("uploaded by", max_length=150)
    saved_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField("uploaded at")
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        verbose_name = "large upload"
        constraints = [models.CheckConstraint(condition=Q(state__in=UploadState.values), name="upload_state_known")]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_under_way(self) -> bool:
        return self.state in (UploadState.WAITING, UploadState.CHECKING, UploadState.ASKED, UploadState.SAVING)


class MappingChange(AuditEntry):
    """An audit line of a mapping, for the page that shows and undoes changes."""

    class Meta:
        proxy = True
        verbose_name = "mapping change"

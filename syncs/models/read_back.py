"""What QAD showed of our references when they were last read back, and restore mode with its progress."""

from __future__ import annotations

from django.db import models

from tenants.models import Tenant


class ReadBack(models.Model):
    """One of each tenant. `restoring_since` is set while this database may be a copy or an old backup.

    `strangers` are references in QAD with our prefix that this database does not know; `accepted` are those of them
    for which a person answers. In restore mode `looked_up_to` is the key of the last posting that was looked up.
    """

    tenant = models.OneToOneField(Tenant, on_delete=models.PROTECT, related_name="read_back")
    checked_at = models.DateTimeField(null=True)
    sentence = models.TextField(blank=True)
    is_proved = models.BooleanField(default=True)  # the lists showed what they should
    restoring_since = models.DateTimeField(null=True)
    why = models.TextField(blank=True)
    read_from = models.DateField(null=True)  # the first posting date that restore mode reads
    listed_at = models.DateTimeField(null=True)  # when restore mode had read every list whole
    looked_up_to = models.BigIntegerField(default=0)
    adopted = models.PositiveIntegerField(default=0)
    absent = models.PositiveIntegerField(default=0)
    not_proved = models.JSONField(default=list)  # references whose look-up proves nothing
    strangers = models.JSONField(default=list)
    accepted = models.JSONField(default=list)
    careful_until = models.DateTimeField(null=True)  # until then everything is looked up before it is first sent
    swept_at = models.DateTimeField(null=True)  # when the daily reading was last complete
    sweep_from = models.DateField(null=True)  # the posting date at which it goes on

    def __str__(self) -> str:
        return f"Reading back of {self.tenant}"

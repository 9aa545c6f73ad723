"""manage.py import_mappings, with what follows from it: documents that waited are prepared again."""

from __future__ import annotations

from django.utils import timezone

from mappings.management.commands import import_mappings
from mappings.saving import Saved
from syncs.releasing import release
from syncs.status import money_text
from tenants.models import QadConnection, Tenant


class Command(import_mappings.Command):
    def saved_changes(self, tenant: Tenant, saved: Saved) -> None:
        if not QadConnection.objects.filter(tenant=tenant).exists():
            return
        kinds = {key[0] for key in saved.keys}
        released = release(tenant, kinds, now=timezone.now(), actor="import_mappings")
        if released.waited:
            money = " · ".join(f"{money_text(minor, code)} {code}" for code, minor in sorted(released.money.items()))
            self.say(f"{released.released} of {released.waited} held documents are free to go now. {money}".strip())

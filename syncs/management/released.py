"""What follows from mappings that a command saved: documents that waited for them are prepared again."""

from __future__ import annotations

from django.utils import timezone

from mappings.saving import Saved
from syncs.completeness import money_text
from syncs.releasing import follow
from tenants.commands import SentenceCommand
from tenants.models import QadConnection, Tenant


class ReleasingCommand(SentenceCommand):
    """Mixed into the commands that save mappings."""

    def saved_changes(self, tenant: Tenant, saved: Saved) -> None:
        if not saved or not QadConnection.objects.filter(tenant=tenant).exists():
            return
        kinds = {key[0] for key in saved.keys}
        released = follow(tenant, kinds, now=timezone.now(), actor=self.actor)
        if released.waited:
            money = " · ".join(f"{money_text(minor, code)} {code}" for code, minor in sorted(released.money.items()))
            self.say(f"{released.released} of {released.waited} held documents are free to go now. {money}".strip())
        if released.rerouted:
            self.say(f"{released.rerouted} prepared documents are coded anew.")

    @property
    def actor(self) -> str:
        return type(self).__module__.rpartition(".")[2]

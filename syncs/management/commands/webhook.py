"""manage.py webhook TENANT: where Chargebee sends webhooks, and replacing who may."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from syncs import webhook_keys
from syncs.models import Style, WebhookCredential, WebhookEvent
from tenants.commands import WRONG_NAME, Failed, SentenceCommand, tenant_named
from tenants.models import Tenant

_ACTOR = "command line"


class Command(SentenceCommand):
    help = "Print the address for Chargebee's webhooks; make a credential (its secret is printed once) or retire one."
    example = "manage.py webhook acme --make basic\n  manage.py webhook acme --retire 3"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument("--make", choices=list(Style.values), help="make one more; two are valid at most")
        parser.add_argument("--retire", type=int, metavar="NUMBER", help="end the credential of this number at once")

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        if options["retire"] is not None:
            self._retire(tenant, options["retire"])
        token = self._make(tenant, options["make"]) if options["make"] else ""
        self._print(tenant, token)

    @sensitive_variables("made")
    def _make(self, tenant: Tenant, style: str) -> str:
        made = webhook_keys.make(tenant, style, actor=_ACTOR, now=timezone.now())
        if style == Style.URL_TOKEN:
            self.say("The address below holds a new secret, shown this once.")
            return f"?{webhook_keys.TOKEN_PARAMETER}={made.secret}"
        self.say(f"User name: {made.row.username}\nPassword:  {made.secret}   (shown this once)")
        return ""

    def _retire(self, tenant: Tenant, number: int) -> None:
        if not webhook_keys.retire(tenant, number, actor=_ACTOR, now=timezone.now()):
            raise Failed(
                f"{tenant} has no valid webhook credential {number}. Without --retire this command lists them.",
                returncode=WRONG_NAME,
            )
        self.say(f"Credential {number} is no longer valid.")

    def _print(self, tenant: Tenant, token: str) -> None:
        endpoint = webhook_keys.endpoint_of(tenant, actor=_ACTOR, now=timezone.now())
        self.say(f"Address:   {_origin()}{reverse('webhook', args=[endpoint.public_id])}{token}")
        self.say("In Chargebee: Settings > Configure Chargebee > API Keys and Webhooks > Webhooks; API version V2.")
        valid = WebhookCredential.objects.filter(tenant=tenant, retired_at=None)
        for row in valid:
            self.say(
                f"Valid:     {row.pk} {row.get_style_display().lower()} {row.username} made {row.created_at:%Y-%m-%d}"
            )
        if not valid:
            self.say("Nobody may send yet. Make a credential with --make basic.")
        last = WebhookEvent.objects.filter(tenant=tenant).order_by("-id").values_list("received_at", flat=True).first()
        self.say(f"Last received: {last:%Y-%m-%d %H:%M} UTC" if last else "Last received: nothing yet")


def _origin() -> str:
    """The public address as far as the settings tell it."""
    host = next((name for name in settings.ALLOWED_HOSTS if name != "*"), "localhost")
    return f"{'https' if settings.IS_BEHIND_TLS else 'http'}://{host.lstrip('.')}"

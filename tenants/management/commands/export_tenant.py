"""manage.py export_tenant SLUG: write a tenant as a file, without its secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from tenants.commands import REFUSED, Failed, SentenceCommand, tenant_named
from tenants.exporting import export


class Command(SentenceCommand):
    help = "Write a tenant as a TOML file without secrets; apply_tenant reads it, here or in another installation."
    example = "manage.py export_tenant acme > acme.toml"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument("--output", default="", help="write to this file instead of the screen")

    def perform(self, **options: Any) -> None:
        text = export(tenant_named(options["tenant"]))
        if not options["output"]:
            self.stdout.write(text, ending="")
            return
        try:
            Path(options["output"]).write_text(text, encoding="utf-8")
        except OSError as error:
            raise Failed(f"'{options['output']}' cannot be written: {error}.", returncode=REFUSED) from None
        self.say(f"Written to {options['output']}.")

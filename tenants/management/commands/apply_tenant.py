"""manage.py apply_tenant FILE.toml: create or update a tenant from a file."""

from __future__ import annotations

import getpass
import os
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from tenants import applying, setup_file
from tenants.commands import SentenceCommand, refuse, text_of
from tenants.setup_file import Setup


class Command(SentenceCommand):
    help = "Create or update a tenant with its connections, profile and policies from a TOML file."
    example = 'manage.py apply_tenant acme.toml        # secrets in it: api_key = { env = "ACME_KEY" }'

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the TOML file; manage.py export_tenant writes one")
        parser.add_argument("--check", action="store_true", help="only say what is wrong with the file; save nothing")

    def perform(self, **options: Any) -> None:
        path = options["file"]
        setup = setup_file.read(text_of(path), os.environ)
        if not isinstance(setup, Setup):
            refuse(setup, what=f"{path} cannot be applied.")
            return
        if options["check"]:
            self.say(f"{path} is in order. Nothing was saved.")
            return
        applied = applying.apply(setup, actor=_person(), now=timezone.now())
        if isinstance(applied, list):
            refuse(applied, what=f"{path} cannot be applied.")
            return
        self._tell(applied)

    def _tell(self, applied: applying.Applied) -> None:
        slug = applied.tenant.slug
        if applied.is_new:
            self.say(f"Tenant '{slug}' is created. Test it with: manage.py ping {slug}")
        elif applied.changed:
            self.say(f"Tenant '{slug}' is updated: {', '.join(applied.changed)}. Test it with: manage.py ping {slug}")
        else:
            self.say(f"Tenant '{slug}' is as the file says already. Nothing was changed.")


def _person() -> str:
    try:
        return f"command ({getpass.getuser()})"
    except (KeyError, OSError):  # a container's user may have no name
        return "command"

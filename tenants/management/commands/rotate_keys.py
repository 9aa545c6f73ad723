"""manage.py rotate_keys: encrypt every stored credential with the newest of FERNET_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from tenants import rotation
from tenants.commands import REFUSED, Failed, SentenceCommand


class Command(SentenceCommand):
    help = (
        "Encrypt every stored credential with the first of FERNET_KEYS. Put the new key first, restart, run this, then "
        "remove the old key. It may be stopped and run again at any time."
    )
    example = "manage.py rotate_keys --dry-run"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count; change nothing")

    def perform(self, **options: Any) -> None:
        tally = rotation.count() if options["dry_run"] else rotation.rotate()
        self.say(f"With the newest key: {tally.newest}.")
        self.say(f"{'With an older key' if options['dry_run'] else 'Encrypted anew'}: {tally.older}.")
        if tally.unreadable:
            listed = "\n".join(f"- {where}" for where in tally.unreadable)
            raise Failed(f"These cannot be read with FERNET_KEYS; enter them again:\n{listed}", returncode=REFUSED)

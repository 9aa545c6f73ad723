"""manage.py import_mappings, with what follows from it."""

from __future__ import annotations

from mappings.management.commands import import_mappings
from syncs.management.released import ReleasingCommand


class Command(ReleasingCommand, import_mappings.Command):
    pass

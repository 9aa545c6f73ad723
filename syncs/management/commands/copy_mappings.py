"""manage.py copy_mappings, with what follows from it."""

from __future__ import annotations

from mappings.management.commands import copy_mappings
from syncs.management.released import ReleasingCommand


class Command(ReleasingCommand, copy_mappings.Command):
    pass

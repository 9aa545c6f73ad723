#!/usr/bin/env python
"""Entry point of every command."""

import os
import sys

from django.core.management import execute_from_command_line

from connector.env import SettingsError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connector.settings")
    try:
        execute_from_command_line(sys.argv)
    except SettingsError as error:
        sys.exit(f"Cannot start: {error}")

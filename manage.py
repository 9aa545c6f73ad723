#!/usr/bin/env python
"""Entry point of every command."""

import os
import sys

from django.core.management import execute_from_command_line

from connector.env import SettingsError


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connector.settings")
    try:
        execute_from_command_line(sys.argv)
        sys.stdout.flush()
    except SettingsError as error:
        sys.exit(f"Cannot start: {error}")
    except KeyboardInterrupt:
        sys.stderr.write("Stopped by Ctrl-C.\n")
        sys.exit(130)
    except BrokenPipeError:  # who reads our lines has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


if __name__ == "__main__":
    main()

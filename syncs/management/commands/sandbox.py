"""manage.py sandbox: a Chargebee site and a QAD instance on this machine, to try everything against."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from tenants.commands import REFUSED, Failed, SentenceCommand


class Command(SentenceCommand):
    help = (
        "Serve a sandbox of both systems on 127.0.0.1 until Ctrl-C. OUTBOUND_ALLOW=127.0.0.0/8 lets tenants reach it."
    )
    example = "manage.py sandbox --port 8900 --customers 50 --cycles 1"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8900)
        parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same world")
        parser.add_argument("--customers", type=int, default=300)
        parser.add_argument("--cycles", type=int, default=0, help="billing cycles to bill at the start")

    def perform(self, **options: Any) -> None:
        arguments = [f"--{name}={options[name]}" for name in ("port", "seed", "customers", "cycles")]
        try:
            done = subprocess.run(  # noqa: S603 - our own module
                [sys.executable, "-m", "connector.sandbox", *arguments], cwd=settings.BASE_DIR, check=False
            )
        except KeyboardInterrupt:
            return
        if done.returncode:
            raise Failed(
                f"The sandbox ended with {done.returncode}. If port {options['port']} is busy, choose one with --port.",
                returncode=REFUSED,
            )

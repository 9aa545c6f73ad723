"""manage.py sandbox: a Chargebee site and a QAD instance on this machine, to try everything against."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from tenants.commands import REFUSED, WRONG_NAME, Failed, SentenceCommand


class Command(SentenceCommand):
    help = (
        "Serve a sandbox of both systems on 127.0.0.1 until Ctrl-C. OUTBOUND_ALLOW=127.0.0.0/8 lets tenants reach it."
    )
    example = "manage.py sandbox --port 8900 --customers 50 --cycles 1"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8900, help="0 takes any free port")
        parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same world")
        parser.add_argument("--customers", type=int, default=300)
        parser.add_argument("--cycles", type=int, default=0, help="billing cycles to bill at the start")

    def perform(self, **options: Any) -> None:
        _refuse_what_cannot_be_served(options)
        arguments = [f"--{name}={options[name]}" for name in ("port", "seed", "customers", "cycles")]
        arguments.append(f"--parent-pid={os.getpid()}")  # however this command ends, the sandbox ends too
        try:
            done = subprocess.run(  # noqa: S603 - our own module
                [sys.executable, "-m", "connector.sandbox", *arguments], cwd=settings.BASE_DIR, check=False
            )
        except KeyboardInterrupt:
            return
        if done.returncode:
            raise Failed(f"The sandbox ended with {done.returncode}.", returncode=REFUSED)


def _refuse_what_cannot_be_served(options: dict[str, Any]) -> None:
    for name in ("customers", "cycles"):
        if options[name] < 0:
            raise Failed(f"--{name} is {options[name]}. Use 0 or more.", returncode=WRONG_NAME)
    port = options["port"]
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OverflowError:
        raise Failed(f"--port is {port}. Use a number from 0 to 65535.", returncode=WRONG_NAME) from None
    except OSError as error:
        text = f"Port {port} cannot be used: {error.strerror}. Choose another with --port."
        raise Failed(text, returncode=REFUSED) from None

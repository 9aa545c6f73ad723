"""`python -m connector.sandbox`: serves the sandbox on 127.0.0.1 until it is told to stop."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from connector.sandbox.server import serve
from connector.sandbox.world import World

_LOOK_UP = 1.0  # seconds between two looks at the parent and at the webhooks that are due


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopped.set())
    world = World(seed=options.seed, customers=options.customers)
    for _ in range(options.cycles):
        world.bill_cycle(kinds=options.kinds)
    with serve(world, options.port) as server:
        if options.url_file:
            _write(Path(options.url_file), server.url)
        sys.stdout.write(f"Sandbox at {server.url}\n")
        sys.stdout.flush()
        while not stopped.wait(_LOOK_UP):
            world.chargebee.webhooks.deliver()
            if options.parent_pid and not _lives(options.parent_pid):
                break
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m connector.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--customers", type=int, default=300)
    parser.add_argument("--cycles", type=int, default=0, help="billing cycles to bill before the first request")
    parser.add_argument("--kinds", choices=("invoices", "all"), default="invoices", help="what those cycles make")
    parser.add_argument("--url-file", default="", help="file to write the URL to once the server listens")
    parser.add_argument("--parent-pid", type=int, default=0, help="end when this process is gone")
    return parser


def _write(path: Path, url: str) -> None:
    """Whole or not at all, so that whoever waits for the file never reads half a URL."""
    draft = path.with_name(path.name + ".new")
    draft.write_text(url, encoding="utf-8")
    draft.replace(path)


def _lives(pid: int) -> bool:
    """Our own parent is gone when we have another; any other process when no signal reaches it."""
    if os.getppid() == pid:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    sys.exit(main())

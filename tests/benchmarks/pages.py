"""A site of the sandbox with so many invoices of five lines, served until its parent ends."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from connector.sandbox.chargebee.documents import Charge
from connector.sandbox.server import serve
from connector.sandbox.world import World

ROOT = Path(__file__).resolve().parent.parent.parent
FIVE_LINES = tuple(Charge(amount, "pro-USD-Monthly") for amount in (10_000, 2_500, 900, 4_999, 1))


def main(invoices: int, url_file: Path, parent: int) -> None:
    world = World(seed=3, customers=20)
    for _ in range(invoices):
        world.chargebee.add_invoice(charges=FIVE_LINES)
    with serve(world) as server:
        url_file.write_text(server.url)
        while os.getppid() == parent:
            time.sleep(0.5)


def address(path: Path) -> str:
    for _ in range(2400):
        if path.exists() and path.read_text():
            return path.read_text().strip()
        time.sleep(0.1)
    raise SystemExit("The site was not ready within four minutes.")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))

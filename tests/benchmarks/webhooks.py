"""How fast gunicorn takes webhooks in: `python -m tests.benchmarks.webhooks [RATE] [SECONDS]`. Printed, never judged.

An open loop: a request goes out when its time has come, whether earlier ones were answered or not, and its time counts
from then. SQLite always; PostgreSQL too where DATABASE_URL names an empty database.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import resource
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent
SETTINGS = {
    "SECRET_KEY": "only-for-benchmarks-" + "k" * 50,
    "FERNET_KEYS": "only-for-benchmarks-" + "n" * 40,
    "LOG_LEVEL": "WARNING",
}
A_TENANT = "from tenants.models import Tenant; Tenant.objects.get_or_create(slug='bench', defaults={'name': 'Bench'})"
BALLAST = "x" * 180  # an event of some 5 kB, as an invoice's is
LINES = [{"id": f"li_{n}", "description": BALLAST, "amount": 1250, "entity_id": "pro-USD-Monthly"} for n in range(18)]


def main(rate: int = 300, seconds: int = 10) -> int:
    run("SQLite", {}, rate, seconds)
    if os.environ.get("DATABASE_URL"):
        run("PostgreSQL", {"DATABASE_URL": os.environ["DATABASE_URL"]}, rate, seconds)
    return 0


def run(label: str, database: dict[str, str], rate: int, seconds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        env = {**os.environ, **SETTINGS, "VAR_DIR": folder, "DATABASE_URL": "", **database}
        manage(env, "migrate", "--verbosity", "0")
        manage(env, "shell", "-c", A_TENANT)
        told = manage(env, "webhook", "bench", "--make", "basic")
        port = free_port()
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "connector.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "2",
             "--threads", "8"],
            cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        before, sender = spent(), Sender(port, told)
        try:
            sender.warm_up()
            size = len(sender.body("x")) / 1000
            print(f"\n{label}: two workers of eight threads, events of {size:.1f} kB, synchronous commits")
            for each in (rate // 3, rate):
                report(each, asyncio.run(sender.at(each, seconds)), seconds)
        finally:
            server.terminate()
            server.wait(20)
        each = (spent() - before) * 1000 / sender.accepted
        print(f"  {each:.1f} ms of processor time for each, the server's start included")
        stored = manage(env, "shell", "--no-imports", "-c", COUNT).strip()
        print(f"  stored {stored} events, answered with 200: {sender.accepted}; 1-minute load {os.getloadavg()[0]:.1f}")


def spent() -> float:
    """Seconds of processor time of every process that was started and has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


COUNT = "from syncs.models import WebhookEvent; print(WebhookEvent.objects.filter(state='received').count())"


class Sender:
    """Each request on a connection of its own, as behind a proxy that keeps none."""

    def __init__(self, port: int, told: str) -> None:
        user, password = (re.search(rf"{name}: +(\S+)", told)[1] for name in ("User name", "Password"))
        self._port = port
        self._path = urlsplit(re.search(r"Address: +(\S+)", told)[1]).path
        self._pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._number = 0
        self.accepted = 0

    def body(self, event_id: str) -> bytes:
        invoice = {"id": f"INV-{event_id}", "object": "invoice", "total": 22_500, "line_items": LINES}
        event = {"id": event_id, "api_version": "v2", "event_type": "invoice_updated", "occurred_at": int(time.time())}
        return json.dumps({**event, "object": "event", "content": {"invoice": invoice}}).encode()

    def warm_up(self) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                if all(asyncio.run(self._send(time.perf_counter()))[1] == 200 for _ in range(20)):
                    return
            except OSError:
                time.sleep(0.2)
        raise SystemExit("gunicorn did not start within a minute.")

    async def at(self, rate: int, seconds: int) -> list[tuple[float, int]]:
        """(seconds, status) of every request."""
        start, sent = time.perf_counter() + 0.1, []
        for number in range(rate * seconds):
            due = start + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            sent.append(asyncio.create_task(self._send(due)))
        return await asyncio.gather(*sent)

    async def _send(self, due: float) -> tuple[float, int]:
        self._number += 1
        body = self.body(f"ev_{self._number}")
        head = (
            f"POST {self._path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {self._pair}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(head.encode() + body)
            status = int((await reader.read(64)).split(b" ")[1])
            self.accepted += status == 200
            return time.perf_counter() - due, status
        finally:
            writer.close()


def report(rate: int, answers: list[tuple[float, int]], seconds: int) -> None:
    times = sorted(taken * 1000 for taken, _ in answers)
    wrong = sum(status != 200 for _, status in answers)
    p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    print(f"  {rate:4d} a second for {seconds} s   p50 {p50:7.1f} ms   p99 {p99:7.1f} ms   worst {times[-1]:7.1f} ms   "
          f"not 200: {wrong}")  # fmt: skip


def manage(env: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:3])))

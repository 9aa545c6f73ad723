"""What `make demo` promises beside its figures: two at once keep out of each other's way, and every signal stops it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings

from deploy import demo

STAYS_UP = """
import signal, time
from deploy import demo
with demo.stopping_on_signals():
    try:
        print("up", flush=True)
        time.sleep(30)
    except KeyboardInterrupt:
        print("stopping", flush=True)
        time.sleep(0.5)  # as long as it takes, and a person may be impatient
        print("stopped", flush=True)
"""


def test_a_second_demo_takes_a_folder_of_its_own(tmp_path):
    with demo.own_folder(tmp_path) as first:
        (first / "connector.sqlite3").write_text("in use")
        with demo.own_folder(tmp_path) as second:
            assert (first.name, second.name) == ("demo", "demo-2")
            assert list(second.iterdir()) == []
        assert (first / "connector.sqlite3").read_text() == "in use"


def test_the_next_demo_begins_with_an_empty_folder(tmp_path):
    with demo.own_folder(tmp_path) as first:
        (first / "connector.sqlite3").write_text("of yesterday")
    with demo.own_folder(tmp_path) as again:
        assert (again, list(again.iterdir())) == (first, [])


# As a shell starts what a script puts into the background.
IN_THE_BACKGROUND = ("sh", "-c", """trap "" INT; exec "$0" "$@" """)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.slow
def test_a_signal_stops_it_also_in_the_background_and_a_second_does_not_disturb(sent):
    with subprocess.Popen(
        [*IN_THE_BACKGROUND, sys.executable, "-c", STAYS_UP], cwd=settings.BASE_DIR, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(sent)
        assert process.stdout.readline() == b"stopping\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == b"stopped\n"
    assert process.returncode == 0


KILLED = """
import sys, time
from pathlib import Path
from deploy import demo
one = demo.Demo(Path(sys.argv[1]), {})
print(one.start("sleeper", "sh", "-c", "sleep 60 & wait").pid, flush=True)
time.sleep(60)
"""


@pytest.mark.slow
def test_what_it_started_ends_even_when_it_is_killed(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], cwd=settings.BASE_DIR, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        group = int(process.stdout.readline())
        assert demo.group_lives(group)
        process.kill()
    until = time.monotonic() + 20
    while demo.group_lives(group) and time.monotonic() < until:
        time.sleep(0.05)
    assert not demo.group_lives(group)

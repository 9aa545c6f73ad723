"""Whether the process that holds something is still there."""

import signal
import subprocess
import sys

import pytest

from connector.processes import is_gone, this_process

NAME = "import time; from connector.processes import this_process; print(this_process(), flush=True); time.sleep(60)"


@pytest.fixture
def child():
    process = subprocess.Popen([sys.executable, "-c", NAME], stdout=subprocess.PIPE, text=True)
    yield process, process.stdout.readline().strip()
    process.kill()
    process.wait()


def test_a_process_is_there_until_it_is_killed(child):
    process, name = child
    assert not is_gone(name)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert is_gone(name)


def test_one_that_is_dead_and_not_yet_collected_by_its_parent_is_gone(child):
    process, name = child
    process.send_signal(signal.SIGKILL)
    for _ in range(200):
        if is_gone(name):
            break
        signal.sigtimedwait([], 0.01)
    assert is_gone(name)


def test_this_process_is_there():
    assert this_process().count("/") == 3
    assert not is_gone(this_process())


@pytest.mark.parametrize(
    "change",
    [
        lambda boot, space, number, started: "",
        lambda boot, space, number, started: "garbage",
        lambda boot, space, number, started: f"other/{space}/{number}/1",
        lambda boot, space, number, started: f"{boot}/pid:[1]/{number}/1",
        lambda boot, space, number, started: f"{boot}/{space}/x/1",
    ],
    ids=["unknown", "garbage", "another machine", "another container", "no number"],
)
def test_one_that_cannot_be_judged_from_here_may_be_alive(change):
    assert not is_gone(change(*this_process().split("/")))


def test_a_later_process_of_the_same_number_is_another_one():
    boot, space, number, _ = this_process().split("/")
    assert is_gone(f"{boot}/{space}/{number}/1")

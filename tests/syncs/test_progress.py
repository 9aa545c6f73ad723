"""Progress for a person at a terminal, or as lines in a log."""

import io

from syncs.progress import Bar, Lines
from syncs.running import Step

STEPS = (Step("Reading invoices", 100), Step("Reading invoices", 140), Step("Posting", 1, 4), Step("Posting", 4, 4))


def told(shower):
    for step in STEPS:
        shower.tell(step)
    shower.end()
    shower.end()


def test_a_terminal_shows_a_bar_that_is_written_over():
    out = io.StringIO()

    told(Bar(out))

    lines = out.getvalue().split("\n")
    assert len(lines) == 3
    assert lines[0].endswith("140")
    assert lines[1].endswith("█ 4/4")
    assert "░ 1/4" in lines[1]


def test_a_log_gets_one_line_for_each_stage():
    out = io.StringIO()

    told(Lines(out))

    assert out.getvalue() == "Reading invoices: 140\nPosting: 4\n"


def test_a_log_shows_a_stage_as_soon_as_it_is_over(tmp_path):
    log = tmp_path / "sync.log"
    with log.open("w") as out:
        lines = Lines(out)
        lines.tell(Step("Reading invoices", 100))
        lines.tell(Step("Posting", 1))
        assert log.read_text() == "Reading invoices: 100\n"

"""What is masked before a line reaches a log."""

from __future__ import annotations

import logging

import pytest

from connector import logs

SECRET = "Zq3-canary_9f8e7d6c5b4a"
LINES = {
    "the address of a request": ('"POST /webhooks/abc?token=%s HTTP/1.1" 200', (SECRET,)),
    "a parameter by another spelling": ("/webhooks/abc?%%74oken=%s", (SECRET,)),
    "an access line of gunicorn": (
        "%(r)s %(q)s",
        ({"r": f"POST /webhooks/abc?token={SECRET}", "q": f"token={SECRET}"},),
    ),
    "a header": ("Authorization: Basic %s", (SECRET,)),
    "a header in lower case": ("basic %s", (SECRET,)),
}


@pytest.mark.parametrize("line", LINES.values(), ids=list(LINES))
def test_a_secret_is_masked(line):
    message, arguments = line
    record = logging.LogRecord("gunicorn.access", logging.INFO, "", 0, message, arguments, None)
    assert logs.MaskSecrets().filter(record)
    assert SECRET not in record.getMessage()
    assert "***" in record.getMessage()


@pytest.mark.parametrize("text", ["GET /admin/?page=2 HTTP/1.1", "Basic is better", "100%", "a %s b"])
def test_other_lines_stay_as_they_are(text):
    record = logging.LogRecord("x", logging.INFO, "", 0, text, (), None)
    assert logs.MaskSecrets().filter(record)
    assert record.getMessage() == text


def test_a_line_that_cannot_be_rendered_is_left_to_logging():
    record = logging.LogRecord("x", logging.INFO, "", 0, "%d", ("x",), None)
    assert logs.MaskSecrets().filter(record)


def test_gunicorns_own_loggers_are_covered_once():
    logs.mask_server_logs()
    logs.mask_server_logs()
    for name in logs.SERVER_LOGS:
        assert len([one for one in logging.getLogger(name).filters if isinstance(one, logs.MaskSecrets)]) == 1

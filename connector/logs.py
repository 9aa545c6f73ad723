"""No log line of ours or of gunicorn holds a secret: not in an address, a header, or the text of an error."""

from __future__ import annotations

import logging
import re

from connector.http import redact

SERVER_LOGS = ("gunicorn.access", "gunicorn.error")
_WEBHOOK = re.compile(r"(/webhooks/[^\s?\"']*\?)[^\s\"']+")  # whatever the parameter is called
_BASIC = re.compile(r"\b(Basic\s+)[A-Za-z0-9+/=_-]{4,}", re.IGNORECASE)


class MaskSecrets(logging.Filter):
    """Renders the line and masks it, so that arguments are covered too."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - a log line that cannot be rendered is logging's own to report
            return True
        masked = redact.text(text)
        for pattern in (_WEBHOOK, _BASIC):
            masked = pattern.sub(lambda found: found[1] + redact.MASK, masked)
        if masked != text:
            record.msg, record.args = masked, ()
        return True


def mask_server_logs() -> None:
    """Also for gunicorn's own loggers, which no setting of ours reaches; harmless to repeat."""
    for name in SERVER_LOGS:
        logger = logging.getLogger(name)
        if not any(isinstance(found, MaskSecrets) for found in logger.filters):
            logger.addFilter(MaskSecrets())

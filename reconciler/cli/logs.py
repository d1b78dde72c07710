"""One line an event on standard error: plain, with priorities where systemd reads it, or JSON."""

from __future__ import annotations

import json
import logging
import os
import sys
import time

from reconciler.cli.secrets import redacted

PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class Plain(logging.Formatter):
    """`2026-11-24T10:00:00Z info cycle.apply: what happened`."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        return f"{at} {record.levelname.lower()} {_place(record)}: {_line(record)}"


class Journal(logging.Formatter):
    """The same without the time, which the journal keeps, and with its priority."""

    def format(self, record: logging.LogRecord) -> str:
        return f"<{PRIORITIES.get(record.levelno, 6)}>{_place(record)}: {_line(record)}"


class Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        told = {
            "time": at,
            "level": record.levelname.lower(),
            "place": _place(record),
            "message": _line(record),
        }
        return json.dumps(told, ensure_ascii=False)


class Redacting(logging.Filter):
    """Takes secrets out of every event before anything writes it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args, record.exc_info = redacted(_line(record)), (), None
        return True


def log_to_stderr(form: str) -> None:
    """Send every event of the program to standard error."""
    formatter: logging.Formatter = Json() if form == "json" else Plain()
    if form == "text" and os.environ.get("JOURNAL_STREAM"):
        formatter = Journal()
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(formatter)
    out.addFilter(Redacting())
    logging.basicConfig(level=logging.INFO, handlers=[out], force=True)
    for noisy in ("aiohttp.access", "kubernetes", "urllib3", "watchfiles", "git"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _place(record: logging.LogRecord) -> str:
    """`adapters.kubernetes.watches`: so that a grep for a part of the program finds its lines."""
    return record.name.removeprefix("reconciler.")


def _line(record: logging.LogRecord) -> str:
    text = record.getMessage()
    if record.exc_info and record.exc_info[1]:
        text = f"{text}: {record.exc_info[1]!r}"
    return text.replace("\n", " | ")

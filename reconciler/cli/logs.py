"""One line an event on standard error: plain, with priorities where systemd reads it, or JSON."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import PurePath
from traceback import walk_tb
from types import TracebackType

from reconciler.cli.redaction import redacted
from reconciler.values.text import one_line

PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
LINE_MAX = 2_000
"""Characters of an event's text."""
RAW_MAX = 10_000
"""Characters of an event's text that are looked at; a line's end becomes three of them."""
READ_MAX = 8_000
"""Characters of the cleaned text that secrets are looked for in; what follows is left out."""
FRAMES_MAX = 6
"""Innermost frames of an exception that are named."""
CAUSES_MAX = 3

log = logging.getLogger(__name__)


class PlainFormatter(logging.Formatter):
    """`2026-11-24T10:00:00Z info cycle.apply: what happened`."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        return f"{at} {record.levelname.lower()} {_place(record)}: {_line(record)}"


class JournalFormatter(logging.Formatter):
    """The same without the time, which the journal keeps, and with its priority."""

    def format(self, record: logging.LogRecord) -> str:
        return f"<{PRIORITIES.get(record.levelno, 6)}>{_place(record)}: {_line(record)}"


class JsonFormatter(logging.Formatter):
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
    """Bounds and cleans every event and hides secrets in it, before anything writes it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args, record.exc_info = _line(record), (), None
        record.exc_text = record.stack_info = None
        return True


def log_to_stderr(form: str) -> None:
    """Send every event of the program to standard error, warnings and uncaught exceptions among them."""
    formatter: logging.Formatter = JsonFormatter() if form == "json" else PlainFormatter()
    if form == "text" and os.environ.get("JOURNAL_STREAM"):
        formatter = JournalFormatter()
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(formatter)
    out.addFilter(Redacting())
    logging.basicConfig(level=logging.INFO, handlers=[out], force=True)
    for noisy in ("aiohttp.access", "kubernetes", "urllib3", "watchfiles", "git"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    threading.excepthook = _log_thread
    sys.excepthook = _log_end


def _log_thread(ended: threading.ExceptHookArgs) -> None:
    """What ended a thread, which Python would print over many lines."""
    if ended.exc_value is not None and not issubclass(ended.exc_type, SystemExit):
        found = (ended.exc_type, ended.exc_value, ended.exc_traceback)
        log.error("thread %s ended", ended.thread.name if ended.thread else "?", exc_info=found)


def _log_end(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
    """What ended the program."""
    log.critical("the program ended", exc_info=(kind, value, trace))


def _place(record: logging.LogRecord) -> str:
    """`adapters.kubernetes.watches`: so that a grep for a part of the program finds its lines."""
    return one_line(record.name.removeprefix("reconciler."), 100)


def _line(record: logging.LogRecord) -> str:
    """The event's text on one line, bounded, clean and without secrets, whatever the record holds.

    It is cleaned before secrets are looked for, as an invisible character could hide one, and cut last, so
    that the cut falls into no secret.
    """
    try:
        text = record.getMessage()
    except (
        Exception
    ) as error:  # arguments that do not fit, or cannot be shown: an event must not end its caller
        text = f"{record.msg!s:.500} ({type(error).__name__} while its arguments were formatted)"
    if record.exc_info and record.exc_info[1]:
        text = f"{text[:RAW_MAX]}: {' < '.join(_causes(record.exc_info[1]))}"
    window = one_line(text[:RAW_MAX].strip().replace("\n", " | "), READ_MAX)
    cut = len(text) > RAW_MAX or (len(window) == READ_MAX and window.endswith("..."))
    line = redacted(window, cut=cut) + (" ..." if cut else "")
    return one_line(line, LINE_MAX)


def _causes(error: BaseException) -> Iterator[str]:
    """An exception and what caused it: its type and words, and where it was raised, innermost frame first."""
    found: BaseException | None = error
    for _ in range(CAUSES_MAX):
        if found is None:
            return
        yield f"{_shown(found)}{_where(found.__traceback__)}"
        found = found.__cause__


def _shown(error: BaseException) -> str:
    try:
        return repr(error)[:RAW_MAX]
    except Exception:  # of a library's exception
        return type(error).__name__


def _where(trace: TracebackType | None) -> str:
    """` at cycle/run.py:140 in cycle, cycle/loop.py:48 in run`."""
    frames = [(frame.f_code, line) for frame, line in walk_tb(trace)][-FRAMES_MAX:]
    places = (f"{_module(code.co_filename)}:{line} in {code.co_name}" for code, line in reversed(frames))
    return f" at {', '.join(places)}" if frames else ""


def _module(path: str) -> str:
    return "/".join(PurePath(path).parts[-2:])

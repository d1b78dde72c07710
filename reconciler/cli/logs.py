"""Log events on standard error, one per line: plain, with systemd's priorities, or JSON."""

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
"""Characters of an event's text that are processed; a line end becomes three of them."""
READ_MAX = 8_000
"""Characters of the cleaned text that are searched for secrets; the rest is dropped."""
FRAMES_MAX = 6
"""Innermost frames of an exception."""
CAUSES_MAX = 3

log = logging.getLogger(__name__)


class PlainFormatter(logging.Formatter):
    """`2026-11-24T10:00:00Z info cycle.apply: what happened`."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        return f"{at} {record.levelname.lower()} {_place(record)}: {_line(record)}"


class JournalFormatter(logging.Formatter):
    """The same with a priority and without the time, which the journal adds."""

    def format(self, record: logging.LogRecord) -> str:
        return f"<{PRIORITIES.get(record.levelno, 6)}>{_place(record)}: {_line(record)}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        event = {
            "time": at,
            "level": record.levelname.lower(),
            "place": _place(record),
            "message": _line(record),
        }
        return json.dumps(event, ensure_ascii=False)


class RedactingFilter(logging.Filter):
    """Truncates and cleans every event and hides secrets in it, before it is written."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args, record.exc_info = _line(record), (), None
        record.exc_text = record.stack_info = None
        return True


def log_to_stderr(form: str) -> None:
    """Send all events to standard error, including warnings and uncaught exceptions."""
    formatter: logging.Formatter = JsonFormatter() if form == "json" else PlainFormatter()
    if form == "text" and os.environ.get("JOURNAL_STREAM"):
        formatter = JournalFormatter()
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(formatter)
    out.addFilter(RedactingFilter())
    logging.basicConfig(level=logging.INFO, handlers=[out], force=True)
    for noisy in ("aiohttp.access", "kubernetes", "urllib3", "watchfiles", "git"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    threading.excepthook = _log_thread_exception
    sys.excepthook = _log_exception


def _log_thread_exception(ended: threading.ExceptHookArgs) -> None:
    """Log the exception that ended a thread, which Python prints on many lines."""
    if ended.exc_value is not None and not issubclass(ended.exc_type, SystemExit):
        found = (ended.exc_type, ended.exc_value, ended.exc_traceback)
        log.error("thread %s ended", ended.thread.name if ended.thread else "?", exc_info=found)


def _log_exception(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
    """Log the exception that ended the program."""
    log.critical("the program ended", exc_info=(kind, value, trace))


def _place(record: logging.LogRecord) -> str:
    """The module, such as `adapters.kubernetes.informer`."""
    return one_line(record.name.removeprefix("reconciler."), 100)


def _line(record: logging.LogRecord) -> str:
    """The event's text on one line, truncated, clean and without secrets, for any record.

    It is cleaned before the search for secrets, because an invisible character could hide one, and cut last,
    so that no secret is cut.
    """
    try:
        text = record.getMessage()
    except Exception as error:  # bad arguments of an event must not stop its caller
        text = f"{record.msg!s:.500} ({type(error).__name__} while its arguments were formatted)"
    if record.exc_info and record.exc_info[1]:
        text = f"{text[:RAW_MAX]}: {' < '.join(_causes(record.exc_info[1]))}"
    window = one_line(text[:RAW_MAX].strip().replace("\n", " | "), READ_MAX)
    cut = len(text) > RAW_MAX or (len(window) == READ_MAX and window.endswith("..."))
    line = redacted(window, cut=cut) + (" ..." if cut else "")
    return one_line(line, LINE_MAX)


def _causes(error: BaseException) -> Iterator[str]:
    """An exception and its causes: type, text and frames, innermost first."""
    found: BaseException | None = error
    for _ in range(CAUSES_MAX):
        if found is None:
            return
        yield f"{_shown(found)}{_where(found.__traceback__)}"
        found = found.__cause__


def _shown(error: BaseException) -> str:
    try:
        return repr(error)[:RAW_MAX]
    except Exception:  # raised by a library's exception
        return type(error).__name__


def _where(trace: TracebackType | None) -> str:
    """` at cycle/run.py:140 in cycle, cycle/loop.py:48 in run`."""
    frames = [(frame.f_code, line) for frame, line in walk_tb(trace)][-FRAMES_MAX:]
    places = (f"{_module(code.co_filename)}:{line} in {code.co_name}" for code, line in reversed(frames))
    return f" at {', '.join(places)}" if frames else ""


def _module(path: str) -> str:
    return "/".join(PurePath(path).parts[-2:])

"""Unexpected exceptions: their log line with its origin, and the threads that they ended."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Iterable

from reconciler.ports import StorageError
from reconciler.values.outcomes import Failed
from reconciler.values.text import one_line

log = logging.getLogger(__name__)

FRAMES_MAX = 12
"""Innermost calls in a log line."""

MESSAGES = (OSError, StorageError)
"""Errors of the outside, whose text is a message for operators."""

ADVICE = "this is a bug in provider-daemon; report it with its log line"


def sentence_of(error: BaseException) -> str:
    """One line that names the exception; only the text of an error that is a message already."""
    text = one_line(str(error))
    if isinstance(error, MESSAGES):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def format_origin(error: BaseException) -> str:
    """The origin of a bug, as the end of a log line; "" for an error that is a message."""
    if isinstance(error, MESSAGES):
        return ""
    return f"; raised at {format_calls(traceback.extract_tb(error.__traceback__, limit=-FRAMES_MAX))}"


def failure_of(effect: str, error: Exception) -> Failed:
    """The outcome of an effect that raised an exception; a bug is logged with its origin."""
    if isinstance(error, OSError):
        return Failed("Unreachable", f"{effect}: {error}")
    log.error("%s failed%s", effect, format_origin(error))
    return Failed("InternalError", f"{effect}: {sentence_of(error)}", ADVICE)


def format_calls(calls: Iterable[traceback.FrameSummary]) -> str:
    """Calls on one line, outermost first."""
    return " > ".join(f"{_short(each.filename)}:{each.lineno} {each.name}" for each in calls)


def _short(path: str) -> str:
    return "/".join(path.split("/")[-2:])


class FailedThreads:
    """Background threads that an exception has ended. `note` is a `threading.excepthook`.

    Long-lived threads have explicit names, and the daemon is not ready if one has ended. Threads with
    Python's default names serve a single call: their exception is only logged.
    """

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    @property
    def found(self) -> tuple[str, ...]:
        """Name and exception of each ended thread, sorted by name."""
        return tuple(f"{name}: {why}" for name, why in sorted(self._found.items()))

    def note(self, ended: threading.ExceptHookArgs) -> None:
        """Log it, and keep the first exception of a named thread."""
        error, name = ended.exc_value, ended.thread.name if ended.thread else ""
        if error is None or isinstance(error, SystemExit):
            return
        why = sentence_of(error)
        log.error("the thread %s was ended by %s%s", name, why, format_origin(error))
        if name and not name.startswith("Thread-"):
            self._found.setdefault(one_line(name), why)

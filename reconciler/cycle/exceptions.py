"""Unexpected exceptions: in one line, with where they were raised, and the threads that they end."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Iterable

from reconciler.values.text import one_line

log = logging.getLogger(__name__)

FRAMES_MAX = 12
"""Innermost calls that are shown."""


def sentence_of(error: BaseException) -> str:
    """One line that names the exception; the text of an OSError is a sentence already."""
    text = one_line(str(error))
    if isinstance(error, OSError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def raised_at(error: BaseException) -> str:
    """Where a fault of the program was raised, as the end of a log line; "" for an OSError."""
    if isinstance(error, OSError):
        return ""
    return f"; raised at {shown_calls(traceback.extract_tb(error.__traceback__, limit=-FRAMES_MAX))}"


def shown_calls(calls: Iterable[traceback.FrameSummary]) -> str:
    """Calls on one line, outermost first."""
    return " > ".join(f"{_short(each.filename)}:{each.lineno} {each.name}" for each in calls)


def _short(path: str) -> str:
    return "/".join(path.split("/")[-2:])


class FailedThreads:
    """Background threads that an exception has ended. `note` is a `threading.excepthook`.

    Threads that work as long as the daemon runs have a name, and one that is missing makes the daemon not
    ready. Python names the others, which serve one call: their exception is logged alone.
    """

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    @property
    def found(self) -> tuple[str, ...]:
        """Each with the exception that ended it, in the order of their names."""
        return tuple(f"{name}: {why}" for name, why in sorted(self._found.items()))

    def note(self, ended: threading.ExceptHookArgs) -> None:
        """Log it, and keep the first exception of a named thread."""
        error, name = ended.exc_value, ended.thread.name if ended.thread else ""
        if error is None or isinstance(error, SystemExit):
            return
        why = sentence_of(error)
        log.error("the thread %s was ended by %s%s", name, why, raised_at(error))
        if name and not name.startswith("Thread-"):
            self._found.setdefault(one_line(name), why)

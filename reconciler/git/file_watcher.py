"""Local files that trigger a cycle when they change: refs of a local repository, credentials, stop file."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from watchfiles import watch

log = logging.getLogger(__name__)

PAUSE_SECONDS = 30.0
"""After a failure; meanwhile cycles find changes by polling."""


def watched_paths(repository: Path) -> tuple[Path, ...]:
    """The files of a local repository that change with its branches."""
    inside = repository / ".git" if (repository / ".git").is_dir() else repository
    return tuple(p for p in (inside / "refs", inside / "packed-refs", inside / "HEAD") if p.exists())


class FileWatcher:
    """A thread that calls `wake` when a path changes; it reads nothing itself."""

    def __init__(self, paths: Iterable[Path], wake: Callable[[], None]) -> None:
        self._paths = tuple(sorted({p for p in paths if p.exists()}))
        self._wake = wake
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="files", daemon=True)

    def start(self) -> None:
        """Start the thread if there are paths to watch."""
        if self._paths:
            self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                self._wake_at_changes()
            except Exception as error:  # such as too many watches, or a removed path
                log.warning("files cannot be watched, retry in %.0f s: %s", PAUSE_SECONDS, error)
                self._stop.wait(PAUSE_SECONDS)

    def _wake_at_changes(self) -> None:
        for _ in watch(
            *(path for path in self._paths if path.exists()),
            watch_filter=None,  # the library's default ignores everything below a .git
            stop_event=self._stop,
            debounce=200,
            step=50,
            rust_timeout=1_000,
        ):
            self._wake()

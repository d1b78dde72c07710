"""Files that wake the loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.git import file_watcher as watching
from reconciler.git.file_watcher import FileWatcher, watched_paths
from tests.git.forge import Forge

SOON_SECONDS = 10


def test_a_commit_wakes(forge: Forge) -> None:
    forge.commit("one", a="1")
    woken = threading.Event()
    watcher = FileWatcher(watched_paths(forge.path), woken.set)
    watcher.start()
    try:
        ends = time.monotonic() + SOON_SECONDS
        while not woken.wait(0.3):  # the watch begins somewhat after its thread
            assert time.monotonic() < ends
            forge.commit("again", a="2")
    finally:
        watcher.close()
    assert watcher._thread.is_alive() is False


def test_a_bare_repository_is_watched_at_its_top(forge: Forge, tmp_path: Path) -> None:
    forge.commit("one", a="1")
    forge.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    assert {path.parent for path in watched_paths(tmp_path / "bare.git")} == {tmp_path / "bare.git"}
    assert {path.parent for path in watched_paths(forge.path)} == {forge.path / ".git"}


def test_without_paths_there_is_no_thread(tmp_path: Path) -> None:
    watcher = FileWatcher([tmp_path / "nowhere"], lambda: None)
    watcher.start()
    watcher.close()
    assert not watcher._thread.is_alive()


@pytest.mark.parametrize("error", [RuntimeError, OSError, ValueError])
def test_a_failed_watch_is_restarted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    begun: list[tuple[Path, ...]] = []

    def watch(*paths: Path, **_: object) -> Iterator[set[object]]:
        begun.append(paths)
        if len(begun) == 1:
            raise error("no more watches")
        yield set()

    monkeypatch.setattr(watching, "watch", watch)
    monkeypatch.setattr(watching, "PAUSE_SECONDS", 0.01)
    woken = threading.Event()
    watcher = FileWatcher([tmp_path], woken.set)
    watcher.start()
    assert woken.wait(SOON_SECONDS)
    watcher.close()

"""The repository used by several threads, and closed while git waits for a remote that never answers."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

from reconciler.git.remote import Remote
from reconciler.git.repository import GitRepository
from reconciler.values.outcomes import Done, Outcome
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.repository import BranchCommit, Commit
from tests.git.forge import Forge
from tests.waiting import wait_until


def test_reads_and_pushes_of_several_threads_do_not_disturb_each_other(
    forge: Forge, repository: GitRepository
) -> None:
    forge.commit("prices", pricing_yaml="x: 1\n")

    def publish(number: int) -> Outcome:
        return repository.publish(BranchCommit(f"status/{number}", {"a": b"%d" % number}, "Status"))

    def fetch(_: int) -> Reading[tuple[Commit, ...]]:
        return repository.fetch("")

    with ThreadPoolExecutor(6) as threads:
        pushed = list(threads.map(publish, range(6)))
        read = list(threads.map(fetch, range(6)))
    assert all(isinstance(each, Done) for each in pushed), pushed
    assert all(isinstance(each, Seen) for each in read), read


def test_closing_kills_a_git_that_waits_and_frees_the_lock(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/state.git"
        repo = GitRepository(Remote(url), tmp_path / "state")
        found: list[object] = []
        thread = Thread(target=lambda: found.append(repo.fetch("")), daemon=True)
        thread.start()
        connection, _ = silent.accept()
        began = time.monotonic()
        repo.close()
        thread.join(20)
        assert time.monotonic() - began < 10
        assert isinstance(found[0], Unseen)
        connection.close()

        other = GitRepository(Remote(url), tmp_path / "state")
        began = time.monotonic()
        assert isinstance(other.last_fetched(""), Unseen)
        assert time.monotonic() - began < 10, "the lock is free"
    wait_until(lambda: not thread.is_alive(), "the thread has ended")

"""Fetches and parses the desired branch beside the loop, one read at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from threading import Thread

from reconciler.cycle.environment import Environment
from reconciler.documents.desired import DesiredReader
from reconciler.ports import Repo
from reconciler.values.desired import Desired, Revision, Revisions
from reconciler.values.memory import Memory
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.repository import Commit
from reconciler.values.times import is_over

FIRST_WAIT_SECONDS = 5.0
"""How long a cycle waits while no revision is known yet."""

LATE_SECONDS = 30
"""After this time a read that has not ended is reported."""


class RevisionReader:
    """Parses the newest commit and the one last applied; remembers files by blob. `address` is our own, None
    where it is not known.
    """

    def __init__(self, repo: Repo, address: str | None) -> None:
        self._repo = repo
        self._reader = DesiredReader(address)

    def read(self, commits: Sequence[Commit], memory: Memory) -> Revisions:
        """Both revisions, from the commits of `Repo.fetch`."""
        found = [self._revision(commit, memory.valid_blobs) for commit in commits[:2]]
        return Revisions(found[0], found[1] if len(found) > 1 else None)

    def _revision(self, commit: Commit, good: Mapping[str, str]) -> Revision:
        contents = self._repo.read(self._reader.unread(commit, good))
        return _revision(commit, self._reader.desired(commit, good, contents))


def _revision(commit: Commit, desired: Desired) -> Revision:
    return Revision(
        desired,
        commit.author,
        commit.subject,
        commit.committed_at,
        commit.descends,
        commit.signer,
        commit.reverts,
        commit.superseded,
    )


@dataclass(frozen=True, slots=True)
class RunningRead:
    """A read in a thread: the commit in force that it is based on, and when it began (unix seconds)."""

    applied: str
    began_at: int
    result: Future[Reading[Revisions]]


class RevisionFetcher:
    """The repository's newest commit, which has no effect before it is admitted, and the one last applied.

    With `Environment.fetch_wait_seconds`, a thread reads, and a cycle waits for it only that long; until it
    ends, the revisions of the last read are used. `wake` is called when it finds something new.
    """

    def __init__(self, environment: Environment, address: str) -> None:
        self._environment = environment
        self._reader = RevisionReader(environment.repo, address)
        self._running: RunningRead | None = None
        self._last: Reading[Revisions] = Unseen("the repository is being read for the first time")
        self._applied: str | None = None
        self._polled_at = 0

    def poll(self) -> None:
        """Fetch in the next cycle, however recently that was done."""
        self._polled_at = 0

    def revisions(self, memory: Memory) -> Reading[Revisions]:
        """The revisions as last read, with the age of that; a new read is started when it is due."""
        self._take_result(memory, 0)
        is_due = self._is_due(memory)
        while self._running is None and is_due:
            self._start(memory)
            self._take_result(memory, self._wait_seconds())
            is_due = self._polled_at == 0
        self._rebase(memory)
        return self._reported()

    def _is_due(self, memory: Memory) -> bool:
        environment = self._environment
        is_old = is_over(self._polled_at, environment.poll_seconds, environment.clock.now())
        return self._polled_at == 0 or is_old or not self._is_based_on(memory, self._last, self._applied)

    def _wait_seconds(self) -> float | None:
        seconds = self._environment.fetch_wait_seconds
        is_first = seconds is not None and isinstance(self._last, Unseen)
        return FIRST_WAIT_SECONDS if is_first else seconds

    def _start(self, memory: Memory) -> None:
        now, is_inline = self._environment.clock.now(), self._environment.fetch_wait_seconds is None
        is_local = self._applied is None and not is_inline
        self._polled_at = 0 if is_local else now
        result: Future[Reading[Revisions]] = Future()
        self._running = RunningRead(memory.applied, now, result)

        def read() -> None:
            try:
                result.set_result(self._read(memory, now, is_local=is_local))
            except Exception as error:  # raised again by the cycle that takes the result
                result.set_exception(error)
            if self._is_news(result):
                self._environment.wake()

        if is_inline:
            read()
        else:
            Thread(target=read, daemon=True).start()

    def _read(self, memory: Memory, now: int, *, is_local: bool) -> Reading[Revisions]:
        """Fetch, or read what was fetched before (`is_local`, and while the repository is unreachable)."""
        repo, stale, fetched_at = self._environment.repo, "", now
        reading = Unseen("") if is_local else repo.fetch(memory.applied)
        if isinstance(reading, Unseen):
            stale, fetched_at = reading.why, 0
            reading = repo.last_fetched(memory.applied)
        if isinstance(reading, Unseen):
            return Unseen(stale or reading.why)
        return Seen(replace(self._reader.read(reading.view, memory), stale=stale, fetched_at=fetched_at))

    def _take_result(self, memory: Memory, wait_seconds: float | None) -> None:
        """Use the result of the running read, if it has ended and fits the commit in force."""
        if (running := self._running) is None:
            return
        if not wait([running.result], wait_seconds).done:
            return
        self._running = None
        if running.result.exception() is not None:
            self._polled_at = 0
        reading = running.result.result()
        if isinstance(reading, Seen) and not reading.view.fetched_at and isinstance(self._last, Seen):
            reading = Seen(replace(reading.view, fetched_at=self._last.view.fetched_at))
        if self._is_based_on(memory, reading, running.applied):
            self._last, self._applied = reading, running.applied

    def _is_based_on(self, memory: Memory, reading: Reading[Revisions], applied: str | None) -> bool:
        """Whether a reading for a commit in force may be used under the present one."""
        if applied == memory.applied:
            return True
        return isinstance(reading, Seen) and reading.view.newest.desired.commit == memory.applied

    def _rebase(self, memory: Memory) -> None:
        """The newest commit has come into force: it is the only one, and supersedes none."""
        if isinstance(self._last, Seen) and self._applied != memory.applied:
            newest = replace(self._last.view.newest, descends=True, superseded=())
            self._last, self._applied = (
                Seen(replace(self._last.view, newest=newest, applied=None)),
                memory.applied,
            )

    def _reported(self) -> Reading[Revisions]:
        """The last reading; a read that takes long is named in it."""
        running, now = self._running, self._environment.clock.now()
        if running is None or isinstance(self._last, Unseen):
            return self._last
        if not is_over(running.began_at, LATE_SECONDS, now):
            return self._last
        why = f"the repository has not answered for more than {LATE_SECONDS} s"
        return Seen(replace(self._last.view, stale=self._last.view.stale or why))

    def _is_news(self, result: Future[Reading[Revisions]]) -> bool:
        if result.exception() is not None:
            return False
        before, after = self._last, result.result()
        if isinstance(before, Unseen) or isinstance(after, Unseen):
            return type(before) is not type(after)
        return (before.view.newest.desired.commit, before.view.stale) != (
            after.view.newest.desired.commit,
            after.view.stale,
        )

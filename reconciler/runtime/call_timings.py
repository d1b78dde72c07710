"""Timings of the cycle's calls to the repository and the chain."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from reconciler.ports import Chain, Repo
from reconciler.runtime.metrics_history import Durations
from reconciler.values.ids import LeaseId
from reconciler.values.intents import FeeTerms, Intent, Prepared
from reconciler.values.messages import Message
from reconciler.values.observed import Market, Transfer
from reconciler.values.outcomes import Outcome
from reconciler.values.readings import Reading
from reconciler.values.repository import BranchCommit, Commit
from reconciler.values.subjects import Subject


class CallTimings:
    """Durations by source and call; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._durations: dict[tuple[str, str], Durations] = {}

    @contextmanager
    def timed(self, source: str, call: str) -> Iterator[None]:
        """Record the duration of the block, even if it raises."""
        began = time.monotonic()
        try:
            yield
        finally:
            seconds = time.monotonic() - began
            with self._lock:
                before = self._durations.get((source, call), Durations())
                self._durations[source, call] = before.with_one(seconds)

    def durations(self) -> Mapping[tuple[str, str], Durations]:
        """The durations recorded so far."""
        with self._lock:
            return dict(self._durations)


class TimedRepo:
    """A `ports.Repo` with timed calls, except for reads of blobs, which are local."""

    def __init__(self, repo: Repo, calls: CallTimings) -> None:
        self._repo = repo
        self._calls = calls

    def fetch(self, applied: str) -> Reading[tuple[Commit, ...]]:
        with self._calls.timed("git", "fetch"):
            return self._repo.fetch(applied)

    def last_fetched(self, applied: str) -> Reading[tuple[Commit, ...]]:
        return self._repo.last_fetched(applied)

    def read(self, blobs: Sequence[str]) -> Mapping[str, bytes]:
        return self._repo.read(blobs)

    def published_mark(self, branch: str) -> Reading[str]:
        with self._calls.timed("git", "published_mark"):
            return self._repo.published_mark(branch)

    def publish(self, commit: BranchCommit) -> Outcome:
        with self._calls.timed("git", "publish"):
            return self._repo.publish(commit)


class TimedChain:
    """A `ports.Chain` with timed calls."""

    def __init__(self, chain: Chain, calls: CallTimings) -> None:
        self._chain = chain
        self._calls = calls

    def observe(
        self, hashes: Sequence[str], known: Sequence[LeaseId], to_confirm: Collection[Subject] = ()
    ) -> Reading[Market]:
        with self._calls.timed("chain", "observe"):
            return self._chain.observe(hashes, known, to_confirm)

    def transfers_between(self, first: int, last: int) -> tuple[Transfer, ...] | None:
        with self._calls.timed("chain", "transfers_between"):
            return self._chain.transfers_between(first, last)

    def forget_height(self) -> None:
        self._chain.forget_height()

    def prepare(self, messages: Sequence[Message], terms: FeeTerms) -> Prepared | Outcome:
        with self._calls.timed("chain", "prepare"):
            return self._chain.prepare(messages, terms)

    def broadcast(self, intent: Intent) -> Outcome:
        with self._calls.timed("chain", "broadcast"):
            return self._chain.broadcast(intent)

"""The work queue of one target: level-triggered, keyed by object, bounded; without threads of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from reconciler.ports import Effect
from reconciler.runtime.metrics_history import Durations
from reconciler.values.outcomes import Done, Outcome
from reconciler.values.work import InFlight, QueueStatistics, WorkItem, WorkKey, WorkResult


@dataclass(frozen=True, slots=True)
class QueueBounds:
    """How many items of a target run at once, and how many may be in flight."""

    concurrency: int = 8
    depth: int = 1_000


DEFAULT_BOUNDS = QueueBounds()


@dataclass(frozen=True, slots=True)
class Work:
    """An item with its effect, and when it was submitted (monotonic seconds)."""

    in_flight: InFlight
    effect: Effect
    submitted: float

    @property
    def item(self) -> WorkItem:
        """What was submitted."""
        return self.in_flight.item


class WorkQueue:
    """Items start in the order of submission, one per key at a time, at most `concurrency` in all.

    A newer item of a key replaces the queued one, in its place, and follows the running one; only a removal
    replaces a queued removal. Thread-safe; `changed` is notified when waiting threads may go on.
    """

    def __init__(self, target: str, bounds: QueueBounds, now: Callable[[], int]) -> None:
        self.target, self._bounds, self._now = target, bounds, now
        self.changed = threading.Condition()
        self._queued: dict[WorkKey, Work] = {}
        self._running: dict[WorkKey, Work] = {}
        self._results: list[WorkResult] = []
        self._failed: set[WorkKey] = set()
        self._retries = self._refused = 0
        self._latencies = Durations()
        self._is_closed = False

    def submit(self, item: WorkItem, effect: Effect) -> bool:
        """Queue an item; False if it is not taken: the queue is full or closed, or a removal is queued."""
        with self.changed:
            before = self._queued.get(item.key)
            if before is not None and before.item.is_removal and not item.is_removal:
                return False
            is_full = before is None and self.depth >= self._bounds.depth
            if is_full or self._is_closed:
                self._refused += 1
                return False
            if item.key in self._failed:
                self._failed.discard(item.key)
                self._retries += 1
            since, submitted = self._now(), time.monotonic()
            self._queued[item.key] = Work(InFlight(item, since), effect, submitted)
            self.changed.notify()  # one thread for one item
            return True

    def startable(self) -> tuple[WorkKey, ...]:
        """The keys of the items that may start now, oldest first."""
        with self.changed:
            return tuple(self._startable())

    def _startable(self) -> Iterator[WorkKey]:
        if len(self._running) >= self._bounds.concurrency:
            return
        if any(each.item.goes_first for each in self._running.values()):
            return
        for key, work in self._queued.items():
            if key not in self._running:
                yield key
            if work.item.goes_first:
                return

    def take(self, key: WorkKey | None = None) -> Work | None:
        """Start the first item that may start, or that of `key`; None if there is none."""
        with self.changed:
            key = next((each for each in self._startable() if key in (None, each)), None)
            if key is None:
                return None
            queued = self._queued.pop(key)
            self._running[key] = replace(queued, in_flight=replace(queued.in_flight, is_running=True))
            return self._running[key]

    def end(self, work: Work, outcome: Outcome) -> None:
        """Record how a started item ended; its slot and its key are free again."""
        with self.changed:
            self._running.pop(work.item.key)
            self._results.append(WorkResult(work.item, outcome, self._now()))
            self._latencies = self._latencies.with_one(time.monotonic() - work.submitted)
            if not isinstance(outcome, Done) and len(self._failed) < self._bounds.depth:
                self._failed.add(work.item.key)
            else:
                self._failed.discard(work.item.key)
            if work.item.goes_first or self._is_closed:
                self.changed.notify_all()  # else the thread that ended it takes the next

    def collect(self) -> tuple[WorkResult, ...]:
        """The results since the last call, oldest first."""
        with self.changed:
            found, self._results = tuple(self._results), []
            return found

    @property
    def depth(self) -> int:
        """How many items are in flight."""
        return len(self._running) + len(self._queued)

    def in_flight(self) -> tuple[InFlight, ...]:
        """Running items, then queued ones, each oldest first."""
        with self.changed:
            return tuple(each.in_flight for each in (*self._running.values(), *self._queued.values()))

    def close(self) -> None:
        """Take no further item; those in flight go on."""
        with self.changed:
            self._is_closed = True
            self.changed.notify_all()

    def abandon(self) -> tuple[InFlight, ...]:
        """Close, and drop what is queued; returns what had not ended."""
        with self.changed:
            left = self.in_flight()
            self._is_closed = True
            self._queued.clear()
            self.changed.notify_all()
            return left

    def statistics(self) -> QueueStatistics:
        """Depth, age and totals."""
        with self.changed:
            return QueueStatistics(
                self.target,
                queued=len(self._queued),
                running=len(self._running),
                oldest_since=min((each.since for each in self.in_flight()), default=0),
                retries=self._retries,
                refused=self._refused,
                latencies=tuple(self._latencies.cumulative()),
                latency_seconds=self._latencies.seconds,
            )

    @property
    def is_closed(self) -> bool:
        """Whether no further item is taken."""
        return self._is_closed

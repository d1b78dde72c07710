"""What the servers remember of cycles past: money over time, how long cycles took, commits seen."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from reconciler.values.snapshot import CommitSnapshot, CycleRecord, Snapshot

POINTS_MAX = 480
"""Points of money over time; when they are full, every second one goes and they lie twice as far apart."""

COMMITS_MAX = 12

CYCLE_BUCKETS_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True)
class MoneyPoint:
    """The books at one time (unix seconds, host's clock), in uve."""

    at: int
    balance: int
    earned: int
    accrued: int


@dataclass(frozen=True, slots=True)
class Durations:
    """How many cycles took at most so long; `counts` has one more for those that took longer."""

    counts: tuple[int, ...] = (0,) * (len(CYCLE_BUCKETS_SECONDS) + 1)
    seconds: float = 0.0

    def with_one(self, seconds: float) -> Durations:
        """With one more cycle."""
        place = next((n for n, le in enumerate(CYCLE_BUCKETS_SECONDS) if seconds <= le), -1)
        counts = list(self.counts)
        counts[place] += 1
        return Durations(tuple(counts), self.seconds + seconds)

    def cumulative(self) -> Iterator[tuple[str, int]]:
        """Buckets as Prometheus counts them: `le` and how many took at most that."""
        sum_so_far = 0
        for le, count in zip((*map(str, CYCLE_BUCKETS_SECONDS), "+Inf"), self.counts, strict=True):
            sum_so_far += count
            yield le, sum_so_far


@dataclass(slots=True)
class MetricsHistory:
    """Noted by the cycle's thread, read by the servers'."""

    spacing_seconds: int = 1
    points: list[MoneyPoint] = field(default_factory=list)
    durations: Durations = Durations()
    _desired: deque[CommitSnapshot] = field(default_factory=lambda: deque(maxlen=COMMITS_MAX))
    _published: deque[CommitSnapshot] = field(default_factory=lambda: deque(maxlen=COMMITS_MAX))
    _cycle: CycleRecord | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, snapshot: Snapshot) -> None:
        """One more cycle has ended."""
        with self._lock:
            if snapshot.cycle is not None and snapshot.cycle is not self._cycle:
                self._cycle = snapshot.cycle
                self.durations = self.durations.with_one(snapshot.cycle.duration_seconds)
                if snapshot.height:
                    self._note_money(snapshot, snapshot.cycle.finished_at)
            _append(self._desired, snapshot.desired_commit)
            _append(self._published, snapshot.published_commit)

    def money(self) -> tuple[MoneyPoint, ...]:
        """Oldest first."""
        with self._lock:
            return tuple(self.points)

    def commits(self) -> tuple[tuple[CommitSnapshot, ...], tuple[CommitSnapshot, ...]]:
        """The last ones of the desired and of the status branch, newest first."""
        with self._lock:
            return tuple(reversed(self._desired)), tuple(reversed(self._published))

    def _note_money(self, snapshot: Snapshot, at: int) -> None:
        books = snapshot.books
        point = MoneyPoint(at, books.balance, books.earned, books.accrued)
        if len(self.points) > 1 and self.points[-1].at - self.points[-2].at < self.spacing_seconds:
            self.points[-1] = point  # the last one is always the newest, however close
            return
        self.points.append(point)
        if len(self.points) > POINTS_MAX:
            self.points = self.points[::2]
            self.spacing_seconds *= 2


def _append(commits: deque[CommitSnapshot], commit: CommitSnapshot | None) -> None:
    if commit is not None and commit.id and (not commits or commits[-1].id != commit.id):
        commits.append(commit)

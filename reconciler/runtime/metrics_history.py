"""History of past cycles for the servers: money over time, cycle durations, commits."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from reconciler.values.snapshot import Snapshot
from reconciler.values.times import Timestamp
from reconciler.values.views import CommitView, CycleView, MoneyPoint

POINTS_MAX = 480
"""When these are full, every second point is dropped and the spacing doubles."""

COMMITS_MAX = 12

CYCLE_BUCKETS_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True)
class Durations:
    """A histogram; the last of `counts` is the +Inf bucket."""

    counts: tuple[int, ...] = (0,) * (len(CYCLE_BUCKETS_SECONDS) + 1)
    seconds: float = 0.0

    def with_one(self, seconds: float) -> Durations:
        """With one more observation."""
        bucket = next((n for n, le in enumerate(CYCLE_BUCKETS_SECONDS) if seconds <= le), -1)
        counts = list(self.counts)
        counts[bucket] += 1
        return Durations(tuple(counts), self.seconds + seconds)

    def cumulative(self) -> Iterator[tuple[str, int]]:
        """Cumulative Prometheus buckets: `le` and count."""
        sum_so_far = 0
        for le, count in zip((*map(str, CYCLE_BUCKETS_SECONDS), "+Inf"), self.counts, strict=True):
            sum_so_far += count
            yield le, sum_so_far


@dataclass(slots=True)
class MetricsHistory:
    """Written by the cycle's thread, read by the servers'. The newest point is evaluated when it is read, or
    when it is old enough to stay.
    """

    spacing_seconds: int = 1
    points: list[MoneyPoint] = field(default_factory=list)
    durations: Durations = Durations()
    _desired: deque[CommitView] = field(default_factory=lambda: deque(maxlen=COMMITS_MAX))
    _published: deque[CommitView] = field(default_factory=lambda: deque(maxlen=COMMITS_MAX))
    _cycle: CycleView | None = None
    _newest: tuple[Timestamp, Snapshot] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def record(self, snapshot: Snapshot) -> None:
        """Add a finished cycle."""
        with self._lock:
            if snapshot.cycle is not None and snapshot.cycle is not self._cycle:
                self._cycle = snapshot.cycle
                self.durations = self.durations.with_one(snapshot.cycle.duration_seconds)
                if snapshot.height:
                    self._record_money(snapshot, snapshot.cycle.finished_at)
            _append(self._desired, snapshot.desired_commit)
            _append(self._published, snapshot.published_commit)

    def money(self) -> tuple[MoneyPoint, ...]:
        """Balance, earnings and accruals over time, oldest first."""
        with self._lock:
            return tuple(self.points) if self._newest is None else (*self.points, _point(*self._newest))

    def commits(self) -> tuple[tuple[CommitView, ...], tuple[CommitView, ...]]:
        """The latest of the desired and of the status branch, newest first."""
        with self._lock:
            return tuple(reversed(self._desired)), tuple(reversed(self._published))

    def _record_money(self, snapshot: Snapshot, at: Timestamp) -> None:
        before, self._newest = self._newest, (at, snapshot)
        if before is None or (self.points and before[0] - self.points[-1].at < self.spacing_seconds):
            return
        self.points.append(_point(*before))
        if len(self.points) >= POINTS_MAX:
            self.points = self.points[::2]
            self.spacing_seconds *= 2


def _point(at: Timestamp, snapshot: Snapshot) -> MoneyPoint:
    money = snapshot.money
    return MoneyPoint(at, money.balance_uve, money.earned_uve, money.accrued_uve)


def _append(commits: deque[CommitView], commit: CommitView | None) -> None:
    if commit is not None and commit.id and (not commits or commits[-1].id != commit.id):
        commits.append(commit)

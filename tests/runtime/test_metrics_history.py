"""The history is bounded and always has the newest point."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from reconciler.runtime.metrics_history import POINTS_MAX, Durations, MetricsHistory
from reconciler.values.snapshot import Snapshot
from reconciler.values.views import CommitView, WalletView
from tests.api.snapshots import FULL, after, cycle_at


def at(seconds: int, **changes: object) -> Snapshot:
    wallet = WalletView(earned_uve=seconds)
    return replace(FULL, cycle=cycle_at(seconds), wallet=wallet, **changes)  # type: ignore[arg-type]  # fields


def test_old_points_are_thinned() -> None:
    history = MetricsHistory()
    for seconds in range(0, 400_000, 5):
        history.record(at(seconds))
    points = history.money()
    assert len(points) <= POINTS_MAX
    assert len(points) > POINTS_MAX / 3
    assert (points[0].earned_uve, points[-1].earned_uve) == (0, 399_995)
    gaps = [later.at - earlier.at for earlier, later in pairwise(points[1:-1])]
    assert max(gaps) <= 2 * min(gaps)


def test_the_newest_point_is_always_present() -> None:
    history = MetricsHistory(spacing_seconds=60)
    for seconds in (0, 1, 2, 3):
        history.record(at(seconds))
    assert [p.earned_uve for p in history.money()] == [0, 3]


def test_without_a_seen_chain_there_are_no_points() -> None:
    history = MetricsHistory()
    history.record(at(1, height=0))
    assert history.money() == ()
    assert sum(history.durations.counts) == 1


def test_commits_are_unique_and_newest_first() -> None:
    history = MetricsHistory()
    first, second = CommitView("a" * 40, after(1), "one"), CommitView("b" * 40, after(2), "two")
    for commit in (None, first, first, second, second):
        history.record(at(1, desired_commit=commit, published_commit=first))
    assert history.commits() == ((second, first), (first,))


def test_durations_are_cumulative_buckets() -> None:
    took = Durations().with_one(0.004).with_one(0.01).with_one(0.3).with_one(99)
    counted = dict(took.cumulative())
    assert (counted["0.01"], counted["0.25"], counted["0.5"], counted["60.0"], counted["+Inf"]) == (
        2,
        2,
        3,
        3,
        4,
    )
    assert took.seconds == 0.004 + 0.01 + 0.3 + 99

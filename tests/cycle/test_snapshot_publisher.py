"""The snapshot branch: shared when it is time, says something new, and nothing is under way."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from reconciler.cycle.planned_cycle import PlannedCycle
from reconciler.cycle.snapshot_publisher import (
    AGED_SECONDS,
    BUSY_SECONDS,
    EVERY_SECONDS,
    SOON_SECONDS,
    SnapshotPublisher,
)
from reconciler.documents.planning_snapshot import FILE, read_planning_snapshot
from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.outcomes import Done, Failed, Outcome
from reconciler.values.readings import Seen, Unseen
from tests import makers
from tests.cycle.worlds import Scenery

QUIET = makers.planning_input(makers.market(), makers.desired())


class Share:
    """A publisher with its repository, asked at chosen seconds."""

    def __init__(self, scene: Scenery, *, sharing: bool = True) -> None:
        self.repo = scene.repo
        self.publisher = SnapshotPublisher(replace(scene.world, publishes_snapshot=sharing))

    def at(self, seconds: int, inputs: PlanningInput = QUIET) -> Outcome | None:
        market = inputs.market
        if isinstance(market, Seen):
            market = Seen(replace(market.view, time=makers.NOW + seconds))
        there = replace(inputs, now=makers.NOW + seconds, market=market)
        return self.publisher.publish(PlannedCycle(there, plan(there)))

    @property
    def commits(self) -> int:
        return len(self.repo.published)


@pytest.fixture
def share(scene: Scenery) -> Share:
    return Share(scene)


def richer(uve: int) -> PlanningInput:
    wallet = replace(makers.market().wallet, balance=10_000_000 + uve)
    return makers.planning_input(makers.market(wallet=wallet), makers.desired())


def test_the_first_is_shared_at_once_and_holds_what_was_seen(share: Share) -> None:
    assert isinstance(share.at(0), Done)
    (commit,) = share.repo.published
    assert (commit.branch, commit.replaces) == ("snapshot/p", True)
    outlook = read_planning_snapshot(commit.files[FILE])
    assert outlook.market == replace(makers.market(), tx_results={}, transfers=())
    assert outlook.memory == plan(QUIET).memory
    assert outlook.memory.applied == "c" * 40


def test_the_next_waits_for_its_time_and_for_something_new(share: Share) -> None:
    share.at(0)
    assert share.at(EVERY_SECONDS - 1, richer(1)) is None
    assert share.at(EVERY_SECONDS) is None
    assert isinstance(share.at(EVERY_SECONDS, richer(1)), Done)
    assert share.at(EVERY_SECONDS + 1, richer(2)) is None
    assert share.commits == 2


def test_a_new_revision_or_lease_does_not_wait_its_turn(share: Share) -> None:
    share.at(0)
    merged = makers.planning_input(makers.market(), makers.desired(commit="d" * 40))
    assert share.at(SOON_SECONDS - 1, merged) is None
    assert isinstance(share.at(SOON_SECONDS, merged), Done)
    assert share.at(2 * SOON_SECONDS, merged) is None
    leased = makers.planning_input(makers.market(leases=[makers.lease(1)]), makers.desired(commit="d" * 40))
    assert isinstance(share.at(2 * SOON_SECONDS, leased), Done)
    share.repo.answer = Failed("PushFailed", "no answer")
    assert isinstance(share.at(3 * SOON_SECONDS, merged), Failed)
    assert share.at(4 * SOON_SECONDS, merged) is None


def test_a_later_height_alone_is_nothing_new_until_the_snapshot_is_old(share: Share) -> None:
    share.at(0)
    later = makers.planning_input(makers.market(height=2_000), makers.desired())
    assert share.at(AGED_SECONDS - 1, later) is None
    assert isinstance(share.at(AGED_SECONDS, later), Done)


def test_a_cycle_with_something_under_way_is_not_shared_unless_all_are_busy(share: Share) -> None:
    share.at(0)
    busy = makers.planning_input(makers.market(orders=[makers.order(1)]), makers.desired())
    assert share.at(EVERY_SECONDS, busy) is None
    assert isinstance(share.at(BUSY_SECONDS, busy), Done)


def test_the_chain_unseen_is_not_shared(share: Share) -> None:
    unseen = replace(QUIET, market=Unseen("no answer"))
    assert share.at(0, unseen) is None
    assert isinstance(QUIET.market, Seen)
    assert share.commits == 0


def test_a_failed_push_is_tried_again_at_the_next_turn_and_ages_nothing_else(share: Share) -> None:
    share.repo.answer = Failed("PushFailed", "no answer")
    assert isinstance(share.at(0), Failed)
    assert share.at(1) is None
    share.repo.answer = Done("f" * 40)
    assert isinstance(share.at(EVERY_SECONDS), Done)


def test_pushes_that_go_on_failing_become_rare(share: Share) -> None:
    share.repo.answer = Failed("PushFailed", "too slow")
    tried = [second for second in range(0, 6 * AGED_SECONDS, 60) if share.at(second)]
    waits = [later - sooner for sooner, later in pairwise(tried)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (EVERY_SECONDS, AGED_SECONDS)
    share.repo.answer = Done("f" * 40)
    assert isinstance(share.at(8 * AGED_SECONDS), Done)
    assert isinstance(share.at(8 * AGED_SECONDS + EVERY_SECONDS, richer(1)), Done)


def test_an_unavailable_repository_is_not_awaited_twice(share: Share) -> None:
    assert isinstance(QUIET.desired, Seen)
    silent = Seen(replace(QUIET.desired.view, stale="cannot be reached now"))
    assert share.at(0, replace(QUIET, desired=silent)) is None
    assert share.at(0, replace(QUIET, desired=Unseen("cannot be reached now"))) is None
    assert isinstance(share.at(1), Done)


def test_who_does_not_want_it_gets_none(scene: Scenery) -> None:
    quiet = Share(scene, sharing=False)
    assert quiet.at(0) is None
    assert quiet.commits == 0


def test_a_clock_that_is_set_back_delays_no_snapshot(share: Share) -> None:
    share.at(100_000)

    assert isinstance(share.at(0, richer(1)), Done)

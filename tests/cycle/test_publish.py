"""Publishing: one commit for what happened, when it has settled, and none where nothing did."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.cycle.publish import Publication, Publisher
from reconciler.reports.commit_message import mark
from reconciler.values.desired import Publishing
from reconciler.values.lifecycle import Phase
from reconciler.values.observed import State
from reconciler.values.outcomes import Done, Failed, Outcome
from reconciler.values.plans import Plan, Transition
from reconciler.values.repository import LAST_EVENT_TRAILER, BranchCommit
from reconciler.values.views import PublishedStatus, WorkloadView
from tests import makers
from tests.cycle.worlds import Scenery

RULES = Publishing(quiet_seconds=5, at_most_seconds=30)
STATUS = PublishedStatus("p", makers.US, "test-1", "c" * 40)


class Newsroom:
    """A publisher whose events are kept by the journal, as the cycle keeps them."""

    def __init__(self, scene: Scenery) -> None:
        self.scene = scene
        self.publisher = Publisher(scene.world)
        self.status = STATUS

    def happen(self, start: Phase, end: Phase) -> None:
        workload = makers.workload()
        step = Transition(workload.id, workload.lease, start, end, "because")
        plan = Plan("c" * 40, (), (), (step,), makers.remembered())
        self.scene.journal.journal.remember(plan, makers.NOW)

    def publish(self, now: int, *, flush: bool = False) -> Outcome | None:
        events = self.scene.journal.outbox.unpublished()
        plan = Plan("c" * 40, (), (), (), makers.remembered())
        news = Publication(self.status, events, plan, makers.HEIGHT)
        return self.publisher.publish(news, RULES, now=now, flush=flush)

    def commits(self) -> int:
        return len(self.scene.repo.published)


@pytest.fixture
def room(scene: Scenery) -> Newsroom:
    return Newsroom(scene)


def test_a_change_waits_until_it_has_been_quiet(room: Newsroom) -> None:
    room.happen(Phase.PENDING, Phase.DEPLOYING)

    assert room.publish(100) is None
    assert room.publisher.publish_pending
    assert room.publish(104) is None
    assert isinstance(room.publish(105), Done)
    assert not room.publisher.publish_pending


def test_a_further_change_begins_the_quiet_time_anew_but_not_for_ever(room: Newsroom) -> None:
    for now in range(100, 130, 4):
        room.happen(Phase.DEPLOYING, Phase.RUNNING)
        assert room.publish(now) is None
    room.happen(Phase.DEPLOYING, Phase.RUNNING)

    assert isinstance(room.publish(130), Done)
    assert room.commits() == 1
    assert room.scene.repo.published[0].message.count("Deploying -> Running") >= 9


@pytest.mark.parametrize("end", [Phase.TERMINATED, Phase.FAILED])
def test_an_end_is_published_at_once(room: Newsroom, end: Phase) -> None:
    room.happen(Phase.STOPPED, end)

    assert isinstance(room.publish(100), Done)


def test_what_was_published_is_not_published_again(room: Newsroom) -> None:
    room.happen(Phase.PENDING, Phase.DEPLOYING)
    room.publish(100, flush=True)

    assert room.publish(200) is None
    assert room.publish(300, flush=True) is None
    assert room.commits() == 1


def test_a_status_that_changed_without_an_event_is_published_too(room: Newsroom) -> None:
    room.publish(100, flush=True)
    room.status = replace(STATUS, revision="d" * 40)

    assert room.publish(200) is None
    assert isinstance(room.publish(205), Done)
    assert room.scene.repo.published[-1].message.startswith("Status as observed")


def test_a_failed_push_is_retried_with_all_its_events(room: Newsroom) -> None:
    room.happen(Phase.PENDING, Phase.DEPLOYING)
    room.scene.repo.answer = Failed("PushFailed", "no route to host")
    room.publish(100, flush=True)
    room.happen(Phase.DEPLOYING, Phase.RUNNING)
    assert len(room.scene.journal.outbox.unpublished()) == 2

    room.scene.repo.answer = Done("a" * 40)
    room.publish(110, flush=True)

    assert "Pending -> Deploying" in room.scene.repo.published[-1].message
    assert "Deploying -> Running" in room.scene.repo.published[-1].message
    assert room.scene.journal.outbox.unpublished() == ()
    assert room.scene.journal.records.published() == "a" * 40


def test_uncovered_events_are_published_after_a_restart(room: Newsroom) -> None:
    room.happen(Phase.PENDING, Phase.DEPLOYING)

    again = Newsroom(room.scene)

    assert again.publish(100) is None
    assert isinstance(again.publish(105), Done)


def test_equal_bytes_on_the_branch_count_as_published(room: Newsroom) -> None:
    room.scene.repo.answer = Done("")
    room.happen(Phase.PENDING, Phase.DEPLOYING)

    room.publish(100, flush=True)

    assert room.scene.journal.outbox.unpublished() == ()
    assert room.publish(200, flush=True) is None


def test_the_commit_goes_to_the_providers_own_branch_with_its_trailers(room: Newsroom) -> None:
    room.happen(Phase.PENDING, Phase.DEPLOYING)

    room.publish(100, flush=True)

    (commit,) = room.scene.repo.published
    assert commit.branch == "status/p"
    assert dict(commit.trailers)["Desired-Revision"] == "c" * 40
    assert dict(commit.trailers)["Chain-Height"] == str(makers.HEIGHT)
    assert "summary.yaml" in commit.files


def test_what_looks_different_without_an_event_is_named(room: Newsroom) -> None:
    done = makers.workload()
    runs = WorkloadView(
        id=done.id,
        lease=str(done.lease),
        adapter="kubernetes",
        state="running",
        lease_state=State.ACTIVE,
        price_uve=Decimal(2446),
    )
    room.status = replace(STATUS, workloads=(runs,))
    room.publish(100, flush=True)
    room.status = replace(STATUS, workloads=(replace(runs, withdrawn_uve=7),))
    room.publish(110, flush=True)
    assert room.scene.repo.published[-1].message == f"Status as observed: {done.id}"


def test_events_pushed_before_a_kill_are_not_published_again(room: Newsroom) -> None:
    room.happen(Phase.PENDING, Phase.DEPLOYING)
    (pushed,) = room.scene.journal.outbox.unpublished()
    told = BranchCommit("status/p", {}, "pushed right before the kill", ((LAST_EVENT_TRAILER, mark(pushed)),))
    room.scene.repo.published.append(told)
    room.happen(Phase.DEPLOYING, Phase.RUNNING)

    room.publish(100, flush=True)

    last = room.scene.repo.published[-1]
    assert last.message.endswith("Deploying -> Running, because")
    assert "Pending" not in last.message
    assert room.scene.journal.outbox.unpublished() == ()
    assert dict(last.trailers)[LAST_EVENT_TRAILER].startswith(f"{pushed.id + 1}-")


def test_another_journals_mark_hides_nothing(room: Newsroom) -> None:
    room.happen(Phase.PENDING, Phase.DEPLOYING)
    (event,) = room.scene.journal.outbox.unpublished()
    other = BranchCommit(
        "status/p", {}, "of a journal that was lost", ((LAST_EVENT_TRAILER, f"{event.id}-0123456789ab"),)
    )
    room.scene.repo.published.append(other)

    room.publish(100, flush=True)

    assert "Pending -> Deploying" in room.scene.repo.published[-1].message


def test_a_clock_that_is_set_back_delays_no_push(room: Newsroom) -> None:
    room.happen(Phase.PENDING, Phase.DEPLOYING)
    assert room.publish(100_000) is None

    assert isinstance(room.publish(100), Done)


def test_a_clock_that_is_set_back_ends_a_back_off(room: Newsroom) -> None:
    room.happen(Phase.PENDING, Phase.DEPLOYING)
    room.scene.repo.answer = Failed("Network", "no answer")
    assert isinstance(room.publish(100_000, flush=True), Failed)
    room.scene.repo.answer = Done("e" * 40)

    assert isinstance(room.publish(100), Done)

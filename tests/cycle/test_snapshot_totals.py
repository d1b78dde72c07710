"""What is shown beside one cycle's facts: the journal's totals from the start, what waits, and since when."""

from __future__ import annotations

from dataclasses import replace

from reconciler.cycle.run import Runner
from reconciler.values.intents import Confirmation, IntentOutcome
from reconciler.values.outcomes import Done, Failed
from reconciler.values.readings import Seen, Unseen
from reconciler.values.resources import Resources
from reconciler.values.views import CycleOutcome
from tests import makers
from tests.cycle.worlds import Scenery, intent


def _runner(scene: Scenery) -> Runner:
    return Runner(scene.world, makers.US)


def test_totals_are_shown_before_the_first_cycle(scene: Scenery) -> None:
    sent = intent()
    scene.journal.intents.record_intent(sent)
    scene.journal.intents.record_end(Confirmation(sent, IntentOutcome.LANDED, 5, makers.NOW))
    scene.journal.outbox.mark_published([], "c0ffee")

    shown = _runner(scene).snapshot

    assert shown.cycle is None
    assert shown.counters.ended[IntentOutcome.LANDED] == 1
    assert shown.published == "c0ffee"


def test_a_cycle_that_failed_is_counted_and_shows_what_was_shown(scene: Scenery) -> None:
    runner = _runner(scene)
    before = runner.run_cycle().snapshot

    shown = runner.mark_failed("the disk is full", makers.NOW)

    assert shown.cycle is not None
    assert (shown.cycle.outcome, shown.cycle.why) == (CycleOutcome.FAILED, "the disk is full")
    assert shown.counters.cycles == {CycleOutcome.QUIET: 1, CycleOutcome.FAILED: 1}
    assert (shown.height, shown.readings) == (before.height, before.readings)
    assert runner.run_cycle().snapshot.counters.cycles[CycleOutcome.FAILED] == 1


def test_a_commit_that_is_in_force_waits_for_nothing(scene: Scenery) -> None:
    shown = _runner(scene).run_cycle(flush=True).snapshot

    assert shown.desired_commit is not None
    assert shown.desired_commit.id == shown.desired == shown.applied
    assert shown.times.seen == shown.times.applied > 0
    assert shown.times.unapplied_since == 0


def test_one_that_is_not_waits_since_it_was_seen(scene: Scenery) -> None:
    runner = _runner(scene)
    runner.run_cycle(flush=True)
    known = scene.repo.commit
    strange = replace(known, id="d" * 40, descends=False)
    scene.repo.silent = Seen((strange, known))
    scene.clock.seconds += 100

    shown = runner.run_cycle().snapshot
    scene.clock.seconds += 100
    later = runner.run_cycle().snapshot.times

    assert (shown.desired, shown.applied) == ("d" * 40, "c" * 40)
    assert shown.times.unapplied_since == shown.times.seen == makers.NOW + 100
    assert shown.times.applied == makers.NOW
    assert later.unapplied_since == makers.NOW + 100


def test_the_status_commit_is_shown_with_its_subject(scene: Scenery) -> None:
    runner = _runner(scene)

    shown = runner.run_cycle(flush=True).snapshot

    assert shown.published
    assert shown.published_commit is not None
    assert shown.published_commit.id == shown.published
    assert shown.published_commit.subject == "Applied commit cccccccccccc by operator: Prices"
    assert (shown.unpublished, shown.times.unpublished_since) == (0, 0)


def test_what_cannot_be_published_waits_and_is_counted(scene: Scenery) -> None:
    runner = _runner(scene)
    scene.repo.answer = Failed("Rejected", "the remote hung up")

    shown = runner.run_cycle(flush=True).snapshot
    assert shown.times.unpublished_since > 0
    assert shown.published_commit is None

    scene.repo.answer = Done("c0ffee")
    again = runner.run_cycle(flush=True).snapshot
    assert again.times.unpublished_since == 0


def test_capacity_is_shown_and_stays_while_the_chain_is_unseen(scene: Scenery) -> None:
    runner = _runner(scene)
    found = runner.run_cycle().snapshot.capacity
    assert found is not None
    assert found.offered == makers.ROOM
    assert found.promised == Resources()
    assert found.sellable == found.offered

    scene.chain.reading = Unseen("the node is down")

    assert runner.run_cycle().snapshot.capacity == found

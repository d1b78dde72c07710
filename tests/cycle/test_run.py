"""One whole cycle: in its order, and always all of it."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from reconciler.cycle.run import Runner
from reconciler.ports import StorageError
from reconciler.values.ids import workload_id
from reconciler.values.intents import IntentOutcome
from reconciler.values.observed import TxResult
from reconciler.values.outcomes import Done, Failed
from reconciler.values.plans import Reason
from reconciler.values.readings import Seen, Unseen
from reconciler.values.records import message_result
from reconciler.values.subjects import Subject
from reconciler.values.views import CycleOutcome
from tests import makers
from tests.cycle.worlds import CLOSING, Scenery, intent


def _runner(scene: Scenery) -> Runner:
    return Runner(scene.world, makers.US)


def _bidding(scene: Scenery) -> None:
    """An account that is new need not wait before it spends."""
    wallet = makers.market().wallet
    fresh = type(wallet)(wallet.address, wallet.number, 0, wallet.balance)
    scene.chain.reading = Seen(makers.market(orders=[makers.order()], wallet=fresh))


def test_a_cycle_observes_remembers_applies_and_publishes_in_this_order(scene: Scenery) -> None:
    _bidding(scene)

    cycle = _runner(scene).run_cycle(flush=True)

    steps = [call.split()[0] for call in scene.calls]
    assert steps == [
        "fetch",
        "read",
        "read",
        "remember",
        "prepare",
        "record_intent",
        "broadcast",
        "publish",
        "mark_published",
    ]
    assert cycle.snapshot.cycle is not None
    assert cycle.snapshot.cycle.outcome is CycleOutcome.ACTED
    assert cycle.snapshot.cycle.actions == 1


def test_planning_changes_nothing(scene: Scenery) -> None:
    _bidding(scene)

    planned = _runner(scene).plan_cycle()

    assert planned.plan.actions
    assert not {"remember", "record_intent", "record", "publish"} & {call.split()[0] for call in scene.calls}
    assert scene.journal.journal.is_new()


def test_a_cycle_with_nothing_to_do_is_quiet(scene: Scenery) -> None:
    runner = _runner(scene)
    runner.run_cycle(flush=True)

    again = runner.run_cycle(flush=True)

    assert again.planned.plan.actions == ()
    assert again.snapshot.cycle is not None
    assert again.snapshot.cycle.outcome is CycleOutcome.QUIET
    assert scene.calls.count("publish") == 1


@pytest.mark.parametrize("what", ["chain", "repository"])
def test_a_cycle_without_the_chain_is_blind_and_continues(what: str, scene: Scenery) -> None:
    if what == "chain":
        scene.chain.reading = Unseen("down")
    else:
        scene.repo.silent = scene.repo.recalled = Unseen("gone")

    cycle = _runner(scene).run_cycle()

    assert cycle.snapshot.cycle is not None
    assert cycle.snapshot.cycle.outcome is CycleOutcome.BLIND
    assert "remember" in scene.calls


def test_a_confirmed_intent_ends_together_with_its_memory(scene: Scenery) -> None:
    scene.journal.intents.record_intent(intent())
    result = TxResult(intent().hash, makers.HEIGHT, 0, "", "")
    scene.chain.reading = Seen(makers.market(tx_results={intent().hash: result}))

    cycle = _runner(scene).run_cycle()

    assert cycle.planned.plan.memory.sequence == makers.market().wallet.sequence
    ended = scene.journal.records.confirmation(intent().hash)
    assert ended is not None
    assert ended.outcome is IntentOutcome.LANDED
    assert scene.journal.intents.open_intents() == ()


def test_a_push_that_fails_does_not_age_the_snapshot(scene: Scenery) -> None:
    scene.repo.answer = Failed("PushFailed", "no route to host")

    cycle = _runner(scene).run_cycle(flush=True)

    assert cycle.snapshot.height == makers.HEIGHT
    assert cycle.publish_pending


def test_a_provider_that_does_not_publish_never_pushes(scene: Scenery) -> None:
    silent = replace(scene.world, publishes_status=False)

    scene.journal.journal.record([message_result(CLOSING, Done(), makers.NOW)])
    assert scene.journal.outbox.unpublished()
    cycle = Runner(silent, makers.US).run_cycle(flush=True)

    assert not cycle.publish_pending
    assert "publish" not in scene.calls
    assert scene.journal.outbox.unpublished() == (), "they would never be removed"


def test_each_hold_is_logged_when_it_appears_and_not_every_cycle(
    scene: Scenery, caplog: pytest.LogCaptureFixture
) -> None:
    scene.chain.reading = Seen(makers.market(orders=[makers.order(1, makers.unit(price=1))]))
    runner = _runner(scene)

    with caplog.at_level(logging.INFO):
        runner.run_cycle()
        runner.run_cycle()

    told = [record.message for record in caplog.records if "PriceTooLow" in record.message]
    assert len(told) == 1
    assert told[0].startswith(f"bid withheld: order {makers.order_id()}: PriceTooLow: it pays at most 1uve")


@pytest.mark.parametrize("kind", ["orders", "leases"])
def test_400_objects_in_one_block_share_log_lines_and_are_explained_one_by_one(
    scene: Scenery, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    orders = [makers.order(n, makers.unit(price=1)) for n in range(1, 401)]
    leases = [makers.lease(n) for n in range(1, 401)]
    made = makers.market(orders=orders) if kind == "orders" else makers.market(leases=leases)
    scene.chain.reading = Seen(made)
    runner = _runner(scene)

    with caplog.at_level(logging.INFO):
        for _ in range(3):
            runner.run_cycle()

    assert 1 <= len(caplog.records) <= 10
    assert any("(1 of 400 such lines; also " in line for line in caplog.messages)
    for each in orders if kind == "orders" else []:
        (decision, *_) = scene.journal.records.decisions(Subject.of_order(each.id))
        assert Reason.PRICE_TOO_LOW in str(decision)
    for lease in leases if kind == "leases" else []:
        assert scene.journal.records.decisions(Subject.of_workload(lease.id))


def test_cycles_are_counted_by_how_they_ended(scene: Scenery) -> None:
    runner = _runner(scene)
    runner.run_cycle(flush=True)
    runner.run_cycle()
    scene.chain.reading = Unseen("down")

    counted = runner.run_cycle().snapshot.counters.cycles

    assert sum(counted.values()) == 3
    assert counted[CycleOutcome.BLIND] == 1


def test_steps_of_a_lifecycle_are_logged_as_the_adapters(
    scene: Scenery, caplog: pytest.LogCaptureFixture
) -> None:
    scene.chain.reading = Seen(makers.market(leases=[makers.lease()]))
    with caplog.at_level(logging.INFO):
        _runner(scene).run_cycle()
    subject = workload_id(makers.lease_id())
    assert f"adapter none: Workload {subject} is Pending: lease created" in caplog.messages


def test_the_chains_unavailability_is_logged_once_and_so_is_its_end(
    scene: Scenery, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    runner = _runner(scene)
    for reading in (Unseen("no answer"), Unseen("no answer"), Seen(makers.market()), Seen(makers.market())):
        scene.chain.reading = reading
        runner.run_cycle()
    told = [r.getMessage() for r in caplog.records if "bid engine" in r.getMessage()]
    assert told == [
        "the bid engine is paused: the chain is unavailable: no answer",
        f"the bid engine resumes: the chain is available again, at height {makers.market().height}",
    ]


def test_a_gap_is_remembered_although_the_journal_cannot_be_written_at_first(
    scene: Scenery, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, market = _runner(scene), makers.market()
    runner.run_cycle()
    wallet = replace(market.wallet, balance=market.wallet.balance + 70_000)
    missed = replace(market, height=market.height + 600, wallet=wallet, transfers=None)
    with monkeypatch.context() as patch:
        patch.setattr(scene.journal.journal, "remember", _full_disk)
        scene.chain.reading = Seen(missed)
        with pytest.raises(StorageError):
            runner.run_cycle()
    scene.chain.reading = Seen(replace(missed, height=missed.height + 1, transfers=()))
    for _ in range(2):
        ledger = runner.run_cycle().planned.plan.memory.ledger
        assert ledger is not None
        [gap] = ledger.gaps
        assert (gap.first, gap.last, gap.change) == (market.height + 1, missed.height + 1, 70_000)


def _full_disk(*_: object) -> None:
    raise StorageError("the disk is full")

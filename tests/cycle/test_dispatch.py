"""Effects: written down before they are sent, each outcome kept, one that fails spoils no other."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.cycle.dispatch import dispatch_all
from reconciler.values.desired import CloseReason
from reconciler.values.intents import FeeTerms, IntentOutcome, Prepared
from reconciler.values.messages import CloseBid
from reconciler.values.outcomes import Done, Failed, Refused, Unknown
from reconciler.values.plans import (
    Action,
    ApplyWorkload,
    Plan,
    PrepareAdapter,
    Rebroadcast,
    RemoveWorkload,
    SendTransaction,
)
from reconciler.values.records import EffectResult
from reconciler.values.refusals import read_refusal
from reconciler.values.subjects import Subject
from tests import makers
from tests.cycle.worlds import CLOSING, Scenery, intent

TERMS = FeeTerms(2_500, (500_000,), Decimal("1.05"))
SEND = SendTransaction((CLOSING,), TERMS)


def _plan(*actions: Action) -> Plan:
    return Plan("c" * 40, actions, (), (), makers.remembered())


def _outcomes(scene: Scenery) -> list[EffectResult]:
    return list(scene.journal.journal.results())


def test_a_transaction_is_recorded_before_broadcast(scene: Scenery) -> None:
    dispatch_all(_plan(SEND), scene.world, ())

    assert scene.calls == ["prepare", "record_intent", f"broadcast {intent().hash}"]
    assert scene.journal.intents.open_intents() == (intent(),)
    assert _outcomes(scene) == []


def test_an_answer_that_is_lost_leaves_the_intent_open(scene: Scenery) -> None:
    scene.chain.answer = Unknown("no answer")

    dispatch_all(_plan(SEND), scene.world, ())

    assert scene.journal.intents.open_intents() == (intent(),)


def test_a_rejected_broadcast_ends_the_intent_and_is_recorded_for_the_next_plan(scene: Scenery) -> None:
    scene.chain.answer = Failed("ChainRefused", "account rate limited")

    dispatch_all(_plan(SEND), scene.world, ())

    assert scene.journal.intents.open_intents() == ()
    ended = scene.journal.records.confirmation(intent().hash)
    assert ended is not None
    assert (ended.outcome, ended.height, ended.log) == (IntentOutcome.REFUSED, 0, "account rate limited")
    (told,) = _outcomes(scene)
    assert (told.key.kind, told.outcome) == ("CloseBid", Failed("ChainRefused", "account rate limited"))


def test_a_permanent_rejection_is_not_retried(scene: Scenery) -> None:
    scene.chain.answer = Refused("ChainRefused", "lease not active: x")

    dispatch_all(_plan(SEND), scene.world, ())

    assert isinstance(_outcomes(scene)[0].outcome, Refused)


def test_messages_refused_by_the_simulation_are_reported_and_the_rest_sent(scene: Scenery) -> None:
    other = CloseBid(makers.lease_id(2), CloseReason.UNSPECIFIED)
    scene.chain.prepared = Prepared(intent(), ((other, Refused("ChainRefused", "unknown bid")),))

    dispatch_all(_plan(SendTransaction((CLOSING, other), TERMS)), scene.world, ())

    assert [each.hash for each in scene.chain.sent] == [intent().hash]
    (told,) = _outcomes(scene)
    assert (told.key.subject, told.outcome) == (
        Subject.of_lease(other.id),
        Refused("ChainRefused", "unknown bid"),
    )


def test_where_all_is_dropped_nothing_is_sent(scene: Scenery) -> None:
    scene.chain.prepared = Prepared(
        None, ((CLOSING, read_refusal("MFA required for medium_withdrawal").outcome),)
    )

    dispatch_all(_plan(SEND), scene.world, ())

    assert scene.calls == ["prepare", "record"]
    outcome = _outcomes(scene)[0].outcome
    assert isinstance(outcome, Failed)
    assert "verification by the account owner" in outcome.advice


def test_a_transaction_that_cannot_be_prepared_is_not_noted(scene: Scenery) -> None:
    scene.chain.prepared = Failed("Unreachable", "no answer")

    dispatch_all(_plan(SEND), scene.world, ())

    assert scene.calls == ["prepare", "record"]
    assert [each.outcome for each in _outcomes(scene)] == [Failed("Unreachable", "no answer")]


def test_only_the_very_bytes_of_an_open_intent_are_sent_again(scene: Scenery) -> None:
    lost, other = intent(hash="A"), intent(hash="B")

    dispatch_all(_plan(Rebroadcast("A"), Rebroadcast("C")), scene.world, (lost, other))

    assert scene.chain.sent == [lost]


def test_an_adapters_effects_are_recorded_together(scene: Scenery) -> None:
    workload = makers.workload()
    room = makers.ROOM

    dispatch_all(
        _plan(
            PrepareAdapter("kubernetes", room),
            ApplyWorkload(workload, "d", "leased, not deployed"),
            RemoveWorkload("kubernetes", workload.id, "its lease is closed"),
        ),
        scene.world,
        (),
    )

    assert scene.calls == [
        "prepare adapter",
        f"apply {workload.id}",
        f"remove {workload.id}",
        "record",
    ]
    assert [(each.key.kind, each.outcome) for each in _outcomes(scene)] == [
        ("PrepareAdapter", Done()),
        ("ApplyWorkload", Done()),
        ("RemoveWorkload", Done()),
    ]


def test_a_failed_action_does_not_affect_others(scene: Scenery) -> None:
    scene.adapter.broken = OSError("connection refused")
    workload = makers.workload()

    dispatch_all(_plan(ApplyWorkload(workload, "d", "leased, not deployed"), SEND), scene.world, ())

    assert scene.journal.intents.open_intents() == (intent(),)
    (told,) = _outcomes(scene)
    assert told.outcome == Failed(
        "Unreachable",
        f"apply workload {workload.id} on kubernetes: leased, not deployed: connection refused",
    )


@pytest.mark.parametrize(
    "error", [RuntimeError("odd\x1b[2J"), ValueError("odd"), RecursionError("deep"), MemoryError()], ids=repr
)
def test_an_exception_at_one_object_affects_no_other(scene: Scenery, error: Exception) -> None:
    scene.adapter.broken = error

    dispatch_all(_plan(RemoveWorkload("kubernetes", makers.workload().id, "closed"), SEND), scene.world, ())

    (failed,) = _outcomes(scene)
    assert isinstance(failed.outcome, Failed)
    assert failed.outcome.reason == "InternalError"
    assert type(error).__name__ in failed.outcome.why
    assert failed.outcome.why.isprintable()
    assert scene.calls[-2:] == [f"broadcast {intent().hash}", "record"]


def test_a_request_to_exit_ends_the_process(scene: Scenery) -> None:
    scene.adapter.broken = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        dispatch_all(_plan(RemoveWorkload("kubernetes", makers.workload().id, "closed")), scene.world, ())


def test_an_adapter_that_a_revision_removed_meanwhile_fails_its_effects(scene: Scenery) -> None:
    dispatch_all(_plan(RemoveWorkload("east", makers.workload().id, "closed")), scene.world, ())

    (failed,) = _outcomes(scene)
    assert isinstance(failed.outcome, Failed)
    assert (failed.outcome.reason, "adapter east has no file any more" in failed.outcome.why) == (
        "Unreachable",
        True,
    )


@pytest.mark.parametrize("name", ["git", "snapshot", "notices", "forge"])
def test_an_adapter_may_have_any_name(scene: Scenery, name: str) -> None:
    """Its queue is no publisher's."""
    world = replace(scene.world, adapters={name: scene.adapter})

    dispatch_all(_plan(RemoveWorkload(name, makers.workload().id, "its lease is closed")), world, ())

    [recorded] = _outcomes(scene)
    assert recorded.outcome == Done()

"""Cycles for ever: one that fails is tried again, later each time; a stop ends them between two."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from reconciler.cycle import loop as module
from reconciler.cycle import run
from reconciler.cycle.environment import Environment
from reconciler.cycle.loop import BACKOFF_SECONDS, Loop, Pace
from reconciler.cycle.run import Cycle, Runner
from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.reports.readiness import FAILURES_MAX, unready
from reconciler.runtime.work_queues import ThreadedQueues
from reconciler.values.outcomes import Done, Outcome
from reconciler.values.plans import Action, ApplyWorkload
from reconciler.values.readings import Seen
from reconciler.values.records import Request
from reconciler.values.snapshot import Snapshot
from reconciler.values.views import CycleOutcome
from tests import makers
from tests.cycle.worlds import Scenery, intent


class Faltering(Runner):
    """Fails so many times, then works, and stops the loop after so many cycles in all."""

    def __init__(self, scene: Scenery, failures: int, cycles: int) -> None:
        super().__init__(scene.world, makers.US)
        self.left, self.cycles = failures, cycles
        self.loop: Loop | None = None

    def run_cycle(self, *, flush: bool = False) -> Cycle:
        self.cycles -= 1
        if not self.cycles and self.loop is not None:
            self.loop.stop()
        if self.left:
            self.left -= 1
            raise OSError("the disk is full")
        return super().run_cycle(flush=flush)


def _run(scene: Scenery, failures: int, cycles: int) -> list[Snapshot]:
    shown: list[Snapshot] = []
    runner = Faltering(scene, failures, cycles)
    runner.loop = Loop(scene.world, runner, Pace(5.0), shown.append)
    runner.loop.run()
    return shown


def test_it_waits_its_pace_between_cycles_and_shows_each(scene: Scenery) -> None:
    shown = _run(scene, failures=0, cycles=3)

    assert len(shown) == 3
    assert scene.clock.waits == [5.0, 5.0]


def test_a_cycle_that_fails_is_tried_again_later_each_time(
    scene: Scenery, caplog: pytest.LogCaptureFixture
) -> None:
    shown = _run(scene, failures=8, cycles=10)

    assert scene.clock.waits == [*BACKOFF_SECONDS, BACKOFF_SECONDS[-1], BACKOFF_SECONDS[-1], 5.0]
    ended = [(s.cycle.outcome, s.cycle.why) for s in shown if s.cycle]
    assert ended == [(CycleOutcome.FAILED, "the disk is full")] * 8 + [(CycleOutcome.QUIET, "")] * 2
    assert shown[-1].counters.cycles == {CycleOutcome.FAILED: 8, CycleOutcome.QUIET: 2}
    assert caplog.messages.count("the cycle failed and is retried: the disk is full") == 8


def test_a_request_to_stop_ends_it_after_the_cycle_under_way(scene: Scenery) -> None:
    scene.journal.inbox.enqueue(Request.STOP, makers.NOW)

    shown = _run(scene, failures=0, cycles=100)

    assert len(shown) == 1
    assert scene.clock.waits == []


def test_a_reconcile_request_is_handled_and_the_loop_continues(scene: Scenery) -> None:
    scene.journal.inbox.enqueue(Request.RECONCILE, makers.NOW)

    assert len(_run(scene, failures=0, cycles=2)) == 2
    assert scene.journal.inbox.take() == ()


def test_a_request_to_forget_the_height_reaches_the_chain(scene: Scenery) -> None:
    scene.journal.inbox.enqueue(Request.FORGET_HEIGHT, makers.NOW)

    assert len(_run(scene, failures=0, cycles=2)) == 2
    assert scene.calls.count("forget height") == 1


def test_a_request_during_the_wait_polls_the_repository_in_the_next_cycle(
    scene: Scenery, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = scene.clock.wait

    def wait(seconds: float) -> None:
        waited(seconds)
        if len(scene.clock.waits) == 2:
            scene.journal.inbox.enqueue(Request.RECONCILE, makers.NOW)

        if len(scene.clock.waits) == 3:
            loop.stop()

    world = replace(scene.world, poll_seconds=3_600)
    loop = Loop(world, Runner(world, makers.US), Pace(5.0), lambda _: None)
    monkeypatch.setattr(scene.clock, "wait", wait)
    loop.run()

    assert scene.calls.count("fetch") == 2


UNEXPECTED = [RuntimeError("odd"), ValueError("odd\x1b[2J"), RecursionError("odd"), MemoryError()]
STAGES = ["observe", "plan", "remember"]


def _break(scene: Scenery, monkeypatch: pytest.MonkeyPatch, stage: str, error: BaseException) -> list[str]:
    """Have a stage raise as long as the list that is returned holds something."""
    on = [stage]
    scene.repo.files["config.yaml"] = b"publishing: {quiet: 0s, at_most: 0s}\n"
    (target, name) = {
        "observe": (scene.chain, "observe"),
        "plan": (run, "plan"),
        "remember": (scene.journal.journal, "remember"),
    }[stage]
    whole = getattr(target, name)

    def broken(*args: Any, **kwargs: Any) -> Any:
        if on:
            raise error
        return whole(*args, **kwargs)

    monkeypatch.setattr(target, name, broken)
    return on


@pytest.mark.parametrize("error", UNEXPECTED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("stage", STAGES)
def test_an_unexpected_exception_ends_one_cycle_and_is_reported(
    scene: Scenery,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    stage: str,
    error: Exception,
) -> None:
    on = _break(scene, monkeypatch, stage, error)
    shown: list[Snapshot] = []

    def show(snapshot: Snapshot) -> None:
        shown.append(snapshot)
        if len(shown) == FAILURES_MAX:
            assert unready(snapshot, makers.NOW, 60).startswith(f"the last 10 cycles failed: {name}")
            on.clear()
        if len(shown) == FAILURES_MAX + 1:
            loop.stop()

    name = type(error).__name__
    loop = Loop(scene.world, Runner(scene.world, makers.US), Pace(5.0), show)
    loop.run()

    records = [s.cycle for s in shown if s.cycle]
    assert [r.failures for r in records] == [*range(1, FAILURES_MAX + 1), 0]
    assert all(r.why.startswith(name) and "\x1b" not in r.why for r in records[:-1])
    assert not unready(shown[FAILURES_MAX - 2], makers.NOW, 60).startswith("the last")
    assert not unready(shown[-1], makers.NOW, 60).startswith("the last")
    assert scene.clock.waits == [*BACKOFF_SECONDS, *BACKOFF_SECONDS[-1:] * 4]
    assert f"the cycle failed and is retried: {name}" in caplog.text
    assert "test_loop.py" in caplog.text, "where it was raised"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)], ids=["interrupt", "exit"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_request_to_exit_ends_the_process(
    scene: Scenery, monkeypatch: pytest.MonkeyPatch, stage: str, error: BaseException
) -> None:
    _break(scene, monkeypatch, stage, error)
    with pytest.raises(type(error)):
        Loop(scene.world, Runner(scene.world, makers.US), Pace(), lambda _: None).run()


@pytest.mark.parametrize("error", UNEXPECTED, ids=lambda error: type(error).__name__)
def test_what_shows_a_cycle_or_reads_requests_ends_nothing(
    scene: Scenery, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    shown: list[Snapshot] = []

    def show(snapshot: Snapshot) -> None:
        shown.append(snapshot)
        if len(shown) == 3:
            loop.stop()
        raise error

    def take() -> tuple[Request, ...]:
        raise error

    monkeypatch.setattr(scene.journal.inbox, "take", take)
    loop = Loop(scene.world, Runner(scene.world, makers.US), Pace(5.0), show)
    loop.run()
    assert len(shown) == 3


def test_once_cycles_until_nothing_is_left_to_do(scene: Scenery) -> None:
    shown: list[Snapshot] = []
    loop = Loop(scene.world, Runner(scene.world, makers.US), Pace(), shown.append)

    cycle = loop.once()

    assert cycle.planned.plan.actions == ()
    assert not cycle.publish_pending
    assert scene.calls.count("publish") == 1


def test_once_gives_up_waiting_for_what_never_ends(scene: Scenery) -> None:
    scene.journal.intents.record_intent(intent())
    shown: list[Snapshot] = []
    loop = Loop(scene.world, Runner(scene.world, makers.US), Pace(), shown.append)

    loop.once(cycles_max=4)

    assert len(shown) == 5
    assert scene.clock.waits == [1.0] * 4


def _hanging_apply(scene: Scenery, monkeypatch: pytest.MonkeyPatch, release: threading.Event) -> Environment:
    """A world whose cluster does not answer until released, and whose next plan applies a workload."""
    file = makers.workload()
    scene.chain.reading = Seen(makers.market(leases=[makers.lease()]))
    monkeypatch.setattr(
        run, "plan", lambda inputs, *rest: replace(plan(inputs, *rest), actions=wanted(inputs))
    )
    asked: list[Action] = [ApplyWorkload(file, "d", "leased, not deployed")]

    def wanted(inputs: PlanningInput) -> tuple[Action, ...]:
        return () if inputs.in_flight or inputs.results else tuple(asked)

    def apply(*_: object) -> Outcome:
        release.wait(30)
        return Done("at last")

    monkeypatch.setattr(scene.adapter, "apply", apply)
    return replace(scene.world, queues=ThreadedQueues(scene.clock.now, lambda: None))


def test_a_stop_records_what_ends_within_the_grace_period(
    scene: Scenery, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    release = threading.Event()
    world = _hanging_apply(scene, monkeypatch, release)
    loop = Loop(world, Runner(world, makers.US), Pace(5.0), lambda _: loop.stop())
    threading.Timer(0.2, release.set).start()
    loop.run()

    [result] = scene.journal.journal.results()
    assert result.outcome == Done("at last")
    assert "abandoned" not in caplog.text


def test_a_stop_abandons_what_does_not_end_and_names_it(
    scene: Scenery, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.1)
    release = threading.Event()
    world = _hanging_apply(scene, monkeypatch, release)
    loop = Loop(world, Runner(world, makers.US), Pace(5.0), lambda _: loop.stop())
    loop.run()
    release.set()

    assert scene.journal.journal.results() == ()
    assert (
        "kubernetes: abandoned 1 running and 0 queued effects, which the next start observes: "
        f"apply workload {makers.workload().id} on kubernetes: leased, not deployed"
    ) in caplog.messages

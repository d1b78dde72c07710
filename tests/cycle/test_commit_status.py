"""Commit states: each said once, in order, across restarts, and no cycle waits for it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from reconciler.cycle.environment import Environment
from reconciler.cycle.run import Runner
from reconciler.values.commit_status import CommitStatus, ReportedStatus, StatusState
from reconciler.values.outcomes import Done, Failed, Outcome, Refused, Unknown
from tests import makers
from tests.cycle.worlds import Scenery, scenery

NEWEST = "c" * 40


@dataclass
class MemoryForge:
    """Answers what a test wants, and notes what it was asked."""

    answers: list[Outcome] = field(default_factory=list)
    asked: list[CommitStatus] = field(default_factory=list)
    shown: dict[str, str] = field(default_factory=dict)

    def set_status(self, said: CommitStatus) -> Outcome:
        self.asked.append(said)
        outcome = self.answers.pop(0) if self.answers else Done()
        if isinstance(outcome, Done):
            self.shown[said.commit[0]] = f"{said.state}: {said.description}"
        return outcome


@pytest.fixture
def forge() -> MemoryForge:
    return MemoryForge()


def world(scene: Scenery, forge: MemoryForge | None) -> Environment:
    return replace(scene.world, forge=forge)


def runner(scene: Scenery, forge: MemoryForge | None) -> Runner:
    return Runner(world(scene, forge), makers.US)


def test_a_commit_is_reported_once(scene: Scenery, forge: MemoryForge) -> None:
    running = runner(scene, forge)
    for _ in range(3):
        running.run_cycle()
    assert forge.asked == [CommitStatus(NEWEST, StatusState.SUCCESS, "applied")]
    assert scene.journal.outbox.commit_statuses() == (ReportedStatus(forge.asked[0], reported=True),)


def test_also_after_a_restart(tmp_path: Path, forge: MemoryForge) -> None:
    first = scenery(tmp_path)
    runner(first, forge).run_cycle()
    first.journal.close()
    second = scenery(tmp_path)
    runner(second, forge).run_cycle()
    second.journal.close()
    assert len(forge.asked) == 1


def test_without_a_forge_nothing_is_kept(scene: Scenery) -> None:
    runner(scene, None).run_cycle()
    assert scene.journal.outbox.commit_statuses() == ()


@pytest.mark.parametrize("trouble", [Failed("ForgeSilent", "down"), Refused("ForgeRefused", "no")])
def test_a_failing_forge_is_retried_and_logged_once(
    scene: Scenery, forge: MemoryForge, trouble: Outcome, caplog: pytest.LogCaptureFixture
) -> None:
    forge.answers = [trouble, Unknown("left alone"), trouble, trouble]
    running = runner(scene, forge)
    with caplog.at_level(logging.WARNING):
        for _ in range(6):
            running.run_cycle()
    assert [r for r in caplog.records if "could not be reported to the forge" in r.message] != []
    assert sum("could not be reported to the forge" in r.message for r in caplog.records) == 1
    assert forge.shown == {"c": "success: applied"}
    assert len(forge.asked) == 5


def test_statuses_are_sent_in_order_and_the_last_one_is_sent(scene: Scenery, forge: MemoryForge) -> None:
    waits = CommitStatus("a" * 40, StatusState.PENDING, "held: so much")
    done = CommitStatus("b" * 40, StatusState.SUCCESS, "applied")
    scene.journal.outbox.store_commit_statuses((ReportedStatus(waits, reported=True), ReportedStatus(done)))
    runner(scene, forge).run_cycle()
    assert list(forge.shown.values()) == [
        "pending: followed by cccccccccccc before it was applied",
        "success: applied",
        "success: applied",
    ]


def test_a_commit_unknown_to_the_forge_blocks_nothing(scene: Scenery, forge: MemoryForge) -> None:
    scene.journal.outbox.store_commit_statuses(
        (ReportedStatus(CommitStatus("a" * 40, StatusState.SUCCESS, "applied")),)
    )
    forge.answers = [Refused("ForgeRefused", "no such commit")]
    running = runner(scene, forge)
    running.run_cycle()
    running.run_cycle()
    assert forge.shown == {"c": "success: applied"}
    assert len(forge.asked) == 2


def test_faulty_files_are_reported(scene: Scenery, forge: MemoryForge) -> None:
    scene.repo.files["pricing.yaml"] = b"pricing: {}\n"
    runner(scene, forge).run_cycle()
    [said] = forge.asked
    assert said.state is StatusState.FAILURE
    assert "pricing.yaml" in said.description

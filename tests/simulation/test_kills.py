"""A daemon killed right before and right after each effect, at each of its occurrences, and started again."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler import ports
from reconciler.cycle.environment import EFFECTS
from reconciler.values.limits import Limits
from tests.simulation.footprint import messages, overlaps, transactions, usage_records
from tests.simulation.living import Kill, Reference, Survival, forget, record, survive
from tests.simulation.outside import Diary
from tests.simulation.script import CONTESTED, LATER, OURS, USAGE, WEB, Stage, lease

NEVER_IN_A_CYCLE = {
    "adapter.logs": "the API's thread reads",
    "chain.forget_height": "the owner's command asks for it; what is forgotten is read again",
    "clock.now": "reads the clock",
    "clock.wait": "the loop waits between cycles",
    "inbox.approve": "the owner's command writes on the host; the next cycle hears it",
    "inbox.ask": "any thread leaves a request; a lost one is asked for again",
    "inbox.take": "the loop takes requests between cycles; none of them costs anything",
    "journal.is_new": "reads",
    "records.confirmation": "`explain` reads",
    "records.decisions": "`explain` reads",
    "repo.recall": "reads the mirror while the repository is silent",
}
"""Port methods that are no effects and that the story does not call, each with what it does."""

MADE = {("made", "deployments"), ("made", "services"), ("made", "namespaces")}
BID_ON = (WEB, CONTESTED, USAGE, LATER)
USAGE_RATE = 10_932
"""What the usage-billed workload costs a second at the dearer price, in uve."""


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reference]:
    directory = tmp_path_factory.mktemp("story")
    yield record(directory)
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def survivals() -> dict[int, Survival]:
    """What became of each kill: several effects' points may be one and the same state of the world."""
    return {}


@pytest.fixture(scope="module")
def forgotten() -> set[object]:
    """The states of the world that were gone on from without a journal already."""
    return set()


def test_the_story_leaves_what_it_should(reference: Reference) -> None:
    left = reference.footprint

    assert sorted(left.messages) == [
        ("MsgCloseBid", "1000002", "10002"),
        ("MsgCreateBid", "1000001", f"2446{'0' * 18} 500000"),
        ("MsgCreateBid", "1000002", f"2446{'0' * 18} 500000"),
        ("MsgCreateBid", "1000003", f"1{'0' * 18} 500000"),
        ("MsgCreateBid", "1000005", f"2733{'0' * 18} 500000"),
        ("MsgRecordUsage", "1000003", ""),
        ("MsgSettleOrder", "1000003", ""),
        ("MsgWithdrawLease", "1000001", ""),
        ("MsgWithdrawLease", "1000005", ""),
    ]
    assert left.usage == left.settled > 0
    assert all(left.withdrawn)
    assert not left.untold
    assert not left.failed
    assert {state for _, state in left.shown} == {"success applied"}
    assert left.noticed == {f"{lease(WEB)}/low", f"{lease(LATER)}/low"}
    assert {key[2] for key in left.objects if key[:2] == ("removed", "deployments")} == {
        key[2] for key in left.objects if key[:2] == ("made", "deployments")
    }


def test_every_port_method_that_changes_something_is_an_effect(reference: Reference) -> None:
    """What is not among the effects was seen to change nothing, call by call, or is named with its reason."""
    known = {f"{port}.{method}" for port, method in EFFECTS} | reference.silent | NEVER_IN_A_CYCLE.keys()

    assert set(_port_methods()) == known


def test_every_effect_occurs_in_the_story(reference: Reference) -> None:
    reached = {(point.port, point.method) for kill in reference.kills for point in kill.points}

    assert reached == set(EFFECTS)


@pytest.mark.parametrize("effect", EFFECTS, ids=".".join)
def test_killed_at(
    effect: tuple[str, str], reference: Reference, survivals: dict[int, Survival], tmp_path: Path
) -> None:
    """At every occurrence of the effect, before and after it: what is left in the end is what the run that
    was never killed has left (what may differ: `Footprint`).
    """
    different = []
    for at, kill in enumerate(reference.kills):
        points = [point for point in kill.points if (point.port, point.method) == effect]
        if not points:
            continue
        if at not in survivals:
            survivals[at] = survive(reference, kill, tmp_path / str(at))
        left = survivals[at].footprint
        if left is not None and left != reference.footprint:
            different.append((str(points[0]), left))

    assert not different, f"{different[0]} instead of {reference.footprint}"


@pytest.mark.parametrize("effect", EFFECTS, ids=".".join)
def test_killed_and_the_journal_lost_at(
    effect: tuple[str, str], reference: Reference, forgotten: set[object], tmp_path: Path
) -> None:
    """Nothing is sent for 20 blocks, nothing is done twice, and the provider still gets through the story.

    Points between which nothing but the journal has changed are one point. To save time, status is published
    only where the effect is about that, and of the cycles' memories, one a cycle, each third is taken.
    """
    publishing = effect[0] in ("repo", "outbox")
    kills = [k for k in reference.kills if effect in {(p.port, p.method) for p in k.points}]
    for kill in kills[:: 3 if effect == ("journal", "remember") else 1]:
        if (kill.bare, publishing) in forgotten:
            continue
        directory = tmp_path / str(len(forgotten))
        stage = forget(kill, directory, publishing=publishing)
        forgotten.add((kill.bare, publishing))

        bids = [each.subject for each in messages(stage.outside) if each.kind == "MsgCreateBid"]
        where = f"{kill.points[0]} at height {kill.height}"
        assert sorted(bids) == [str(number) for number in BID_ON], where
        assert not overlaps(usage_records(stage)), where
        assert not _overbilled(stage), where
        assert not _sent_early(stage, kill), where
        assert _made(stage.outside.diary) == _made(reference.footprint.objects), where
        assert not [number for number in BID_ON if stage.bid_by(number, OURS)], where
        shutil.rmtree(directory)


def _port_methods() -> Iterator[str]:
    """Every method of every port, by the names that the effects use."""
    for name in (
        "Repo",
        "Chain",
        "Adapter",
        "Journal",
        "Intents",
        "Outbox",
        "Inbox",
        "Records",
        "Notifier",
        "Forge",
        "Clock",
    ):
        port: Any = getattr(ports, name)
        yield from (f"{name.lower()}.{each}" for each in vars(port) if not each.startswith("_"))


def _overbilled(stage: Stage) -> bool:
    """Whether more was billed than what ran can have cost."""
    return sum(int(each.total_cost[0].amount) for each in usage_records(stage)) > (
        USAGE_RATE * stage.ran_seconds
    )


def _sent_early(stage: Stage, kill: Kill) -> list[str]:
    """Transactions that a new journal should have held back; an account that never sent any need not wait."""
    before = {tx for _, txs in kill.moment.blocks for tx in txs} | set(kill.moment.waiting)
    ours = list(transactions(stage.outside))
    if not any(tx.height <= kill.height for tx in ours):
        return []
    until = kill.height + Limits().timeout_blocks
    return [tx.hash for tx in ours if tx.data not in before and tx.height <= until]


def _made(diary: Diary) -> Diary:
    return Counter({each: count for each, count in diary.items() if each[:2] in MADE})

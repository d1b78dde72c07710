"""A daemon killed right before and right after each effect, whose journal is lost with it."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from reconciler.cycle.environment import EFFECTS
from reconciler.values.limits import Limits
from tests.simulation.footprint import messages, overlaps, transactions, usage_records
from tests.simulation.living import Kill, Reference, forget
from tests.simulation.outside import Diary
from tests.simulation.script import CONTESTED, LATER, OURS, USAGE, WEB, Stage

MADE = {("made", "deployments"), ("made", "services"), ("made", "namespaces")}
BID_ON = (WEB, CONTESTED, USAGE, LATER)
USAGE_RATE = 10_932
"""What the usage-billed workload costs a second at the dearer price, in uve."""


@pytest.fixture(scope="module")
def forgotten() -> set[object]:
    """The states of the world that were gone on from without a journal already."""
    return set()


@pytest.mark.parametrize("effect", EFFECTS, ids=".".join)
def test_killed_and_the_journal_lost_at(
    effect: tuple[str, str], reference: Reference, forgotten: set[object], tmp_path: Path
) -> None:
    """Nothing is sent for 20 blocks, nothing is done twice, and the provider still gets through the story.

    Points between which nothing but the journal has changed are one point. To save time, status is published
    only where the effect is about that.
    """
    publishing = effect[0] in ("repo", "outbox")
    for _, kill in reference.kills_at(effect):
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

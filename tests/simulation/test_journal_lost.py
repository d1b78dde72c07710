"""A daemon killed before and after each effect that loses its journal."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from reconciler.cycle.environment import EFFECTS
from reconciler.values.limits import Limits
from tests.simulation.footprint import messages, overlaps, transactions, usage_records
from tests.simulation.outside import ObjectCounts
from tests.simulation.runs import Kill, Reference, forget
from tests.simulation.scenario import CONTESTED, LATER, OURS, USAGE, WEB, Scenario

MADE = {("made", "deployments"), ("made", "services"), ("made", "namespaces")}
BID_ON = (WEB, CONTESTED, USAGE, LATER)
USAGE_RATE = 10_932
"""The cost of the usage-billed workload at the higher price, in uve a second."""


@pytest.fixture(scope="module")
def forgotten() -> set[object]:
    """The states of the world that were already tested without a journal."""
    return set()


@pytest.mark.parametrize("effect", EFFECTS, ids=".".join)
def test_a_kill_with_a_lost_journal_repeats_nothing(
    effect: tuple[str, str], reference: Reference, forgotten: set[object], tmp_path: Path
) -> None:
    """Nothing is sent for 20 blocks, nothing is done twice, and the run still completes.

    Points between which nothing but the journal has changed are one point. To save time, status is published
    only where the effect is about that.
    """
    publishing = effect[0] in ("repo", "outbox")
    for _, kill in reference.kills_at(effect, sampled=True):
        if (kill.bare, publishing) in forgotten:
            continue
        directory = tmp_path / str(len(forgotten))
        scenario = forget(kill, directory, publishing=publishing)
        forgotten.add((kill.bare, publishing))

        sent = messages(scenario.outside)
        bids = [each.subject for each in sent if each.kind == "MsgCreateBid"]
        where = f"{kill.points[0]} at height {kill.height}"
        assert sorted(bids) == [str(number) for number in BID_ON], where
        assert sum(each.kind == "MsgSend" for each in sent) <= 1, where
        assert not overlaps(usage_records(scenario)), where
        assert not _overbilled(scenario), where
        assert not _sent_early(scenario, kill), where
        assert _made(scenario.outside.object_counts) == _made(reference.footprint.objects), where
        assert not [number for number in BID_ON if scenario.bid_by(number, OURS)], where
        shutil.rmtree(directory)


def _overbilled(scenario: Scenario) -> bool:
    """Whether more was billed than the running time costs."""
    return sum(int(each.total_cost[0].amount) for each in usage_records(scenario)) > (
        USAGE_RATE * scenario.ran_seconds
    )


def _sent_early(scenario: Scenario, kill: Kill) -> list[str]:
    """Transactions that a new journal must delay; an account without transactions need not wait."""
    before = {tx for _, txs in kill.moment.blocks for tx in txs} | set(kill.moment.waiting)
    ours = list(transactions(scenario.outside))
    if not any(tx.height <= kill.height for tx in ours):
        return []
    until = kill.height + Limits().timeout_blocks
    return [tx.hash for tx in ours if tx.data not in before and tx.height <= until]


def _made(object_counts: ObjectCounts) -> ObjectCounts:
    return Counter({each: count for each, count in object_counts.items() if each[:2] in MADE})

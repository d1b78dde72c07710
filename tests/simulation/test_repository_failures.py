"""A repository that is missing for some cycles: the last revision stays in force, status follows later."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from reconciler.devnet.trading import OrderRequest
from reconciler.values.plans import ApplyWorkload, Reason
from tests.simulation.footprint import hashes_told, transactions
from tests.simulation.sim import Simulation, removals


def test_a_missing_repository_stops_neither_bids_nor_repair(sim: Simulation) -> None:
    sim.blocks(1)
    there, away = sim.outside.commits.repository, Path(f"{sim.outside.commits.repository}.away")
    there.rename(away)
    sim.scenario.alice.order(OrderRequest(Decimal(4000)))
    sim.outside.step()

    done = sim.blocks(16)

    assert sim.last.publish_pending
    assert [h for h in sim.holds(Reason.REPOSITORY_UNSEEN) if str(there) in h.message]
    assert [each for each in sim.sent() if each.kind == "MsgCreateBid" and each.height > 19]
    assert not removals(done)
    assert not [each for each in done if isinstance(each, ApplyWorkload)]

    away.rename(there)
    sim.blocks(15)
    assert not sim.holds(Reason.REPOSITORY_UNSEEN)
    landed = {tx.hash for tx in transactions(sim.outside) if tx.height < sim.outside.height - 12}
    assert landed <= hashes_told(sim.outside)

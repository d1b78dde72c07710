"""A cluster that refuses requests, and one that recovers slowly."""

from __future__ import annotations

from decimal import Decimal

from reconciler.devnet.cluster.faults import ClusterFault
from reconciler.devnet.trading import OrderRequest
from reconciler.values.ids import workload_id
from reconciler.values.plans import Reason
from tests.simulation.scenario import WEB, lease
from tests.simulation.sim import Simulation, removals


def _refuse(sim: Simulation) -> None:
    sim.outside.cluster.faults.add(ClusterFault(status=503))
    sim.outside.cluster.drop_watches()
    sim.cluster_seen(False)


def _mend(sim: Simulation) -> None:
    sim.outside.cluster.faults.clear()
    sim.cluster_seen(True)


def test_nothing_is_removed_started_or_bid_while_the_cluster_refuses(sim: Simulation) -> None:
    sim.blocks(1)
    objects = sim.outside.object_counts
    _refuse(sim)
    sim.scenario.alice.close(WEB)
    sim.scenario.alice.order(OrderRequest(Decimal(4000)))
    sim.outside.step()

    done = sim.blocks(6, settled=False)

    assert not [each for each in done if not each.describe().startswith(("withdraw", "record", "settle"))]
    assert sim.outside.object_counts == objects
    assert {hold.subject.name for hold in sim.holds(Reason.CLUSTER_UNSEEN)} >= {"kubernetes"}
    assert not [each for each in sim.sent() if each.kind == "MsgCreateBid" and each.height > 19]
    _mend(sim)
    done = sim.blocks(8)
    assert len(removals(done)) == 1
    assert [each for each in sim.sent() if each.kind == "MsgCreateBid" and each.height > 19]


def test_a_workload_keeps_its_phase_while_the_cluster_is_not_seen(sim: Simulation) -> None:
    sim.blocks(2)
    _refuse(sim)

    sim.blocks(3, settled=False)

    states = {each.id: each.state for each in sim.last.snapshot.workloads}
    assert states[workload_id(lease(WEB))] == "running"

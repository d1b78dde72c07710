"""A cluster that rejects requests or does not answer: nothing is removed, and withdrawals continue."""

from __future__ import annotations

from decimal import Decimal

from reconciler.adapters.kubernetes import client, informer
from reconciler.devnet.cluster.faults import ClusterFault
from reconciler.devnet.trading import OrderRequest
from reconciler.values.ids import workload_id
from reconciler.values.plans import Reason
from tests.bad_input.case import Run, Workspace
from tests.simulation.outside import Outside
from tests.simulation.scenario import USAGE, WEB, lease
from tests.simulation.sim import removals, started

SHORT_SECONDS = 0.2


def unseen(fault: ClusterFault) -> Run:
    """A lease closes and an order arrives meanwhile; removal and bid follow afterwards."""

    def run(workspace: Workspace) -> str:
        with started(Outside.at(workspace.mid_run, workspace.path / "world")) as sim:
            sim.blocks(1)
            objects = sim.outside.object_counts
            workspace.values["cluster"] = sim.outside.cluster.url
            silence_seconds = informer.WATCH_IDLE_MAX_SECONDS
            workspace.monkeypatch.setattr(informer, "WATCH_IDLE_MAX_SECONDS", SHORT_SECONDS)
            workspace.monkeypatch.setattr(client, "ANSWER_SECONDS", 1.0)
            sim.outside.cluster.faults.add(fault)
            sim.outside.cluster.drop_watches()
            sim.cluster_seen(False)
            sim.scenario.alice.close(USAGE)
            sim.scenario.alice.order(OrderRequest(Decimal(4000)))
            sim.outside.step()
            since = sim.outside.height

            done = sim.blocks(8, settled=False)

            assert removals(done) == []
            assert sim.outside.object_counts == objects
            kinds = {each.kind for each in sim.sent() if each.height > since}
            assert kinds >= {"MsgWithdrawLease"}
            assert "MsgCreateBid" not in kinds
            [state] = [w.state for w in sim.last.snapshot.workloads if w.id == workload_id(lease(WEB))]
            assert state == "running"
            told = {h.message for h in sim.holds(Reason.CLUSTER_UNSEEN) if h.subject.name == "kubernetes"}
            workspace.monkeypatch.setattr(informer, "WATCH_IDLE_MAX_SECONDS", silence_seconds)
            sim.outside.cluster.faults.clear()
            sim.cluster_seen(True)
            assert len(removals(sim.blocks(8))) == 1
            assert "MsgCreateBid" in {each.kind for each in sim.sent() if each.height > since}
            [message] = told
            # the watched kind that was noticed first
            workspace.values["path"] = message.split("GET ")[1].split(":")[0] if "GET /" in message else ""
            return message

    return run


REFUSES = unseen(ClusterFault(status=503))
SILENT = unseen(ClusterFault("hang"))

"""A cluster that rejects requests or does not answer: nothing is removed, and withdrawals continue."""

from __future__ import annotations

from decimal import Decimal

from reconciler.adapters.kubernetes import client, informer
from reconciler.devnet.cluster.faults import ClusterFault
from reconciler.devnet.tenant import OrderRequest
from reconciler.values.ids import workload_id
from reconciler.values.plans import Reason
from tests.bad_input.case import Run, Workspace
from tests.simulation.outside import Outside
from tests.simulation.playing import played, removals
from tests.simulation.script import USAGE, WEB, lease

SHORT_SECONDS = 0.2


def unseen(fault: ClusterFault) -> Run:
    """A lease closes and an order arrives meanwhile; removal and bid follow afterwards."""

    def run(workspace: Workspace) -> str:
        with played(Outside.at(workspace.midway, workspace.path / "world")) as play:
            play.blocks(1)
            objects = play.outside.diary
            workspace.values["cluster"] = play.outside.cluster.url
            silence_seconds = informer.SILENCE_MAX_SECONDS
            workspace.monkeypatch.setattr(informer, "SILENCE_MAX_SECONDS", SHORT_SECONDS)
            workspace.monkeypatch.setattr(client, "ANSWER_SECONDS", 1.0)
            play.outside.cluster.faults.add(fault)
            play.outside.cluster.drop_watches()
            play.cluster_seen(False)
            play.stage.alice.close(USAGE)
            play.stage.alice.order(OrderRequest(Decimal(4000)))
            play.outside.step()
            since = play.outside.height

            done = play.blocks(8, settled=False)

            assert removals(done) == []
            assert play.outside.diary == objects
            kinds = {each.kind for each in play.sent() if each.height > since}
            assert kinds >= {"MsgWithdrawLease"}
            assert "MsgCreateBid" not in kinds
            [state] = [w.state for w in play.last.snapshot.workloads if w.id == workload_id(lease(WEB))]
            assert state == "running"
            told = {h.message for h in play.holds(Reason.CLUSTER_UNSEEN) if h.subject.name == "kubernetes"}
            workspace.monkeypatch.setattr(informer, "SILENCE_MAX_SECONDS", silence_seconds)
            play.outside.cluster.faults.clear()
            play.cluster_seen(True)
            assert len(removals(play.blocks(8))) == 1
            assert "MsgCreateBid" in {each.kind for each in play.sent() if each.height > since}
            [message] = told
            return message

    return run


REFUSES = unseen(ClusterFault(status=503))
SILENT = unseen(ClusterFault("hang"))

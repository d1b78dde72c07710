"""A cluster that refuses or does not answer: silence is not emptiness, and money comes in all the same."""

from __future__ import annotations

from decimal import Decimal

from reconciler.adapters.kubernetes import client, informer
from reconciler.devnet.cluster.faults import ClusterFault
from reconciler.devnet.tenant import OrderRequest
from reconciler.values.ids import workload_id
from reconciler.values.plans import Reason
from tests.simulation.outside import Outside
from tests.simulation.playing import played, removals
from tests.simulation.script import USAGE, WEB, lease
from tests.troubles.ground import Ground, Show

IMPATIENT_SECONDS = 0.2


def unseen(fault: ClusterFault) -> Show:
    """A tenant closes and another orders meanwhile; the one is removed and the other bid on afterwards."""

    def show(ground: Ground) -> str:
        with played(Outside.at(ground.midway, ground.path / "world")) as play:
            play.blocks(1)
            objects = play.outside.diary
            ground.places["cluster"] = play.outside.cluster.url
            silence_seconds = informer.SILENCE_MAX_SECONDS
            ground.patch.setattr(informer, "SILENCE_MAX_SECONDS", IMPATIENT_SECONDS)
            ground.patch.setattr(client, "ANSWER_SECONDS", 1.0)
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
            ground.patch.setattr(informer, "SILENCE_MAX_SECONDS", silence_seconds)
            play.outside.cluster.faults.clear()
            play.cluster_seen(True)
            assert len(removals(play.blocks(8))) == 1
            assert "MsgCreateBid" in {each.kind for each in play.sent() if each.height > since}
            [message] = told
            return message

    return show


REFUSES = unseen(ClusterFault(status=503))
SILENT = unseen(ClusterFault("hang"))

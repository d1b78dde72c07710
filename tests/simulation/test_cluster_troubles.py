"""A cluster that refuses, and one that is slow to answer again: silence is not emptiness."""

from __future__ import annotations

from decimal import Decimal

from reconciler.devnet.cluster.faults import ClusterFault
from reconciler.devnet.tenant import OrderRequest
from reconciler.values.ids import workload_id
from reconciler.values.plans import ApplyWorkload, Reason
from tests.simulation.commits import workload
from tests.simulation.playing import Play, removals
from tests.simulation.script import WEB, lease


def _refuse(play: Play) -> None:
    play.outside.cluster.faults.add(ClusterFault(status=503))
    play.outside.cluster.drop_watches()
    play.cluster_seen(False)


def _mend(play: Play) -> None:
    play.outside.cluster.faults.clear()
    play.cluster_seen(True)


def test_while_the_cluster_refuses_nothing_is_removed_started_or_bid(play: Play) -> None:
    play.blocks(1)
    objects = play.outside.diary
    _refuse(play)
    play.stage.alice.close(WEB)
    play.stage.alice.order(OrderRequest(Decimal(4000)))
    play.outside.step()

    done = play.blocks(6, settled=False)

    assert not [each for each in done if not each.show().startswith(("withdraw", "record", "settle"))]
    assert play.outside.diary == objects
    assert {hold.subject.name for hold in play.holds(Reason.CLUSTER_UNSEEN)} >= {"kubernetes"}
    assert not [each for each in play.sent() if each.kind == "MsgCreateBid" and each.height > 19]
    _mend(play)
    done = play.blocks(8)
    assert len(removals(done)) == 1
    assert [each for each in play.sent() if each.kind == "MsgCreateBid" and each.height > 19]


def test_a_workload_keeps_its_phase_while_the_cluster_is_not_seen(play: Play) -> None:
    play.blocks(2)
    _refuse(play)

    play.blocks(3, settled=False)

    states = {each.id: each.state for each in play.last.snapshot.workloads}
    assert states[workload_id(lease(WEB))] == "running"


def test_an_apply_that_is_refused_is_tried_again_later(play: Play) -> None:
    play.blocks(1)
    play.outside.cluster.faults.add(ClusterFault(status=500, verbs=frozenset({"patch"}), times=1))
    play.outside.commits.commit("Pause", dict(workload(lease(WEB), paused=True)))

    first = play.blocks(1)
    waiting = play.blocks(5)
    assert [type(each) for each in first].count(ApplyWorkload) == 1
    assert not [each for each in waiting if isinstance(each, ApplyWorkload)]
    assert [h for h in play.holds(Reason.TRY_LATER) if h.subject.name == workload_id(lease(WEB))]

    again = play.blocks(14)
    assert [type(each) for each in again].count(ApplyWorkload) == 1
    assert {w.state for w in play.last.snapshot.workloads if w.id == workload_id(lease(WEB))} == {"paused"}

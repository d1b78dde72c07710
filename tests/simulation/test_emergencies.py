"""The sheet's emergencies: a pod that somebody deletes, and every way to stop money within one cycle."""

from __future__ import annotations

import logging
from decimal import Decimal
from pathlib import Path

import pytest
from kubernetes import client, config

from reconciler.adapters.kubernetes import naming
from reconciler.devnet.cluster.faults import ClusterFault
from reconciler.devnet.tenant import OrderRequest
from reconciler.values.ids import workload_id
from reconciler.values.limits import Limits
from reconciler.values.messages import CloseBid
from reconciler.values.outcomes import Done
from reconciler.values.plans import Reason, SendTransaction, Transition
from reconciler.values.records import EffectResult
from tests.simulation.commits import CONFIG, workload
from tests.simulation.outside import Moment, Outside
from tests.simulation.playing import Play, played
from tests.simulation.script import WEB, lease

SPACE = "provider-workloads"
SUBJECT = workload_id(lease(WEB))


def _delete_pod(play: Play) -> str:
    """As `kubectl delete pod` does; its name."""
    ours = [p for p in play.outside.cluster.objects("pods", SPACE) if _workload_of(p) == SUBJECT]
    name = str(ours[0]["metadata"]["name"])
    with config.new_client_from_config(str(play.outside.kubeconfig)) as api:  # type: ignore[no-untyped-call]  # no types
        client.CoreV1Api(api).delete_namespaced_pod(name, SPACE, grace_period_seconds=0)
    return name


def _workload_of(found: dict[str, dict[str, dict[str, str]]]) -> str:
    return found["metadata"]["labels"].get(naming.WORKLOAD, "")


def _said(play: Play) -> list[str]:
    events = [each.event for each in play.daemon.journal.records.events(0, 1_000)]
    return [e.trigger for e in events if isinstance(e, Transition) and e.workload == SUBJECT]


def test_a_pod_that_somebody_deletes_is_healed_and_said(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    play.blocks(2)
    with caplog.at_level(logging.INFO):
        name = _delete_pod(play)
        play.blocks(6)
    words = f"pod {name} was removed, and not by us"
    assert _said(play).count(words) == 1
    (line,) = [each for each in caplog.messages if words in each]
    assert line.startswith(f"adapter kubernetes: Workload {SUBJECT} is ")
    (shown,) = [w for w in play.last.snapshot.workloads if w.id == SUBJECT]
    assert (shown.ready, shown.replicas_ready) == (True, 1)
    play.blocks(3)
    assert _said(play).count(words) == 1


def test_a_deployment_that_somebody_deletes_is_applied_again_and_said(play: Play) -> None:
    play.blocks(2)
    (name,) = {
        str(d["metadata"]["name"])
        for d in play.outside.cluster.objects("deployments", SPACE)
        if _workload_of(d) == SUBJECT
    }
    with config.new_client_from_config(str(play.outside.kubeconfig)) as api:  # type: ignore[no-untyped-call]  # no types
        client.AppsV1Api(api).delete_namespaced_deployment(name, SPACE)
    play.blocks(4)
    events = [each.event for each in play.daemon.journal.records.events(0, 1_000)]
    again = [
        e
        for e in events
        if isinstance(e, EffectResult) and e.key.subject.name == SUBJECT and "there" in e.what
    ]
    assert again
    assert isinstance(again[-1].outcome, Done)
    assert len([d for d in play.outside.cluster.objects("deployments", SPACE) if _workload_of(d) == SUBJECT])


def _spends_after(play: Play) -> None:
    """Something to spend on, each cycle."""
    play.stage.alice.order(OrderRequest(Decimal(4000)))
    play.outside.step()


def test_stop_spending_stops_money_with_the_next_cycle(midway: Moment, tmp_path: Path) -> None:
    stopped = False
    with played(Outside.at(midway, tmp_path / "world"), lambda: Limits(stop_spending=stopped)) as play:
        play.blocks(1)
        stopped = True
        _spends_after(play)
        done = play.blocks(12)
        assert not [each for each in done if isinstance(each, SendTransaction)]
        assert play.holds(Reason.SPENDING_STOPPED)
        stopped = False
        assert [each for each in play.blocks(2) if isinstance(each, SendTransaction)]


def test_suspended_stops_money_with_the_cycle_that_sees_the_commit(play: Play) -> None:
    play.blocks(1)
    suspended = CONFIG + 'suspended: "the hoster moves racks"\n'
    play.outside.commits.commit("Suspend", {"config.yaml": suspended})
    _spends_after(play)
    done = play.blocks(12)
    assert not [each for each in done if isinstance(each, SendTransaction)]
    (hold, *_) = play.holds(Reason.SUSPENDED)
    assert "the hoster moves racks" in hold.message
    assert {w.state for w in play.last.snapshot.workloads} == {"running"}, "workloads go on"
    play.outside.commits.commit("Resume", {"config.yaml": CONFIG})
    assert [each for each in play.blocks(2) if isinstance(each, SendTransaction)]


def test_draining_bids_on_nothing_and_keeps_leases(midway: Moment, tmp_path: Path) -> None:
    with played(Outside.at(midway, tmp_path / "world"), lambda: Limits(draining=True)) as play:
        _spends_after(play)
        done = [each.show() for each in play.blocks(12)]
        assert not [each for each in done if each.startswith("bid ")]
        assert [each for each in done if "withdraw" in each], "leases go on paying"
        assert play.holds(Reason.DRAINING)


def test_no_lease_is_closed_because_an_api_fails(play: Play) -> None:
    """Closing is asked for in words; a cluster or a chain that fails never leads to it."""
    play.blocks(1)
    play.outside.cluster.faults.add(ClusterFault(status=500))
    play.outside.cluster.drop_watches()
    play.cluster_seen(False)
    play.outside.commits.commit("Pause", dict(workload(lease(WEB), paused=True)))
    done = play.blocks(8, settled=False)
    play.outside.chain.faults.catching_up = True
    done += play.blocks(4, settled=False)
    sent = [m for each in done if isinstance(each, SendTransaction) for m in each.messages]
    assert not [m for m in sent if isinstance(m, CloseBid) and m.lease]

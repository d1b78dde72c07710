"""The cheat sheet's emergencies: a deleted pod, and each way to stop spending within one cycle."""

from __future__ import annotations

import logging
from decimal import Decimal
from pathlib import Path

import pytest
from kubernetes import client, config

from reconciler.adapters.kubernetes import naming
from reconciler.devnet.cluster.faults import ClusterFault
from reconciler.devnet.trading import OrderRequest
from reconciler.values.ids import workload_id
from reconciler.values.limits import Limits
from reconciler.values.messages import CloseBid
from reconciler.values.outcomes import Done
from reconciler.values.plans import Reason, SendTransaction, Transition
from reconciler.values.records import EffectResult
from tests.simulation.commits import CONFIG, workload
from tests.simulation.outside import Outside, WorldState
from tests.simulation.scenario import WEB, lease
from tests.simulation.sim import Simulation, started

SPACE = "provider-workloads"
SUBJECT = workload_id(lease(WEB))


def _delete_pod(sim: Simulation) -> str:
    """Delete a pod as kubectl does; its name."""
    ours = [p for p in sim.outside.cluster.objects("pods", SPACE) if _workload_of(p) == SUBJECT]
    name = str(ours[0]["metadata"]["name"])
    with config.new_client_from_config(str(sim.outside.kubeconfig)) as api:  # type: ignore[no-untyped-call]  # no types
        client.CoreV1Api(api).delete_namespaced_pod(name, SPACE, grace_period_seconds=0)
    return name


def _workload_of(found: dict[str, dict[str, dict[str, str]]]) -> str:
    return found["metadata"]["labels"].get(naming.WORKLOAD, "")


def _said(sim: Simulation) -> list[str]:
    events = [each.event for each in sim.daemon.journal.records.events(0, 1_000)]
    return [e.trigger for e in events if isinstance(e, Transition) and e.workload == SUBJECT]


def test_a_deleted_pod_is_replaced_and_reported(sim: Simulation, caplog: pytest.LogCaptureFixture) -> None:
    sim.blocks(2)
    with caplog.at_level(logging.INFO):
        name = _delete_pod(sim)
        sim.blocks(6)
    words = f"pod {name} was removed by someone else"
    assert _said(sim).count(words) == 1
    (line,) = [each for each in caplog.messages if words in each]
    assert line.startswith(f"adapter kubernetes: Workload {SUBJECT} is ")
    (shown,) = [w for w in sim.last.snapshot.workloads if w.id == SUBJECT]
    assert (shown.ready, shown.replicas_ready) == (True, 1)
    sim.blocks(3)
    assert _said(sim).count(words) == 1


def test_a_deleted_deployment_is_applied_again_and_reported(sim: Simulation) -> None:
    sim.blocks(2)
    (name,) = {
        str(d["metadata"]["name"])
        for d in sim.outside.cluster.objects("deployments", SPACE)
        if _workload_of(d) == SUBJECT
    }
    with config.new_client_from_config(str(sim.outside.kubeconfig)) as api:  # type: ignore[no-untyped-call]  # no types
        client.AppsV1Api(api).delete_namespaced_deployment(name, SPACE)
    sim.blocks(4)
    events = [each.event for each in sim.daemon.journal.records.events(0, 1_000)]
    again = [
        e
        for e in events
        if isinstance(e, EffectResult) and e.key.subject.name == SUBJECT and "not deployed" in e.effect
    ]
    assert again
    assert isinstance(again[-1].outcome, Done)
    assert len([d for d in sim.outside.cluster.objects("deployments", SPACE) if _workload_of(d) == SUBJECT])


def _spends_after(sim: Simulation) -> None:
    """Whether the daemon still spends when there is something to spend on."""
    sim.scenario.alice.order(OrderRequest(Decimal(4000)))
    sim.outside.step()


def test_a_suspension_applies_in_the_cycle_that_reads_it(sim: Simulation) -> None:
    sim.blocks(1)
    suspended = CONFIG + 'suspended: "the hoster moves racks"\n'
    sim.outside.commits.commit("Suspend", {"config.yaml": suspended})
    _spends_after(sim)
    done = sim.blocks(12)
    assert not [each for each in done if isinstance(each, SendTransaction)]
    (hold, *_) = sim.holds(Reason.SUSPENDED)
    assert "the hoster moves racks" in hold.message
    assert {w.state for w in sim.last.snapshot.workloads} == {"running"}, "workloads go on"
    sim.outside.commits.commit("Resume", {"config.yaml": CONFIG})
    assert [each for each in sim.blocks(2) if isinstance(each, SendTransaction)]


def test_draining_makes_no_bid_and_keeps_leases(mid_run: WorldState, tmp_path: Path) -> None:
    with started(Outside.at(mid_run, tmp_path / "world"), lambda: Limits(draining=True)) as sim:
        _spends_after(sim)
        done = [each.describe() for each in sim.blocks(12)]
        assert not [each for each in done if each.startswith("bid ")]
        assert [each for each in done if "withdraw" in each], "leases go on paying"
        assert sim.holds(Reason.DRAINING)


def test_a_failing_api_closes_no_lease(sim: Simulation) -> None:
    """Only an explicit request closes a lease, not a failing cluster or chain."""
    sim.blocks(1)
    sim.outside.cluster.faults.add(ClusterFault(status=500))
    sim.outside.cluster.drop_watches()
    sim.cluster_seen(False)
    sim.outside.commits.commit("Pause", dict(workload(lease(WEB), paused=True)))
    done = sim.blocks(8, settled=False)
    sim.outside.chain.faults.catching_up = True
    done += sim.blocks(4, settled=False)
    sent = [m for each in done if isinstance(each, SendTransaction) for m in each.messages]
    assert not [m for m in sent if isinstance(m, CloseBid) and m.lease]

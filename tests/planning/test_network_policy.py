"""A cluster whose adapter file names nothing that enforces NetworkPolicies: nothing is started there."""

from __future__ import annotations

from dataclasses import replace

from reconciler.planning.planner import plan
from reconciler.values.adapters import KUBERNETES
from reconciler.values.clusters import KubernetesSettings, NetworkPolicyController
from reconciler.values.messages import CreateBid
from reconciler.values.plans import ApplyWorkload, Plan, Reason, RemoveWorkload, SendTransaction
from tests.makers import adapter, desired, lease, market, order, planning_input, running, workload

NEW, CHANGED, DRIFTED, PAUSED = (workload(n) for n in (1, 2, 3, 4))
RUNNING = (
    replace(running(CHANGED), digest="older"),
    replace(running(DRIFTED), drifted=True),
    running(PAUSED),
)


def planned(settings: KubernetesSettings) -> Plan:
    files = (NEW, CHANGED, DRIFTED, replace(PAUSED, paused=True))
    wanted = replace(desired(*files), adapters={KUBERNETES: settings})
    seen = market(leases=[lease(n) for n in (1, 2, 3, 4)], orders=[order(9)])
    return plan(planning_input(seen, wanted, adapters=adapter(*RUNNING)))


def effects(made: Plan) -> set[str]:
    applied = {a.workload.id for a in made.actions if isinstance(a, ApplyWorkload)}
    sent = (m for a in made.actions if isinstance(a, SendTransaction) for m in a.messages)
    return applied | {"a bid" for each in sent if isinstance(each, CreateBid)}


def test_nothing_is_started_changed_or_bid_on_but_what_runs_is_repaired_and_paused() -> None:
    made = planned(KubernetesSettings())

    assert effects(made) == {DRIFTED.id, PAUSED.id}
    held = {h.subject.name: h for h in made.holds if h.reason is Reason.NETWORK_POLICY_MISSING}
    assert {KUBERNETES, NEW.id, CHANGED.id} < set(held), "and the order"
    assert len(held) == 4
    assert all("add network_policy: calico, cilium" in each.message for each in held.values())


def test_with_any_word_for_it_everything_is_started() -> None:
    for word in NetworkPolicyController:
        made = planned(KubernetesSettings(network_policy=word))
        assert effects(made) == {"a bid", NEW.id, CHANGED.id, DRIFTED.id, PAUSED.id}
        assert Reason.NETWORK_POLICY_MISSING not in {h.reason for h in made.holds}


def test_a_disabled_adapter_needs_no_word() -> None:
    made = planned(KubernetesSettings(enabled=False))
    assert Reason.NETWORK_POLICY_MISSING not in {h.reason for h in made.holds}
    assert not [a for a in made.actions if isinstance(a, ApplyWorkload | RemoveWorkload)]

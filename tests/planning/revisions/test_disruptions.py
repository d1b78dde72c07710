"""What stops, moves or replaces workloads counts, whatever field of whatever file does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from reconciler.planning.revisions.disruptions import Disruption, disruptions, is_served
from reconciler.values.approvals import Breach
from reconciler.values.clusters import KubernetesSettings
from reconciler.values.desired import (
    AdapterSettings,
    Bidding,
    CloseReason,
    Config,
    Desired,
    Escrow,
    OnCritical,
    Port,
    Workload,
)
from reconciler.values.grants import AnsibleGrants, Grants, KubernetesGrants
from reconciler.values.hosts import AnsibleGroup, AnsibleHost, AnsibleSettings
from reconciler.values.ids import WorkloadId
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory
from reconciler.values.plans import Reason
from tests.makers import HEIGHT, PRICING, lease_id, workload
from tests.planning.pushes import Branch, files, serving

GRANTS = Grants(
    {
        "kubernetes": KubernetesGrants(("provider-workloads", "kube-system", "", "x")),
        "ansible": AnsibleGrants(
            True, ("192.0.2.0/24", "198.51.100.0/24"), storage_paths=("/var/lib/provider-workloads", "/srv")
        ),
    }
)


def cluster(**changes: Any) -> dict[str, AdapterSettings]:
    return {"kubernetes": KubernetesSettings(**changes)}


def found(before: Desired | None, after: Desired, memory: Memory) -> Mapping[WorkloadId, Disruption]:
    return disruptions(before, after, memory, GRANTS)


FIFTY = tuple(workload(n, image=f"registry.example/app:{n}") for n in range(1, 51))
HOSTS = AnsibleSettings(True, (AnsibleGroup("g", (AnsibleHost("one", "192.0.2.1"),)),))
PAUSING = Escrow(on_critical=OnCritical.PAUSE)


def each(change: Callable[[Workload], Workload]) -> Desired:
    return files(*map(change, FIFTY))


def with_service(of: Workload, **changes: object) -> Workload:
    [service] = of.services
    return replace(of, services=(replace(service, **changes),))  # type: ignore[arg-type]  # as named


EN_MASSE = {
    "deleted": files(),
    "paused": each(lambda w: replace(w, paused=True)),
    "closing": each(lambda w: replace(w, close=CloseReason.UNSTABLE)),
    "another image": each(lambda w: with_service(w, image="registry.example/other:1")),
    "another command": each(lambda w: with_service(w, command=("sleep", "9"))),
    "other ports": each(lambda w: with_service(w, ports=(Port(80),))),
    "no replicas": each(lambda w: with_service(w, count=0)),
    "no services": each(lambda w: replace(w, services=())),
    "images denied": files(*FIFTY, config=Config(images_denied=("*",))),
    "a registry denied": files(*FIFTY, config=Config(images_denied=("registry.example/*",))),
    "an adapter disabled": files(*FIFTY, adapters=cluster(enabled=False)),
    "another namespace": files(*FIFTY, adapters=cluster(namespace="kube-system")),
    "no namespace any more": files(*FIFTY, adapters=cluster(namespace="")),
    "another adapter": each(lambda w: replace(w, adapter="ansible")),
    "an unknown adapter": each(lambda w: replace(w, adapter="nomad")),
    "paused for want of funds": files(*FIFTY, config=Config(escrow=PAUSING)),
    "another lease": each(lambda w: replace(w, lease=lease_id(999))),
}


@pytest.mark.parametrize("name", EN_MASSE)
def test_all_fifty_workloads_are_counted_once_and_the_commit_waits(name: str) -> None:
    branch = Branch.of(files(*FIFTY), Limits())
    wanted = EN_MASSE[name]
    plan = branch.push(wanted)
    assert plan.revision == "a" * 40
    [hold] = [h for h in plan.holds if h.reason is Reason.MASS_REMOVAL]
    assert "stops, moves or replaces 50 workloads of active leases" in hold.message
    [breach] = branch.memory.approvable.values()
    assert len(breach.objects) == 50
    assert branch.passes(wanted, approve=True)


HARMLESS = {
    "nothing": files(*FIFTY),
    "a price": files(*FIFTY, pricing=replace(PRICING, gpu=Decimal(7))),
    "no bids": files(*FIFTY, config=Config(bidding=Bidding(enabled=False))),
    "no spending": files(*FIFTY, config=Config(suspended="moving")),
    "images denied that none has": files(*FIFTY, config=Config(images_denied=("*evil*",))),
    "one more": files(*FIFTY, workload(99)),
    "other paths": each(lambda w: replace(w, path=f"workloads/x/{w.id}.yaml")),
    "an adapter by which none runs": files(*FIFTY, adapters=cluster() | {"ansible": HOSTS}),
    "where it is, in words": each(lambda w: replace(w, adapter="")),
    "a notice for low funds": files(*FIFTY, config=Config(escrow=Escrow(low_seconds=999_999))),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_lets_all_run_on_is_not_counted(name: str) -> None:
    assert not found(files(*FIFTY), HARMLESS[name], Memory(workloads=serving(*FIFTY)))
    assert Branch.of(files(*FIFTY), Limits(removals_per_revision=0)).passes(HARMLESS[name])


def test_many_ways_at_once_count_each_workload_once() -> None:
    after = files(
        *(replace(w, paused=True, close=CloseReason.UNSTABLE, services=()) for w in FIFTY),
        config=Config(images_denied=("*",)),
        adapters=cluster(enabled=False, namespace="x"),
    )
    assert len(found(files(*FIFTY), after, Memory())) == 50


def test_what_did_not_run_before_is_not_stopped() -> None:
    for before in ("paused", "closing", "images denied", "an adapter disabled"):
        assert not found(EN_MASSE[before], files(), Memory())
        assert not found(EN_MASSE[before], files(*FIFTY), Memory())


def on_hosts(*hosts: AnsibleHost, **changes: object) -> Desired:
    there = (replace(w, adapter="ansible") for w in FIFTY)
    settings = AnsibleSettings(True, (AnsibleGroup("g", hosts),), **changes)  # type: ignore[arg-type]  # as named
    return files(*there, adapters=cluster() | {"ansible": settings})


ONE, TWO = AnsibleHost("one", "192.0.2.1"), AnsibleHost("two", "192.0.2.2")


@pytest.mark.parametrize(
    ("after", "counted"),
    [
        (on_hosts(ONE, TWO), 0),
        (on_hosts(replace(ONE, capacity=None), TWO, AnsibleHost("three", "192.0.2.3")), 0),
        (on_hosts(ONE), 50),
        (on_hosts(ONE, replace(TWO, address="198.51.100.1")), 50),
        (on_hosts(ONE, replace(TWO, port=2222)), 50),
        (on_hosts(ONE, TWO, storage="/srv"), 50),
        (replace(on_hosts(ONE, TWO), adapters=cluster()), 50),
        (replace(on_hosts(ONE, TWO), adapters={"ansible": replace(HOSTS, enabled=False)}), 50),
    ],
)
def test_a_host_that_goes_or_is_another_counts_for_all_that_may_be_there(
    after: Desired, counted: int
) -> None:
    assert len(found(on_hosts(ONE, TWO), after, Memory())) == counted


def test_longer_critical_funds_pause_and_shorter_do_not() -> None:
    def rules(seconds: int) -> Desired:
        return files(*FIFTY, config=Config(escrow=replace(PAUSING, critical_seconds=seconds)))

    assert len(found(rules(60), rules(61), Memory())) == 50
    assert not found(rules(60), rules(59), Memory())
    assert not found(rules(60), files(*FIFTY), Memory())


def test_an_approval_names_what_would_run() -> None:
    digests = set()
    for image in ("registry.example/one", "registry.example/two"):
        after = each(lambda w, image=image: with_service(w, image=image))  # type: ignore[misc]  # a default
        made = found(files(*FIFTY), after, Memory())
        digests.add(Breach("c", "removals_per_revision", "1", tuple(d.what for d in made.values())).digest)
    assert len(digests) == 2, "an approval of one image releases no other"


def test_where_no_lease_was_seen_yet_every_workload_counts() -> None:
    one = FIFTY[0].id
    assert is_served(Memory(), one)
    assert not is_served(Memory(height=HEIGHT), one)
    assert is_served(Memory(height=HEIGHT, workloads=serving(*FIFTY)), one)

"""A lease runs what its tenant's manifest says, unless the operator's file says something else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.planning.workloads import digest_of
from reconciler.values.desired import Bidding, CloseReason, Config, Env, Workload
from reconciler.values.ids import workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.manifests import AcceptedManifest, TenantManifests
from reconciler.values.memory import WorkloadMemory
from reconciler.values.messages import CloseBid
from reconciler.values.observed import WitnessView
from reconciler.values.plans import ApplyWorkload, Reason, SendTransaction
from reconciler.values.readings import Seen, Unseen
from reconciler.values.subjects import Subject
from tests.checked_cache import CheckedCache
from tests.makers import (
    HEIGHT,
    adapter,
    desired,
    lease,
    lease_id,
    market,
    planning_input,
    remembered,
    running,
    workload,
)

KEY = workload_id(lease_id())
ACCEPTED = AcceptedManifest(lease_id(), "g", "aa", workload(image="sent").services)
FILE = workload(image="own")
SENT = Workload(KEY, lease_id(), ACCEPTED.services, "kubernetes", manifest_hash="aa")
LEASE = lease(group="g", manifest_hash="aa")


def given(*files: Workload, sent: AcceptedManifest | None = ACCEPTED, **changes: Any) -> PlanningInput:
    by_workload = {KEY: sent} if sent else {}
    view = changes.pop("view", TenantManifests(by_workload, takes_more=True))
    seen = market(leases=[changes.pop("lease", LEASE)], witness=changes.pop("witness", None))
    made = planning_input(seen, desired(*files), manifests=Seen(view))
    return replace(made, **changes)


def applied(inputs: PlanningInput) -> list[Workload]:
    return [each.workload for each in plan(inputs).actions if isinstance(each, ApplyWorkload)]


def holds(inputs: PlanningInput) -> dict[Reason, str]:
    return {hold.reason: hold.message for hold in plan(inputs).holds if hold.subject.name == KEY}


@pytest.mark.parametrize(
    ("files", "image", "paused"),
    [
        ((), "sent", False),
        ((FILE,), "own", False),
        ((replace(FILE, services=()),), "sent", False),
        ((replace(FILE, services=(), paused=True),), "sent", True),
    ],
)
def test_a_file_replaces_the_manifest_as_far_as_it_goes(
    files: tuple[Workload, ...], image: str, paused: bool
) -> None:
    (found,) = applied(given(*files))
    assert (found.services[0].image, found.paused) == (image, paused)
    assert found.manifest_hash == ("aa" if image == "sent" else "")


def test_the_digest_is_the_same_without_the_secrets() -> None:
    bare, service = SENT, SENT.services[0]
    plain = replace(bare, services=(replace(service, env=(Env("A", "s3cret"),), args=("x",)),))
    assert digest_of(bare) == digest_of(plain) != digest_of(replace(bare, manifest_hash="bb"))


@pytest.mark.parametrize(
    ("changes", "reason", "text"),
    [
        ({"sent": None}, Reason.NO_MANIFEST, "has sent no manifest yet"),
        ({"lease": replace(LEASE, manifest_hash="bb")}, Reason.MANIFEST_UNUSABLE, "has hash aa"),
        ({"lease": replace(LEASE, group="other")}, Reason.MANIFEST_UNUSABLE, "has hash aa"),
        (
            {"sent": replace(ACCEPTED, services=(), fault="was changed")},
            Reason.MANIFEST_UNUSABLE,
            "was changed",
        ),
        (
            {"view": TenantManifests({KEY: replace(ACCEPTED, fault="x")}, identity_fault="no identity")},
            Reason.IDENTITY_MISSING,
            "no identity",
        ),
        ({"view": TenantManifests()}, Reason.NO_WORKLOAD_FILE, "commit workloads/"),
        ({"manifests": Unseen("being read")}, Reason.REPOSITORY_UNSEEN, "being read"),
    ],
)
@pytest.mark.parametrize("files", [(), (replace(FILE, services=()),)])
def test_what_has_no_specification_waits_and_runs_on(
    files: tuple[Workload, ...], changes: dict[str, Any], reason: Reason, text: str
) -> None:
    for adapters in (adapter(), adapter(running(SENT))):
        inputs = given(*files, **changes, adapters=adapters)
        assert text in holds(inputs)[reason]
        assert not plan(inputs).actions


def test_an_updated_deployment_runs_on_until_its_new_manifest_is_here() -> None:
    known = remembered(
        workloads={KEY: WorkloadMemory(lease_id(), "kubernetes", Phase.RUNNING, manifest_hash="aa")}
    )
    updated = replace(LEASE, manifest_hash="bb")
    inputs = given(lease=updated, memory=known, adapters=adapter(running(SENT)))
    assert "aa runs on" in holds(inputs)[Reason.NO_MANIFEST]
    assert not plan(inputs).actions
    gone = replace(inputs, adapters=adapter())
    assert [each.manifest_hash for each in applied(gone)] == ["aa"]
    new = replace(ACCEPTED, manifest_hash="bb", services=workload(image="new").services)
    changed = given(sent=new, lease=updated, memory=known, adapters=adapter(running(SENT)))
    assert [each.services[0].image for each in applied(changed)] == ["new"]
    assert plan(changed).memory.workloads[KEY].manifest_hash == "bb"


def test_a_verified_manifest_is_remembered() -> None:
    assert plan(given(adapters=adapter(running(SENT)))).memory.workloads[KEY].manifest_hash == "aa"
    assert plan(given(sent=replace(ACCEPTED, manifest_hash="cc"))).memory.workloads[KEY].manifest_hash == ""


def test_sealed_values_of_a_file_need_the_identity_too() -> None:
    service = replace(FILE.services[0], env=(Env("A", sealed="age1:x"),))
    sealed, view = replace(FILE, services=(service,)), TenantManifests(identity_fault="no identity")
    assert holds(given(sealed, view=view))[Reason.IDENTITY_MISSING] == "no identity"
    assert not applied(given(sealed, view=view))
    assert applied(given(sealed)) == [sealed]


def test_a_rewritten_branch_is_reported() -> None:
    view = TenantManifests({KEY: ACCEPTED}, rewritten="was replaced")
    found = plan(given(view=view))
    assert [hold.reason for hold in found.holds if hold.message == "was replaced"] == [
        Reason.REWRITTEN_HISTORY
    ]
    assert applied(given(view=view))


OLD = lease(group="g", manifest_hash="aa", created_at=HEIGHT - 300)


@pytest.mark.parametrize(
    ("files", "changes", "is_closed"),
    [
        ((), {}, True),
        ((), {"lease": replace(OLD, created_at=HEIGHT - 299)}, False),
        ((FILE,), {}, False),
        ((), {"sent": replace(ACCEPTED, manifest_hash="bb")}, False),
        ((), {"view": TenantManifests(takes_more=True, since=HEIGHT - 300)}, True),
        ((), {"view": TenantManifests(takes_more=True, since=HEIGHT - 299)}, False),
        (
            (),
            {"view": TenantManifests(takes_more=True, failed_at={lease_id().order.owner: HEIGHT - 299})},
            False,
        ),
        ((), {"view": TenantManifests(takes_more=True, failed_at={"another": HEIGHT})}, True),
        ((), {"view": TenantManifests(takes_more=True, is_current=False)}, False),
        ((), {"witness": WitnessView()}, False),
        ((), {"witness": WitnessView({Subject.of_lease(OLD.id): OLD})}, True),
        ((), {"witness": WitnessView({Subject.of_lease(OLD.id): None})}, False),
        (
            (),
            {"witness": WitnessView({Subject.of_lease(OLD.id): replace(OLD, created_at=HEIGHT - 9)})},
            False,
        ),
        ((), {"witness": WitnessView({Subject.of_lease(OLD.id): replace(OLD, manifest_hash="bb")})}, False),
        ((), {"view": TenantManifests()}, False),
        ((), {"manifests": Unseen("being read")}, False),
        (
            (),
            {
                "memory": remembered(
                    workloads={KEY: WorkloadMemory(lease_id(), "kubernetes", Phase.RUNNING)}
                ),
                "adapters": adapter(running(SENT)),
            },
            False,
        ),
    ],
)
def test_a_lease_without_a_manifest_is_closed_in_time(
    files: tuple[Workload, ...], changes: dict[str, Any], is_closed: bool
) -> None:
    inputs = given(*files, **{"lease": OLD, "sent": None, **changes})
    assert not changes.get("witness") or plan(inputs).memory.to_confirm == {Subject.of_lease(OLD.id)}
    sent = [
        each
        for action in plan(inputs).actions
        if isinstance(action, SendTransaction)
        for each in action.messages
    ]
    closings = [each.reason for each in sent if isinstance(each, CloseBid)]
    assert closings == ([CloseReason.MANIFEST_TIMEOUT] if is_closed else [])


def test_the_timeout_of_the_configuration() -> None:
    config = Config(bidding=Bidding(manifest_timeout_seconds=60))
    young = replace(OLD, created_at=HEIGHT - 60)
    view = TenantManifests()
    inputs = planning_input(market(leases=[young]), desired(config=config), manifests=Seen(view))
    assert any(isinstance(action, SendTransaction) for action in plan(inputs).actions)


def test_decisions_are_reused_while_their_inputs_are_the_same() -> None:
    """Each change alone, there and back, with a cache that evaluates each reused result again."""
    memory = remembered(
        workloads={KEY: WorkloadMemory(lease_id(), "kubernetes", Phase.RUNNING, manifest_hash="aa")}
    )
    new = replace(ACCEPTED, manifest_hash="bb", services=workload(image="new").services)
    sealed = replace(FILE, services=(replace(FILE.services[0], env=(Env("A", sealed="age1:x"),)),))
    worlds = [
        given(adapters=adapter(running(SENT))),
        given(),
        given(sent=new),
        given(sent=new, lease=replace(LEASE, manifest_hash="bb")),
        given(lease=replace(LEASE, manifest_hash="bb")),
        given(lease=replace(LEASE, manifest_hash="bb"), memory=memory),
        given(sent=replace(ACCEPTED, services=(), fault="changed")),
        given(view=TenantManifests({KEY: ACCEPTED}, rewritten="was replaced")),
        given(sent=None),
        given(view=TenantManifests()),
        given(manifests=Unseen("being read")),
        given(sealed),
        given(sealed, view=TenantManifests(identity_fault="no identity")),
        given(FILE),
        given(replace(FILE, services=())),
        given(sent=None, lease=OLD),
        given(market=Unseen("away"), memory=memory, adapters=adapter(running(SENT))),
    ]
    views = [
        TenantManifests({KEY: ACCEPTED}),
        TenantManifests(takes_more=True),
        TenantManifests(),
        TenantManifests(identity_fault="no identity"),
        TenantManifests({KEY: ACCEPTED}, identity_fault="no identity"),
        TenantManifests({KEY: replace(ACCEPTED, fault="one")}),
        TenantManifests({KEY: replace(ACCEPTED, fault="other")}),
    ]
    worlds += [replace(base, manifests=Seen(view)) for base in (given(), given(sealed)) for view in views]
    cache = CheckedCache()
    for world in (*worlds, *reversed(worlds)):
        assert plan(world, cache) == plan(world)

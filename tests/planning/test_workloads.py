from dataclasses import replace
from typing import Any

import pytest

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import Config, Desired, Fault
from reconciler.values.ids import workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.limits import Limits
from reconciler.values.memory import Retry, WorkloadMemory
from reconciler.values.observed import AdapterView, ObservedWorkload, State, Trouble
from reconciler.values.plans import ApplyWorkload, PrepareAdapter, Reason, RemoveWorkload
from reconciler.values.readings import Seen, Unseen
from reconciler.values.specification import ServiceVolume
from reconciler.values.subjects import EffectKey
from tests.makers import (
    HEIGHT,
    NOW,
    ROOM,
    adapter,
    capacity_of,
    desired,
    lease,
    lease_id,
    market,
    planning_input,
    remembered,
    running,
    workload,
)

FILE = workload()
KEY = workload_id(lease_id())


def leased(**changes: Any) -> PlanningInput:
    made = planning_input(market(leases=[lease()]), desired(FILE))
    return replace(made, **changes)


def reasons(given: PlanningInput) -> set[Reason]:
    return {h.reason for h in plan(given).holds if h.subject.name == KEY}


def shown(given: PlanningInput) -> list[str]:
    return [a.describe() for a in plan(given).actions]


def test_a_lease_with_a_file_and_nothing_there_is_applied() -> None:
    [action] = plan(leased()).actions
    assert isinstance(action, ApplyWorkload)
    assert (action.workload, action.why) == (FILE, "leased, not deployed")


@pytest.mark.parametrize(
    ("there", "why"),
    [
        (running(FILE), ""),
        (running(FILE, digest="old"), "its file changed"),
        (running(replace(FILE, paused=True)), "resumed in git"),
        (running(FILE, drifted=True), "changed by someone else"),
    ],
)
def test_only_differences_are_applied(there: ObservedWorkload, why: str) -> None:
    made = plan(leased(adapters=adapter(there)))
    assert [a.why for a in made.actions if isinstance(a, ApplyWorkload)] == ([why] if why else [])


def test_a_digest_that_differs_only_in_paused_is_a_pause() -> None:
    paused = replace(FILE, paused=True)
    given = replace(
        planning_input(market(leases=[lease()]), desired(paused)), adapters=adapter(running(FILE))
    )
    assert [a.why for a in plan(given).actions if isinstance(a, ApplyWorkload)] == ["paused in git"]


def test_a_deleted_file_under_an_active_lease_removes_nothing() -> None:
    given = leased(adapters=adapter(running(FILE)))
    without = replace(given, desired=planning_input(wanted=desired()).desired)
    assert plan(without).actions == ()
    assert reasons(without) == {Reason.NO_WORKLOAD_FILE}


ON_DISK = replace(FILE.services[0], volumes=(ServiceVolume("data", 1, "/data", "beta2"),))


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (desired(workload(cpu=2000)), Reason.ASKS_TOO_MUCH),
        (desired(workload(adapter="ansible")), Reason.ADAPTER_UNKNOWN),
        (
            desired(workload(image="evil/miner:1"), config=Config(images_denied=("evil/*",))),
            Reason.IMAGE_DENIED,
        ),
        (desired(workload(services=(ON_DISK,))), Reason.UNSUPPORTED),
        (desired(faults=(Fault(f"workloads/{KEY}.yaml", 3, 1, "unknown key"),)), Reason.FILE_FAULTY),
    ],
)
def test_a_file_that_may_not_be_applied_is_held(wanted: Desired, reason: Reason) -> None:
    given = planning_input(market(leases=[lease()]), wanted)
    assert plan(given).actions == ()
    assert reason in reasons(given)


def closed(first: int = 0, again: int = 0, **changes: Any) -> PlanningInput:
    memory = WorkloadMemory(lease_id(), "kubernetes", Phase.RUNNING, first, again)
    seen = market(leases=[lease(state=State.CLOSED)])
    kept = remembered(workloads={KEY: memory})
    made = planning_input(seen, desired(FILE), adapters=adapter(running(FILE)), memory=kept)
    return replace(made, **changes)


def test_removal_waits_for_two_rising_heights() -> None:
    first = plan(closed())
    assert first.actions == ()
    assert first.memory.workloads[KEY].closed_first == HEIGHT
    same_height = plan(closed(memory=first.memory))
    assert same_height.actions == ()
    [action] = plan(closed(first=HEIGHT - 1)).actions
    assert action == RemoveWorkload("kubernetes", KEY, "its lease is closed")


def test_nothing_is_removed_while_the_chain_is_unavailable() -> None:
    given = closed(first=1, again=2, market=Unseen("down"))
    assert plan(given).actions == ()


def test_nothing_is_removed_for_a_lease_that_the_chain_does_not_show() -> None:
    given = closed(first=1, again=2, market=Seen(market()))
    assert plan(given).actions == ()
    assert Reason.LEASE_NOT_FOUND in reasons(given)


def test_a_closed_lease_is_removed_though_the_repository_is_unreadable() -> None:
    given = closed(first=HEIGHT - 1, desired=Unseen("gone"))
    assert [type(a) for a in plan(given).actions] == [RemoveWorkload]


def test_removals_have_a_ceiling() -> None:
    given = closed(first=HEIGHT - 1, limits=Limits(removals_per_cycle=0))
    assert plan(given).actions == ()
    assert Reason.CEILING in reasons(given)


def test_running_workloads_are_repaired_and_none_started_while_the_chain_is_unavailable() -> None:
    kept = remembered(workloads={KEY: WorkloadMemory(lease_id(), "kubernetes", Phase.RUNNING)})
    silent = leased(market=Unseen("down"), memory=kept)
    drifted = replace(silent, adapters=adapter(running(FILE, drifted=True)))
    assert [type(a) for a in plan(drifted).actions] == [ApplyWorkload]
    assert plan(silent).actions == ()
    assert Reason.CHAIN_UNSEEN in reasons(silent)


def test_a_changed_file_waits_while_the_chain_is_unavailable() -> None:
    """Its lease may have ended meanwhile, or grant less: a repair is what ran, and nothing else."""
    kept = remembered(workloads={KEY: WorkloadMemory(lease_id(), "kubernetes", Phase.RUNNING)})
    changed = leased(market=Unseen("down"), memory=kept, adapters=adapter(running(FILE, digest="old")))
    assert plan(changed).actions == ()
    assert Reason.CHAIN_UNSEEN in reasons(changed)


def test_an_unseen_cluster_is_not_an_empty_one() -> None:
    blind = {"kubernetes": AdapterView(Unseen("connection refused"), Seen(capacity_of(ROOM)))}
    assert plan(leased(adapters=blind)).actions == ()
    assert Reason.CLUSTER_UNSEEN in reasons(leased(adapters=blind))


def test_an_authentication_failure_has_its_reason() -> None:
    refused = Unseen("answered 401: Unauthorized; refresh the kubeconfig", "AuthFailure")
    blind = {"kubernetes": AdapterView(refused, refused)}
    held = {(h.subject.name, h.reason): h.message for h in plan(leased(adapters=blind)).holds}
    assert held["kubernetes", Reason.AUTH_FAILURE] == held[KEY, Reason.AUTH_FAILURE] == refused.why
    assert Reason.CLUSTER_UNSEEN not in reasons(leased(adapters=blind))


def test_the_quota_follows_the_capacity() -> None:
    bare = {"kubernetes": AdapterView(Seen({}), Seen(capacity_of(ROOM, quota=None)))}
    actions = plan(planning_input(adapters=bare)).actions
    assert actions == (PrepareAdapter("kubernetes", ROOM),)


def test_a_refused_workload_waits_for_a_new_revision() -> None:
    retry = Retry(1, None, "Forbidden", "quota", "raise it")
    memory = remembered(retries={EffectKey.parse(f"ApplyWorkload:{KEY}"): retry})
    assert plan(leased(memory=memory)).actions == ()
    newer = replace(desired(FILE), commit="d" * 40)
    changed = leased(memory=memory, desired=planning_input(wanted=newer).desired)
    assert [type(a) for a in plan(changed).actions] == [ApplyWorkload]


def phase_after(given: PlanningInput) -> Phase:
    return plan(given).memory.workloads[KEY].phase


def test_phases_follow_what_is_seen() -> None:
    assert phase_after(leased()) is Phase.PENDING
    kept = remembered(workloads={KEY: WorkloadMemory(lease_id(), "kubernetes", Phase.PENDING)})
    starting = leased(memory=kept, adapters=adapter(running(FILE, ready=False)))
    assert phase_after(starting) is Phase.DEPLOYING
    assert phase_after(leased(memory=kept, adapters=adapter(running(FILE)))) is Phase.RUNNING
    sick = running(FILE, ready=False, trouble=Trouble("ImagePullFailed", "not found"))
    assert phase_after(leased(memory=kept, adapters=adapter(sick))) is Phase.FAILED
    idle = running(FILE, ready=False, paused=True, replicas_ready=0)
    assert phase_after(leased(memory=kept, adapters=adapter(idle))) is Phase.PAUSED


def test_phases_missed_while_away_are_filled_in() -> None:
    kept = remembered(workloads={KEY: WorkloadMemory(lease_id(), "kubernetes", Phase.PENDING)})
    made = plan(leased(memory=kept, adapters=adapter(running(FILE))))
    assert [(t.from_phase, t.to_phase) for t in made.transitions] == [
        (Phase.PENDING, Phase.DEPLOYING),
        (Phase.DEPLOYING, Phase.RUNNING),
    ]
    gone = plan(closed(first=1, again=2, adapters=adapter()))
    assert [t.to_phase for t in gone.transitions] == [Phase.STOPPING, Phase.STOPPED, Phase.TERMINATED]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("", ""),
        ("lease_closed_owner", "closed by its tenant"),
        ("lease_closed_reason_insufficient_funds", "its funds ran out"),
        ("lease_closed_reason_unspecified", ""),
    ],
)
def test_an_end_names_who_or_what_closed_the_lease(reason: str, told: str) -> None:
    ended = market(leases=[replace(lease(state=State.CLOSED), closed_reason=reason)])
    kept = remembered(workloads={KEY: WorkloadMemory(lease_id(), "kubernetes", Phase.RUNNING)})
    given = planning_input(ended, desired(FILE), memory=kept, adapters=adapter(running(FILE)))
    (step,) = plan(given).transitions
    assert (step.to_phase, step.detail) == (Phase.STOPPING, told)


def test_a_terminated_workload_is_forgotten_once_its_file_is_gone() -> None:
    done = WorkloadMemory(lease_id(), "kubernetes", Phase.TERMINATED, 1, 2)
    kept = remembered(workloads={KEY: done})
    with_file = closed(memory=kept, adapters=adapter())
    assert KEY in plan(with_file).memory.workloads
    without = replace(with_file, desired=planning_input(wanted=desired()).desired)
    assert KEY not in plan(without).memory.workloads
    (told,) = plan(without).transitions
    assert (told.workload, told.from_phase, told.to_phase) == (KEY, Phase.TERMINATED, Phase.TERMINATED)
    assert (told.trigger, told.detail) == ("its file was removed", "it is forgotten")


def test_the_age_of_an_order_is_no_reason_to_touch_anything() -> None:
    assert shown(leased(adapters=adapter(running(FILE)), now=NOW + 1)) == []

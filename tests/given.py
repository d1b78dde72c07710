"""A scenario's `given.yaml` to the inputs of one cycle; what it does not say is as tests/makers.py has it.

Keys, all but `case` optional; `dseq` numbers a tenant's deployment:

    case          one sentence
    repository    file -> text, read as the repository is; beside it the good files of the template of makers
    applied       the same for the commit applied before (its good files go on)
    rewritten     true: the newest commit does not descend from the one applied
    orders        dseq, and any of price, cpu, count, denom, attributes, group_state, deployment_state
    bids          dseq, and `order`: the state of its order by now
    leases        dseq, and any of rate, state, usage_billed, funds (uve still in escrow 100 blocks ago)
    escrows       dseq, balance, and any of state, ends_in, depositor, other_denoms: a settlement escrow for
                  our lease, active if nothing else is said
    files         dseq, and any of image, cpu, paused: a workload file in the newest commit
    files_before  the same in the commit applied before; without it as in the newest
    approved      limits whose passing the host's owner has approved
    running       dseq, and any of ready, paused, drifted: what the cluster runs, of its file before, if any
    remembered    dseq, phase, closed_first, and usage: {billed_ago, metered (uve), blocks, unfunded_ago}
    room          cpu_milli, memory_mb of the cluster's one node
    chain_unseen  why the chain cannot be seen in this cycle
    limits        of the host file
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from reconciler.cycle.object_views import object_views
from reconciler.cycle.planned_cycle import PlannedCycle
from reconciler.cycle.snapshot import status_of
from reconciler.documents.desired import DesiredReader
from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.approvals import Approval
from reconciler.values.desired import Desired, Revision, Revisions, Workload
from reconciler.values.ids import workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.limits import Limits
from reconciler.values.memory import MeteredService, UsageMemory, WorkloadMemory
from reconciler.values.observed import Market, OrderSettlement, SettlementEscrow, State
from reconciler.values.readings import Seen, Unseen
from reconciler.values.repository import Commit
from reconciler.values.resources import MB, Resources
from reconciler.values.views import PublishedStatus
from tests import makers
from tests.makers import ALICE, NOW, US

Tree = dict[str, Any]

KEYS = frozenset(line.split()[0] for line in __doc__.splitlines() if line.startswith("    "))
FILES = {
    "config.yaml": "kind: Config\n",
    "pricing.yaml": "pricing: {cpu_millicores: 1uve, memory_mb: 1uve, storage_mb: 0.1uve, gpu: 1000uve, "
    "profit_margin: 0.15}\n",
    "adapters/kubernetes.yaml": "network_policy: other\n",
}
"""The same as makers.PRICING and the defaults."""


@dataclass(frozen=True)
class Case:
    """A case as it is planned and published; `wanted` is what its newest commit asks for."""

    inputs: PlanningInput
    wanted: Desired
    seen: Market

    def planned(self) -> PlannedCycle:
        """The inputs with its plan."""
        return PlannedCycle(self.inputs, plan(self.inputs))

    def status(self) -> PublishedStatus | None:
        """What is published; the chain that is unseen now was seen in the cycle before."""
        before = replace(self.inputs, market=Seen(self.seen))
        last = PlannedCycle(before, plan(before))
        published = status_of("first", last, object_views(last), None)
        return status_of("first", self.planned(), object_views(self.planned()), published)


def case_of(given: Tree) -> Case:
    """The case that a `given.yaml` describes; AssertionError names a key that it cannot have."""
    assert not (odd := given.keys() - KEYS), f"given.yaml knows no {sorted(odd)}"
    files = {each["dseq"]: _workload(each) for each in given.get("files", [])}
    reader = DesiredReader(US)
    before = _read(reader, given.get("applied", {}), {}, "a" * 40)
    wanted = _read(reader, given.get("repository", {}), before.valid_blobs, "c" * 40)
    wanted = replace(wanted, workloads={w.id: w for w in files.values()})
    earlier = {each["dseq"]: _workload(each) for each in given.get("files_before", [])} or files
    before = replace(before, workloads={w.id: w for w in earlier.values()})
    newest = Revision(wanted, descends=not given.get("rewritten", False))
    market = _market(given)
    running = [_running(each, earlier) for each in given.get("running", [])]
    room = given.get("room", {})
    node = Resources(
        room.get("cpu_milli", 8_000), room.get("memory_mb", 16_384) * MB, makers.ROOM.storage_bytes
    )
    inputs = makers.planning_input(
        Unseen(given["chain_unseen"]) if "chain_unseen" in given else market,
        Seen(Revisions(newest, Revision(before))),
        adapters=makers.adapter(*running, room=node),
        memory=makers.remembered(
            applied=before.commit,
            workloads={workload_id(makers.lease_id(r["dseq"])): _memory(r) for r in _recalled(given)},
            usage={makers.lease_id(r["dseq"]): _usage(r["usage"]) for r in _recalled(given) if "usage" in r},
            pricing=makers.PRICING,
        ),
        limits=Limits(**given.get("limits", {})),
    )
    return Case(_approved(inputs, given.get("approved", [])), wanted, market)


def _approved(inputs: PlanningInput, limits: list[str]) -> PlanningInput:
    """The inputs once the owner has approved what waits for these limits' sake."""
    waiting = {each.limit: each for each in plan(inputs).memory.approvable.values()}
    return replace(inputs, approvals=tuple(Approval(waiting[name], "olga", NOW) for name in limits))


def _recalled(given: Tree) -> list[Tree]:
    return list(given.get("remembered", []))


def _read(reader: DesiredReader, texts: Mapping[str, str], good: Mapping[str, str], commit: str) -> Desired:
    """What a commit of these files asks for, as the reader of the daemon has it."""
    contents = {path: text.encode() for path, text in (FILES | dict(texts)).items()}
    blobs = {path: hashlib.sha1(content).hexdigest() for path, content in contents.items()}
    made = Commit(commit, "Olga Operator", "A change", 0, blobs)
    return reader.desired(made, good, {blobs[path]: content for path, content in contents.items()})


def _market(given: Tree) -> Market:
    leases = [_split(each, "funds", "state", "usage_billed") for each in given.get("leases", [])]
    held, accounts = [], []
    for asked, own in leases:
        state, billed = State(own.get("state", "active")), own.get("usage_billed", False)
        lease = makers.lease(**asked, state=state, usage_billed=billed)
        held.append(lease)
        accounts.append(makers.account(lease, funds=own.get("funds", 500_000_000)))
    return makers.market(
        orders=[_order(each) for each in given.get("orders", [])],
        bids=[_bid(each) for each in given.get("bids", [])],
        leases=held,
        accounts=accounts,
        settlements={
            makers.order_id(each["dseq"]): OrderSettlement(_escrow(each)) for each in given.get("escrows", [])
        },
    )


def _order(given: Tree) -> Any:
    of_unit, own = _split(given, "dseq", "attributes", "group_state", "deployment_state")
    attributes = tuple(own.get("attributes", {}).items())
    states = {name: State(own[name]) for name in ("group_state", "deployment_state") if name in own}
    return makers.order(own["dseq"], makers.unit(**of_unit), attributes=attributes, **states)


def _bid(given: Tree) -> Any:
    order = makers.order(given["dseq"], state=State(given.get("order", "open")))
    return makers.bid(given["dseq"], of=order)


def _escrow(given: Tree) -> SettlementEscrow:
    lease = makers.lease_id(given["dseq"])
    return SettlementEscrow(
        "escrow-1",
        str(lease.order),
        str(lease),
        given.get("depositor", ALICE),
        US,
        State(given.get("state", "active")),
        given["balance"],
        NOW + given.get("ends_in", 400_000),
        NOW - 90,
        tuple(given.get("other_denoms", ())),
    )


def _workload(given: Tree) -> Workload:
    return makers.workload(**given)


def _running(given: Tree, files: Mapping[int, Workload]) -> Any:
    changes, own = _split(given, "dseq")
    return makers.running(files.get(own["dseq"]) or makers.workload(own["dseq"]), **changes)


def _memory(given: Tree) -> WorkloadMemory:
    lease = makers.lease_id(given["dseq"])
    billed = "usage" in given
    phase = Phase(given["phase"])
    return WorkloadMemory(lease, "kubernetes", phase, given.get("closed_first", 0), usage_billed=billed)


def _usage(given: Tree) -> UsageMemory:
    """What was metered until the last block, in which everything ran."""
    if "unfunded_ago" in given:
        return UsageMemory(unfunded_since=NOW - given["unfunded_ago"])
    file = makers.workload()
    services = tuple(MeteredService(s.name, s.resources, s.count) for s in file.services)
    billed_until, metered = NOW - given["billed_ago"], Decimal(str(given["metered"]))
    return UsageMemory(billed_until, metered, given["blocks"], makers.HEIGHT - 1, NOW - 1, services)


def _split(given: Tree, *names: str) -> tuple[Tree, Tree]:
    """The rest, and these keys' part."""
    return {k: v for k, v in given.items() if k not in names}, {k: given[k] for k in names if k in given}


assert Decimal(1) == makers.PRICING.cpu_millicores, "FILES and makers have the same prices"

"""The views of workloads, open bids and holds of one cycle; those of unchanged objects are reused. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from reconciler.cycle.planned_cycle import PlannedCycle
from reconciler.planning.money.settlement_escrow import records_of
from reconciler.planning.phases import trouble_of
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.addresses import public_host_of
from reconciler.values.ids import LeaseId, WorkloadId, workload_id
from reconciler.values.manifests import AcceptedManifest
from reconciler.values.memory import UsageMemory, WorkloadMemory
from reconciler.values.money import normalized
from reconciler.values.observed import Bid, Market, ObservedWorkload, State
from reconciler.values.readings import Seen, Unseen
from reconciler.values.result_cache import KeyedInput, KeyedInputs, ResultCache
from reconciler.values.times import Timestamp
from reconciler.values.views import BidView, HoldView, ManifestView, MeasuredUseView, WorkloadView


@dataclass(frozen=True, slots=True)
class ObjectViews:
    """The workloads, open bids and holds of one cycle; `published` are the workloads as the status branch has
    them.
    """

    workloads: tuple[WorkloadView, ...]
    bids: tuple[BidView, ...]
    holds: tuple[HoldView, ...]
    published: Mapping[WorkloadId, WorkloadView] = field(default_factory=dict)


def object_views(planned: PlannedCycle, results: ResultCache | None = None) -> ObjectViews:
    """Workloads and bids in the order of their ids, holds in the plan's; the same object while none differs,
    as far as `results` has those of earlier cycles.
    """
    results = results or ResultCache()
    market = planned.inputs.seen_market
    holds, by_name = _holds(planned, results)
    workloads = _workloads(planned, by_name, results)
    bids = market.bids if market else None
    open_bids = results.reuse(
        "views of open bids", (bids,), lambda: _open_bids(bids.values() if bids else ())
    )
    return results.reuse(
        "object views",
        (workloads, open_bids, holds),
        lambda: ObjectViews(tuple(workloads.values()), open_bids, holds, _published(workloads, results)),
    )


def _holds(
    planned: PlannedCycle, results: ResultCache
) -> tuple[tuple[HoldView, ...], Mapping[str, Sequence[HoldView]]]:
    """The views of the holds, and those on each subject, by its name."""
    holds = results.same("holds", planned.plan.holds)
    views = results.reuse("hold views", (holds,), lambda: tuple(map(HoldView.of, holds)))

    def by_name() -> Mapping[str, Sequence[HoldView]]:
        found: dict[str, list[HoldView]] = defaultdict(list)
        for view in views:
            found[view.subject].append(view)
        return results.same_each("holds on a name", found)

    return views, results.reuse("holds by name", (views,), by_name)


def _workloads(
    planned: PlannedCycle, holds: Mapping[str, Sequence[HoldView]], results: ResultCache
) -> Mapping[WorkloadId, WorkloadView]:
    inputs, market = planned.inputs, planned.inputs.seen_market
    memory = planned.plan.memory.workloads
    known = results.reuse("workloads in order", (memory,), lambda: dict(sorted(memory.items())))
    underfunded = {
        workload_id(each): planned.plan.funding.state_of(each) for each in planned.plan.funding.underfunded()
    }
    address = market.wallet.address if market else ""
    by_key = (
        *(KeyedInput(known), KeyedInput(underfunded), KeyedInput(holds, _workload_named)),
        KeyedInput(inputs.memory.retries, lambda key, _: (key.subject.name,)),
        KeyedInput(_accepted(inputs)),
        KeyedInput(market.leases if market else {}, lambda lease, _: (workload_id(lease),)),
        KeyedInput(
            results.reuse_values("recorded use", planned.plan.memory.usage, lambda x: x.recorded or None),
            lambda lease, _: (workload_id(lease),),
        ),
        KeyedInput(
            market.settlements if market else {}, lambda order, _: (workload_id(LeaseId(order, address)),)
        ),
        *(KeyedInput(shown) for shown in _shown(inputs)),
    )
    shared = (*sorted(inputs.adapters), market is None, _public_host(market))
    return results.reuse_each(
        "workload views",
        KeyedInputs(known, by_key, shared),
        lambda name: _workload(planned, known[name], holds),
    )


def _shown(inputs: PlanningInput) -> Iterator[Mapping[WorkloadId, ObservedWorkload]]:
    """The workloads that each adapter shows, in the order of their names."""
    for _, view in sorted(inputs.adapters.items()):
        yield view.workloads.view if isinstance(view.workloads, Seen) else {}


def _workload_named(name: str, holds: Sequence[HoldView]) -> Iterator[str]:
    """The workload that the subject of these holds names: itself, its lease, or its file."""
    match holds[0].kind:
        case "workload":
            yield name
        case "lease":
            yield workload_id(LeaseId.parse(name))
        case "file":
            yield name.removeprefix("workloads/").removesuffix(".yaml")
        case _:
            return


def _published(
    workloads: Mapping[WorkloadId, WorkloadView], results: ResultCache
) -> Mapping[WorkloadId, WorkloadView]:
    """The workloads as the status branch has them, by id; the same objects while these are equal."""
    shown = results.reuse_values("shown", workloads, _without_readiness)
    return results.same_each("published", shown)


def _without_readiness(workload: WorkloadView) -> WorkloadView:
    """The view without values that change by themselves, so that each commit reports an event."""
    holds = tuple(hold for hold in workload.holds if hold.ours and hold.subject == workload.id)
    return replace(workload, ready=False, replicas_ready=0, replicas=0, holds=holds)


def _open_bids(bids: Iterable[Bid]) -> tuple[BidView, ...]:
    """Our open bids, by id."""
    return tuple(map(_bid, sorted((b for b in bids if b.state is State.OPEN), key=lambda b: b.id)))


def _bid(bid: Bid) -> BidView:
    return BidView(
        id=str(bid.id),
        order=str(bid.id.order),
        state=bid.state,
        price_uve=normalized(bid.price),
        deposit_uve=bid.deposit,
        created_at_height=bid.created_at,
    )


def _workload(
    planned: PlannedCycle, memory: WorkloadMemory, holds: Mapping[str, Sequence[HoldView]]
) -> WorkloadView:
    subject, market = workload_id(memory.lease), planned.inputs.seen_market
    lease = market.leases.get(memory.lease) if market else None
    running = _running(planned.inputs, memory)
    file = f"workloads/{subject}.yaml"
    records = records_of(market, lease) if market and lease else ()
    host = _public_host(market)
    return WorkloadView(
        id=subject,
        lease=str(memory.lease),
        adapter=memory.adapter,
        state=memory.phase.value.lower(),
        lease_state=lease.state if lease else State.INVALID,
        price_uve=normalized(lease.price) if lease else Decimal(0),
        billing="usage" if memory.usage_billed else "lease",
        withdrawn_uve=lease.payment.withdrawn if lease else 0,
        settled_uve=sum(record.cost for record in records if record.settled),
        recorded_uve=sum(record.cost for record in records),
        measured_use=tuple(
            MeasuredUseView(each.service, each.cpu_milli, each.memory_bytes)
            for each in planned.plan.memory.usage.get(memory.lease, UsageMemory()).recorded
        ),
        funding=planned.plan.funding.state_of(memory.lease),
        file=file,
        ready=running.ready if running else False,
        replicas_ready=running.replicas_ready if running else 0,
        replicas=running.replicas if running else 0,
        trouble=trouble_of(planned.inputs, memory),
        manifest=_manifest(planned.inputs, subject),
        addresses=tuple(each.at(host) for each in memory.addresses),
        holds=tuple(hold for about in (subject, str(memory.lease), file) for hold in holds.get(about, ())),
    )


def _accepted(inputs: PlanningInput) -> Mapping[WorkloadId, AcceptedManifest]:
    return inputs.manifests.view.by_workload if isinstance(inputs.manifests, Seen) else {}


def _manifest(inputs: PlanningInput, subject: WorkloadId) -> ManifestView | None:
    found = _accepted(inputs).get(subject)
    if found is None:
        return None
    return ManifestView(
        tenant=found.lease.order.owner,
        manifest_hash=found.manifest_hash,
        accepted_at=Timestamp(found.accepted_at),
        method=found.method,
        commit=found.commit,
        fault=found.fault,
    )


def _public_host(market: Market | None) -> str:
    """The host name of our provider record; "" while it is not known."""
    return public_host_of(market.provider.host_uri) if market and market.provider else ""


def _running(inputs: PlanningInput, memory: WorkloadMemory) -> ObservedWorkload | None:
    view = inputs.adapters.get(memory.adapter)
    if view is None or isinstance(view.workloads, Unseen):
        return None
    return view.workloads.view.get(workload_id(memory.lease))

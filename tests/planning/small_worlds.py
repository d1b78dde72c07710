"""Small worlds that collide: files, machines, memory and ceilings around a small market."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import (
    CloseReason,
    Config,
    Escrow,
    OnCritical,
    Pricing,
    Service,
    Usage,
    Withdrawals,
    Workload,
)
from reconciler.values.ids import LeaseId, OrderId, WorkloadId, workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory, MeteredService, Retry, UsageMemory, WalletLedger, WorkloadMemory
from reconciler.values.observed import (
    AdapterView,
    ObservedWorkload,
)
from reconciler.values.readings import Seen
from reconciler.values.resources import MB, Resources, total
from reconciler.values.subjects import EffectKey, Subject
from tests.makers import HEIGHT, NOW, US, capacity_of, desired, planning_input, running
from tests.planning.small_markets import (
    BOB,
    MIXED,
    MOSTLY,
    SERVING,
    TRADING,
    WITH_LEASE,
    Fate,
    Fates,
    Slot,
    markets,
    slots,
)

CHEAP = Pricing(Decimal(1), Decimal(1), Decimal(1), Decimal(1), Decimal(0))
NEVER = 10**9
ALIVE = (Phase.RUNNING, Phase.PENDING, Phase.DEPLOYING, Phase.PAUSED, Phase.FAILED)


@st.composite
def files(draw: st.DrawFn, held: list[Slot]) -> list[Workload]:
    """Files for some of the leases, and for an order that is no lease."""
    made = []
    for s in held:
        if s.fate in WITH_LEASE and draw(MOSTLY if s.fate is Fate.LEASED else st.booleans()):
            service = Service("web", "web:1", Resources(draw(st.integers(1, 4)), 0, 0))
            close = None if draw(st.integers(0, 2)) else CloseReason.DECOMMISSION
            paused = not draw(MOSTLY)
            made.append(
                Workload(
                    workload_id(s.lease), s.lease, (service,), paused=paused, close=close, close_words="x"
                )
            )
    return made


@st.composite
def adapters(draw: st.DrawFn, held: list[Slot], asked: list[Workload]) -> dict[str, AdapterView]:
    """What runs: as asked, or otherwise, or being removed, and something that nobody knows."""
    by_id = {w.id: w for w in asked}
    shown: dict[WorkloadId, ObservedWorkload] = {}
    stray = LeaseId(OrderId(BOB, 9, 1, 1), US)
    for owned in [s.lease for s in held if s.fate in WITH_LEASE] + ([stray] if draw(st.booleans()) else []):
        name = workload_id(owned)
        file = by_id.get(name, Workload(name, owned, ()))
        ready = draw(st.booleans())
        as_asked = running(file, ready=ready, replicas_ready=int(ready))
        variants = [as_asked, replace(as_asked, digest="other"), replace(as_asked, drifted=True)]
        if chosen := draw(st.sampled_from([None, *variants, replace(as_asked, removing=True)])):
            shown[name] = chosen
    nodes = [Resources(4, 2 * MB, 0, 0)] * draw(st.sampled_from([10, 10, 4, 2]))
    quota = draw(st.sampled_from([total(nodes), None]))
    return {"kubernetes": AdapterView(Seen(shown), Seen(capacity_of(*nodes, quota=quota)))}


@st.composite
def memories(draw: st.DrawFn, held: list[Slot]) -> Memory:
    """Anything that the journal may hand back."""
    owned = [s.lease for s in held if s.fate in WITH_LEASE]
    known = [s for s in held if s.fate in WITH_LEASE and draw(MOSTLY)]
    kinds = st.sampled_from(["CreateBid", "CloseBid", "WithdrawLease", "RecordUsage"])
    bid_keys = st.tuples(kinds, st.sampled_from([str(s.lease) for s in held]))
    cluster_kinds = st.sampled_from(["ApplyWorkload", "RemoveWorkload"])
    cluster_keys = st.tuples(cluster_kinds, st.sampled_from([str(workload_id(s.lease)) for s in held]))
    retry_at = st.sampled_from([None, NOW - 1, NOW + 3])
    return Memory(
        applied=draw(st.sampled_from(["c" * 40, "b" * 40])),
        workloads={workload_id(s.lease): draw(workload_memory(s)) for s in known},
        usage={s.lease: draw(usage_memory(s)) for s in known},
        pricing=draw(st.sampled_from([CHEAP, None])),
        withdrawn_at={x: NOW - draw(st.integers(0, 90)) for x in owned if draw(st.booleans())},
        retries={
            EffectKey(kind, Subject.parse(subject)): Retry(1, draw(retry_at), "Refused", "no")
            for kind, subject in draw(st.lists(st.one_of(bid_keys, cluster_keys), max_size=1))
        },
        closings=tuple(draw(st.lists(st.sampled_from([NOW - 4000, NOW - 10]), max_size=2))),
        ledger=WalletLedger(
            spent=tuple((NOW - ago, 4) for ago in draw(st.lists(st.sampled_from([10, 4000]), max_size=3)))
        ),
        height=HEIGHT - 1,
        sequence=7,
        last_batch=draw(st.sampled_from(["", "market", "withdrawals"])),
    )


@st.composite
def usage_memory(draw: st.DrawFn, held: Slot) -> UsageMemory:
    """A lease whose usage was metered, or that nothing has paid for."""
    if not draw(MOSTLY):
        return UsageMemory(unfunded_since=NOW - draw(st.sampled_from([0, 5_000])))
    size = Resources(draw(st.integers(1, 4)), 0, 0)
    return UsageMemory(
        billed_until=NOW - 60,
        metered=Decimal(draw(st.integers(0, 60))),
        blocks=draw(st.integers(0, 60)),
        seen_height=HEIGHT - 2,
        seen_at=NOW - 2,
        services=(MeteredService("web", size, draw(st.integers(0, 1))),),
    )


@st.composite
def workload_memory(draw: st.DrawFn, held: Slot) -> WorkloadMemory:
    """A lease that is remembered: not yet seen closed, or once, or twice."""
    if held.fate is Fate.LEASED:
        return WorkloadMemory(held.lease, "kubernetes", draw(st.sampled_from(ALIVE)))
    heights = [(HEIGHT - 2, HEIGHT - 1), (HEIGHT - 2, 0), (0, 0), (HEIGHT, 0)]
    first, again = draw(st.sampled_from(heights))
    ended = [Phase.TERMINATED, Phase.STOPPED] if again else [Phase.STOPPING]
    return WorkloadMemory(
        held.lease, "kubernetes", draw(st.sampled_from([Phase.RUNNING, *ended])), first, again
    )


OF_BIDS: Mapping[str, tuple[int, ...]] = {
    "bids_per_cycle": (0, 1, 2),
    "spend_per_hour": (7, 13, 14, 20),
    "balance_reserve": (55, 53, 40, 7),
    "promised_per_tenant_percent": (0, 10, 25),
}
OF_LEASES: Mapping[str, tuple[int, ...]] = {
    "removals_per_cycle": (0, 1),
    "closings_per_hour": (0, 1, 2),
    "actions_per_cycle": (1, 2, 3),
    "messages_per_transaction": (1, 2),
}
FAR: Mapping[str, int] = dict.fromkeys((*OF_BIDS, *OF_LEASES), 99) | {"balance_reserve": 0}


@st.composite
def limits(draw: st.DrawFn, fates: Fates) -> Limits:
    """One ceiling that is met, the others far away."""
    near = OF_BIDS if fates == TRADING else OF_LEASES if fates == SERVING else {**OF_BIDS, **OF_LEASES}
    met = draw(st.sampled_from(sorted(near)))
    changes: Any = {**FAR, met: draw(st.sampled_from(near[met]))}
    return replace(Limits(), **changes)


def under_each_ceiling(world: PlanningInput) -> Iterator[PlanningInput]:
    """The same world, each ceiling in turn at each of its heights."""
    for name, values in {**OF_BIDS, **OF_LEASES}.items():
        for value in values:
            changes: Any = {**FAR, name: value}
            yield replace(world, limits=replace(world.limits, **changes))


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """Withdrawals and usage that fall due all the time, or by nothing but funds that end."""
    made = draw(quiet_configs())
    if draw(st.booleans()):
        return made
    return replace(made, withdrawals=Withdrawals(every_seconds=1), usage=Usage(every_seconds=1))


@st.composite
def quiet_configs(draw: st.DrawFn) -> Config:
    """Nothing falls due by the passing of time alone."""
    return Config(
        withdrawals=Withdrawals(every_seconds=NEVER),
        usage=Usage(every_seconds=NEVER, expiry_margin_seconds=60, unfunded_grace_seconds=NEVER),
        escrow=Escrow(low_seconds=30, critical_seconds=8, on_critical=draw(st.sampled_from(OnCritical))),
    )


@st.composite
def seen_worlds(
    draw: st.DrawFn, fates: Fates = (), config: st.SearchStrategy[Config] | None = None
) -> PlanningInput:
    """Everything seen, nothing on its way."""
    of = fates or draw(st.sampled_from([MIXED, TRADING, SERVING]))
    held = draw(slots(of))
    asked = draw(files(held))
    wanted = desired(*asked, pricing=CHEAP, config=draw(config if config is not None else configs()))
    return planning_input(
        draw(markets(held)),
        wanted,
        adapters=draw(adapters(held, asked)),
        memory=draw(memories(held)),
        limits=draw(limits(of)),
        sends_notices=draw(st.booleans()),
    )

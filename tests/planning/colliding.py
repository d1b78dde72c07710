"""Small worlds that collide: files, machines, memory and ceilings around a small market."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import strategies as st

from reconciler.planning.situation import Situation
from reconciler.values.desired import (
    CloseReason,
    Config,
    Desired,
    Pricing,
    Service,
    Usage,
    Withdrawals,
    Workload,
)
from reconciler.values.ids import LeaseId, OrderId, WorkloadId, workload_id
from reconciler.values.intents import Intent
from reconciler.values.lifecycle import Phase
from reconciler.values.limits import Limits
from reconciler.values.memory import Ledger, Memory, Retry, UsageMemory, WorkloadMemory
from reconciler.values.messages import CloseBid
from reconciler.values.observed import (
    AdapterView,
    Capacity,
    Running,
)
from reconciler.values.readings import Seen, Unseen
from reconciler.values.resources import MB, Resources
from tests.makers import ALICE, HEIGHT, NOW, US, desired, running, situation
from tests.planning.colliding_chain import BOB, MOSTLY, RARELY, WITH_LEASE, Fate, Slot, markets, slots

CHEAP = Pricing(Decimal(1), Decimal(1), Decimal(1), Decimal(1), Decimal(0))
NEVER = 10**9
ALIVE = (Phase.RUNNING, Phase.PENDING, Phase.DEPLOYING, Phase.PAUSED, Phase.FAILED)


@st.composite
def files(draw: st.DrawFn, held: list[Slot]) -> list[Workload]:
    """Files for some of the leases, and for an order that is no lease."""
    made = []
    for s in held:
        if draw(MOSTLY if s.fate in WITH_LEASE else RARELY):
            service = Service("web", "web:1", Resources(draw(st.integers(1, 4)), 0, 0))
            close = None if draw(MOSTLY) else CloseReason.DECOMMISSION
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
    shown: dict[WorkloadId, Running] = {}
    stray = LeaseId(OrderId(BOB, 9, 1, 1), US)
    for owned in [s.lease for s in held if s.fate in WITH_LEASE] + ([stray] if draw(st.booleans()) else []):
        name = workload_id(owned)
        file = by_id.get(name, Workload(name, owned, ()))
        ready = draw(st.booleans())
        as_asked = running(file, ready=ready, replicas_ready=int(ready))
        variants = [as_asked, replace(as_asked, digest="other"), replace(as_asked, drifted=True)]
        if chosen := draw(st.sampled_from([None, *variants, replace(as_asked, removing=True)])):
            shown[name] = chosen
    room = Resources(draw(st.integers(0, 40)), draw(st.integers(0, 20)) * MB, 0, 0)
    node = Resources(4, 2 * MB, 0, 0)
    return {
        "kubernetes": AdapterView(
            Seen(shown), Seen(Capacity(room, (node,), draw(st.sampled_from([room, None]))))
        )
    }


@st.composite
def memories(draw: st.DrawFn, held: list[Slot]) -> Memory:
    """Anything that the journal may hand back."""
    owned = [s.lease for s in held if s.fate in WITH_LEASE]
    known = [s for s in held if s.fate in WITH_LEASE and draw(MOSTLY)]
    kinds = st.sampled_from(["CreateBid", "CloseBid", "WithdrawLease", "RecordUsage"])
    bid_keys = st.tuples(kinds, st.sampled_from([str(s.lease) for s in held] or ["x"]))
    cluster_kinds = st.sampled_from(["ApplyWorkload", "RemoveWorkload"])
    cluster_keys = st.tuples(
        cluster_kinds, st.sampled_from([str(workload_id(s.lease)) for s in held] or ["x"])
    )
    next_try = st.sampled_from([0, NOW - 1, NOW + 3])
    return Memory(
        applied=draw(st.sampled_from(["c" * 40, "b" * 40])),
        workloads={workload_id(s.lease): draw(workload_memory(s)) for s in known},
        usage={s.lease: UsageMemory(NOW - 60, draw(st.integers(0, 60)), NOW - 2, 0) for s in known},
        withdrawn_at={x: NOW - draw(st.integers(0, 90)) for x in owned if draw(st.booleans())},
        retries={
            f"{kind}:{subject}": Retry(1, draw(next_try), "Refused", "no")
            for kind, subject in draw(st.lists(st.one_of(bid_keys, cluster_keys), max_size=3))
        },
        closings=tuple(draw(st.lists(st.sampled_from([NOW - 4000, NOW - 10]), max_size=2))),
        ledger=Ledger(
            spent=tuple((NOW - ago, 4) for ago in draw(st.lists(st.sampled_from([10, 4000]), max_size=3)))
        ),
        height=HEIGHT - 1,
        sequence=None if draw(RARELY) else 7,
        hold_until_height=HEIGHT + 3 if draw(RARELY) else 0,
        last_lane=draw(st.sampled_from(["", "market", "withdrawals"])),
    )


@st.composite
def workload_memory(draw: st.DrawFn, held: Slot) -> WorkloadMemory:
    """A lease that is remembered: not yet seen closed, or once, or twice."""
    if held.fate is Fate.LEASED:
        return WorkloadMemory(held.lease, "kubernetes", draw(st.sampled_from(ALIVE)))
    phase = draw(st.sampled_from([*ALIVE, Phase.STOPPING, Phase.STOPPED, Phase.TERMINATED]))
    heights = [(HEIGHT - 2, 0), (HEIGHT - 2, HEIGHT - 1), (0, 0), (HEIGHT, 0)]
    return WorkloadMemory(held.lease, "kubernetes", phase, *draw(st.sampled_from(heights)))


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    """Ceilings that are met."""
    return Limits(
        messages_per_transaction=draw(st.integers(1, 4)),
        bids_per_cycle=draw(st.integers(0, 3)),
        spend_per_hour=draw(st.integers(0, 60)),
        balance_reserve=draw(st.integers(0, 5)),
        removals_per_cycle=draw(st.integers(0, 2)),
        closings_per_hour=draw(st.integers(0, 2)),
        actions_per_cycle=draw(st.sampled_from([1_000, 3, 1])),
        observe_only=draw(RARELY),
    )


@st.composite
def configs(draw: st.DrawFn) -> Config:
    often = draw(st.sampled_from([1, NEVER]))
    return Config(
        withdrawals=Withdrawals(every_seconds=often),
        usage=Usage(every_seconds=often, expiry_margin_seconds=60),
    )


def quiet_configs() -> st.SearchStrategy[Config]:
    """Nothing falls due by the passing of time alone."""
    usage = Usage(every_seconds=NEVER, expiry_margin_seconds=60)
    return st.just(Config(withdrawals=Withdrawals(every_seconds=NEVER), usage=usage))


@st.composite
def seen_worlds(draw: st.DrawFn, config: st.SearchStrategy[Config] | None = None) -> Situation:
    """Everything seen, nothing on its way."""
    held = draw(slots())
    asked = draw(files(held))
    wanted = desired(*asked, pricing=CHEAP, config=draw(config if config is not None else configs()))
    return situation(
        draw(markets(held)),
        wanted,
        adapters=draw(adapters(held, asked)),
        memory=draw(memories(held)),
        limits=draw(limits()),
    )


@st.composite
def worlds(draw: st.DrawFn) -> Situation:
    """The same with silent sources and a transaction on its way now and then."""
    made = draw(seen_worlds())
    view = made.adapters["kubernetes"]
    silent = Unseen("it does not answer")
    if draw(RARELY):
        view = replace(view, workloads=silent)
    if draw(RARELY):
        view = replace(view, capacity=silent)
    made = replace(made, adapters={"kubernetes": view})
    if draw(RARELY):
        made = replace(made, desired=draw(st.sampled_from([silent, situation(wanted=bare()).desired])))
    if draw(RARELY):
        made = replace(made, market=silent)
    return replace(made, intents=(draw(intents()),) if draw(RARELY) else ())


def bare() -> Desired:
    """A commit in which nothing could be read."""
    return replace(desired(), config=None, pricing=None, kubernetes=None)


@st.composite
def intents(draw: st.DrawFn) -> Intent:
    message = CloseBid(LeaseId(OrderId(ALICE, 1, 1, 1), US), CloseReason.UNSPECIFIED)
    signed_at = HEIGHT - draw(st.integers(0, 3))
    return Intent("AB" * 32, b"tx", (message,), 2, 7, HEIGHT + 9, signed_at)

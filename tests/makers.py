"""Small values for tests: a market, orders, leases and adapters that read like sentences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from reconciler.planning.planning_input import PlanningInput
from reconciler.planning.workloads import digest_of
from reconciler.values.adapters import KUBERNETES
from reconciler.values.clusters import KubernetesSettings, NetworkPolicyController
from reconciler.values.desired import Config, Desired, Pricing, Revision, Revisions, Service, Workload
from reconciler.values.ids import LeaseId, OrderId, workload_id
from reconciler.values.limits import Limits
from reconciler.values.machines import Capacity, Machine
from reconciler.values.memory import Memory, WalletLedger
from reconciler.values.observed import (
    AdapterView,
    Bid,
    ChainParams,
    EscrowAccount,
    Lease,
    Market,
    ObservedWorkload,
    Order,
    Payment,
    ProviderRecord,
    State,
    Wallet,
)
from reconciler.values.readings import Reading, Seen
from reconciler.values.resources import MB, Attribute, Resources, ResourceUnit, Volume, total

US = "ve1us"
ALICE = "ve1alice"
NOW = 1_800_000_000
HEIGHT = 1_000

PRICING = Pricing(Decimal(1), Decimal(1), Decimal("0.1"), Decimal(1000), Decimal("0.15"))


def order_id(dseq: int = 1, owner: str = ALICE) -> OrderId:
    return OrderId(owner, dseq, 1, 1)


def lease_id(dseq: int = 1, owner: str = ALICE) -> LeaseId:
    return LeaseId(order_id(dseq, owner), US)


def unit(price: int | str = 4000, cpu: int = 1000, count: int = 1, **changes: Any) -> ResourceUnit:
    made = ResourceUnit(
        id=1,
        count=count,
        cpu_milli=cpu,
        memory_bytes=1024 * MB,
        storage=(Volume("default", 1024 * MB),),
        gpu=0,
        price=Decimal(price),
        denom="uve",
    )
    return replace(made, **changes)


def order(dseq: int = 1, *units: ResourceUnit, attributes: Iterable[Attribute] = (), **changes: Any) -> Order:
    made = Order(
        id=order_id(dseq),
        state=State.OPEN,
        units=units or (unit(),),
        created_at=HEIGHT - 5,
        group_state=State.OPEN,
        deployment_state=State.ACTIVE,
        attributes=tuple(attributes),
    )
    return replace(made, **changes)


def bid(dseq: int = 1, of: Order | None = None, **changes: Any) -> Bid:
    made = Bid(lease_id(dseq), State.OPEN, Decimal(2446), HEIGHT - 3, 500_000, of or order(dseq))
    return replace(made, **changes)


def lease(dseq: int = 1, rate: int | str = 2446, **changes: Any) -> Lease:
    key = lease_id(dseq)
    payment = Payment(key, State.OPEN, Decimal(rate), Decimal(0), Decimal(0), 0)
    made = Lease(key, State.ACTIVE, Decimal(rate), HEIGHT - 100, 0, payment, (unit(),))
    return replace(made, **changes)


def account(*leases: Lease, funds: int = 500_000_000, settled_at: int = HEIGHT - 100) -> EscrowAccount:
    payments = tuple(sorted((x.payment for x in leases), key=lambda p: p.lease.payment_xid))
    return EscrowAccount(leases[0].id.deployment, State.OPEN, settled_at, Decimal(funds), payments)


def market(
    *,
    orders: Iterable[Order] = (),
    bids: Iterable[Bid] = (),
    leases: Iterable[Lease] = (),
    accounts: Iterable[EscrowAccount] = (),
    **changes: Any,
) -> Market:
    held = tuple(leases)
    found = tuple(accounts) or tuple(account(x) for x in held)
    made = Market(
        chain_id="test-1",
        height=HEIGHT,
        time=NOW,
        block_seconds=Decimal(1),
        rules=ChainParams(),
        wallet=Wallet(US, 4, 7, 10_000_000),
        provider=ProviderRecord(US, "https://p.example", (("region", "eu"), ("billing", "usage"))),
        orders={o.id: o for o in orders},
        bids={b.id: b for b in bids},
        leases={x.id: x for x in held},
        accounts={a.deployment: a for a in found},
    )
    return replace(made, **changes)


CLUSTER = KubernetesSettings(network_policy=NetworkPolicyController.OTHER)


def workload(dseq: int = 1, image: str = "web", cpu: int = 500, **changes: Any) -> Workload:
    key = lease_id(dseq)
    service = Service("web", image, Resources(cpu, 256 * MB, 512 * MB))
    made = Workload(workload_id(key), key, (service,), KUBERNETES, path=f"workloads/{workload_id(key)}.yaml")
    return replace(made, **changes)


def desired(*workloads: Workload, pricing: Pricing | None = PRICING, **changes: Any) -> Desired:
    made = Desired(
        commit="c" * 40,
        config=Config(),
        pricing=pricing,
        adapters={KUBERNETES: CLUSTER},
        workloads={w.id: w for w in workloads},
    )
    return replace(made, **changes)


def running(of: Workload, **changes: Any) -> ObservedWorkload:
    made = ObservedWorkload(
        of.id, of.lease, digest_of(of), paused=of.paused, ready=True, replicas_ready=1, replicas=1
    )
    made = replace(made, **changes)
    if made.ready and not changes.keys() & {"ready_by_service"}:
        return replace(made, ready_by_service=tuple((s.name, s.count) for s in of.services))
    return made


ROOM = Resources(8_000, 16_384 * MB, 102_400 * MB, 0)


def adapter(*workloads: ObservedWorkload, room: Resources = ROOM) -> dict[str, AdapterView]:
    return {"kubernetes": AdapterView(Seen({w.id: w for w in workloads}), Seen(capacity_of(room)))}


def capacity_of(*offered: Resources, **changes: Any) -> Capacity:
    """Machines m0, m1 ... that offer this, with their quota set."""
    machines = tuple(Machine(f"m{number}", each) for number, each in enumerate(offered))
    return replace(Capacity(machines, total(list(offered))), **changes)


def remembered(**changes: Any) -> Memory:
    made = Memory(
        applied="c" * 40,
        ledger=WalletLedger(started_with=10_000_000, balance=10_000_000),
        height=HEIGHT,
        sequence=7,
    )
    return replace(made, **changes)


def planning_input(
    seen: Market | Reading[Market] | None = None,
    wanted: Desired | Reading[Revisions] | None = None,
    **changes: Any,
) -> PlanningInput:
    chain = Seen(seen) if isinstance(seen, Market) else seen or Seen(market())
    asked = wanted if wanted is not None else desired()
    reading: Reading[Revisions] = Seen(Revisions(Revision(asked))) if isinstance(asked, Desired) else asked
    made = PlanningInput(NOW, reading, chain, adapter(), remembered(), Limits())
    return replace(made, **changes)


def has_errors(desired: Desired) -> bool:
    """Whether any file has a fault that is no warning."""
    return any(not fault.warning for fault in desired.faults)

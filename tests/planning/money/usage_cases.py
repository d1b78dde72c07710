"""A lease that is billed by usage: its escrow, what was metered, and what runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import Desired, Workload
from reconciler.values.memory import MeteredService, UsageMemory
from reconciler.values.observed import (
    AdapterView,
    Lease,
    OrderSettlement,
    SettlementEscrow,
    State,
    UsageRecord,
)
from tests.makers import (
    ALICE,
    HEIGHT,
    NOW,
    PRICING,
    US,
    account,
    adapter,
    desired,
    lease,
    lease_id,
    market,
    order_id,
    planning_input,
    remembered,
    running,
    workload,
)

FILE = workload()
RATE = 929 - 1
"""The price of a block of FILE, less what the lease pays for it."""


def escrow(**changes: Any) -> SettlementEscrow:
    """An escrow that pays for days."""
    made = SettlementEscrow(
        *("escrow-1", str(order_id()), str(lease_id()), ALICE, US, State.ACTIVE),
        balance=900_000_000,
        expires_at=NOW + 400_000,
        activated_at=NOW - 9_000,
    )
    return replace(made, **changes)


def side_of(escrow: SettlementEscrow, *records: UsageRecord) -> OrderSettlement:
    """An order's escrow and its usage records."""
    return OrderSettlement(escrow, records)


def billed(**changes: Any) -> Lease:
    """A lease that is billed by usage, at one uve a block of its own."""
    return lease(rate=1, usage_billed=True, **changes)


def metered(uve: str = "100000", file: Workload = FILE, **changes: Any) -> UsageMemory:
    """What was metered until the last block, in which everything ran."""
    services = tuple(MeteredService(s.name, s.resources, s.count) for s in file.services)
    made = UsageMemory(NOW - 40, Decimal(uve), 40, HEIGHT - 1, NOW - 1, services)
    return replace(made, **changes)


def usage_case(
    side: OrderSettlement | None = None,
    usage: UsageMemory | None = None,
    *,
    wanted: Desired | None = None,
    lease: Lease | None = None,
    adapters: Mapping[str, AdapterView] | None = None,
    **changes: Any,
) -> PlanningInput:
    """One such lease; `changes` are those of the market."""
    one = lease or billed()
    seen = market(
        leases=[one],
        accounts=[account(one, settled_at=HEIGHT - 100)],
        settlements={order_id(): side or side_of(escrow())},
        **changes,
    )
    kept = remembered(usage={lease_id(): usage or metered()}, pricing=PRICING)
    shown = adapter(running(FILE)) if adapters is None else adapters
    return planning_input(seen, wanted or desired(FILE), adapters=shown, memory=kept)

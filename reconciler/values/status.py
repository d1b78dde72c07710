"""What is published about our own objects: semantic state, no heights, no heartbeats, no counters."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from reconciler.values.funding import Funding
from reconciler.values.ids import LeaseId, WorkloadId
from reconciler.values.lifecycle import Phase
from reconciler.values.observed import State, Trouble


@dataclass(frozen=True, slots=True, order=True)
class Notice:
    """A hold, as it is published: reason and sentence, without figures that change by themselves."""

    subject: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class WorkloadStatus:
    """One workload: `price` in uve a block is its lease's, `billing` is `lease` or `usage`; `withdrawn` and
    `settled` are what its lease and its usage have paid out, gross uve.
    """

    id: WorkloadId
    lease: LeaseId
    adapter: str
    phase: Phase
    lease_state: State
    price: Decimal
    billing: str = "lease"
    withdrawn: int = 0
    settled: int = 0
    funding: Funding = Funding.HEALTHY
    trouble: Trouble | None = None
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class BidStatus:
    """One open bid of ours: its price in uve a block, its deposit in uve."""

    id: LeaseId
    state: State
    price: Decimal
    deposit: int


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that the status branch shows.

    `revision` is the applied commit; `faults` its unreadable places; `notices` holds of no one object.
    """

    provider: str
    address: str
    chain_id: str
    revision: str
    workloads: tuple[WorkloadStatus, ...] = ()
    bids: tuple[BidStatus, ...] = ()
    notices: tuple[Notice, ...] = ()
    faults: tuple[str, ...] = ()

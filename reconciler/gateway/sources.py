"""What the tenants' listener reads, and where it submits manifests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.gateway.chain_lookup import ChainLookup
from reconciler.gateway.counters import GatewayCounters
from reconciler.gateway.lease_directory import LeaseDirectory
from reconciler.gateway.submissions import Submissions
from reconciler.ports import Inspector


@dataclass(frozen=True, slots=True)
class GatewaySources:
    """What the routes use: the last cycle's leases, the chain, submissions, and adapters by name; `now` gives
    Unix seconds.
    """

    leases: LeaseDirectory
    lookup: ChainLookup
    submissions: Submissions
    inspectors: Mapping[str, Inspector]
    chain_id: str
    now: Callable[[], int]
    counters: GatewayCounters = field(default_factory=GatewayCounters)

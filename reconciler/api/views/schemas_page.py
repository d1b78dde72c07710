"""What the page at `/` shows, in one answer; it comes again with each cycle as a server-sent event."""

from __future__ import annotations

from reconciler.api.views.schemas import (
    ChainShape,
    CountsShape,
    CycleShape,
    IntentShape,
    MoneyShape,
    ReadingShape,
    RevisionsShape,
    Shape,
    TroubleShape,
)
from reconciler.api.views.schemas_market import FundingShape


class TileShape(Shape):
    """A workload in the page's list."""

    id: str
    tenant: str
    state: str
    price_uve: str
    ready: bool
    replicas_ready: int
    replicas: int
    trouble: TroubleShape | None
    funding: FundingShape | None
    """null: its lease is not active."""
    held: list[str]
    """Why effects on it are withheld."""


class HoldGroupShape(Shape):
    """Effects that are withheld for one reason."""

    reason: str
    count: int
    ours: bool
    """Whether any of them is on what is ours."""
    examples: list[HeldShape]
    """At most 5."""


class HeldShape(Shape):
    """One of them."""

    subject: str
    message: str


class PointShape(Shape):
    """The books at one time, in uve."""

    at: int
    """Unix seconds."""
    balance: int
    earned: int
    accrued: int


class CommitShape(Shape):
    """A commit that this daemon has seen or made."""

    id: str
    at: str | None
    subject: str
    author: str


class ResourcesShape(Shape):
    """Amounts of what machines have."""

    cpu_milli: int
    memory_bytes: int
    storage_bytes: int
    gpu: int


class CapacityShape(Shape):
    """What the machines offer, what of it we sell, and what is promised."""

    offered: ResourcesShape
    sellable: ResourcesShape
    promised: ResourcesShape


class FundsShape(Shape):
    """Leases by the state of their escrow, and the shortest time left."""

    states: dict[str, int]
    least_seconds_left: int | None


class OverviewAnswer(Shape):
    """`GET /api/v1/overview` and each event of `GET /api/v1/stream`."""

    at: int
    """When this was made, in unix seconds of the daemon's host."""
    provider: str
    address: str
    chain: ChainShape
    revisions: RevisionsShape
    observe_only: bool
    spending_stopped: bool
    draining: bool
    troubles: list[TroubleShape]
    """Of the daemon itself."""
    counts: CountsShape
    money: MoneyShape
    income_uve_a_block: str
    """Of all active leases."""
    funds: FundsShape
    capacity: CapacityShape | None
    cycle: CycleShape | None
    readings: list[ReadingShape]
    intents: list[IntentShape]
    workloads: list[TileShape]
    """The 200 that need looking at most, those in trouble first."""
    workloads_total: int
    holds: list[HoldGroupShape]
    """Those on what is ours first."""
    course: list[PointShape]
    """Money since the daemon started, oldest first."""
    desired_commits: list[CommitShape]
    """Newest first, those seen since the daemon started."""
    published_commits: list[CommitShape]
    """Newest first, those seen since the daemon started."""


HoldGroupShape.model_rebuild()

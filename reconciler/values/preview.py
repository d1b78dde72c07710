"""The preview of a change before it is merged."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from reconciler.values.desired import Fault
from reconciler.values.ids import OrderId, WorkloadId
from reconciler.values.plans import Hold, Plan, Reason
from reconciler.values.resources import Resources


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One key of a file, by its dotted name; "" is an absent key."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file that differs: `verb` is added, removed, changed or renamed (then `was` is its old path)."""

    path: str
    verb: str
    was: str = ""
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkloadChange:
    """A changed workload, and the kind of change."""

    id: WorkloadId
    path: str
    verb: str


@dataclass(frozen=True, slots=True)
class Quote:
    """The revenue of a lease at our prices: uve per block, hour and 30 days; `net` is that of 30 days after
    the chain's take and all fees, `break_even_seconds` the time to earn back the fees (None: never).
    """

    rate: Decimal
    hour: Decimal
    month: Decimal
    net: int
    break_even_seconds: int | None


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one reference order before and after; None where no prices could be read."""

    name: str
    resources: Resources
    old: Quote | None
    new: Quote | None


@dataclass(frozen=True, slots=True)
class BidDecision:
    """The decision on an open order: a bid of so many uve per block, or none for a reason; neither:
    undecided.
    """

    bid: Decimal | None = None
    reason: Reason | None = None
    message: str = ""

    @property
    def key(self) -> tuple[Decimal | None, Reason | None]:
        """Equal for decisions that differ only in their message."""
        return self.bid, self.reason


@dataclass(frozen=True, slots=True)
class OrderChange:
    """An open order whose decision changes."""

    order: OrderId
    old: BidDecision
    new: BidDecision


@dataclass(frozen=True, slots=True)
class PriceMove:
    """An open order, or a lease billed by usage, whose price at our tables changes; uve a block (None: not in
    force).
    """

    subject: str
    id: str
    old: Decimal | None
    new: Decimal | None


@dataclass(frozen=True, slots=True)
class FreeCapacity:
    """The total capacity for leases, and what is free after the plan's bids."""

    usable: Resources
    free: Resources


@dataclass(frozen=True, slots=True)
class PreviewBasis:
    """The basis of a preview: height and time (unix seconds) of the snapshot, and its applied commit."""

    provider: str
    chain_id: str
    height: int
    taken_at: int
    applied: str


@dataclass(frozen=True, slots=True)
class Costs:
    """Deductions from the price: the chain's take in percent, the fees of a lease of 30 days in uve; and the
    measured block time in seconds.
    """

    take_percent: int
    month_fees: int
    block_seconds: Decimal


@dataclass(frozen=True, slots=True)
class Preview:
    """A change from commit `base` to commit `head`, with the plan of each; `rooms` are those before and
    after, None where no capacity is known.

    `prices`, `orders` and `moves` hold only changes, `orders_open` counts all. `ceilings` are limits of the
    host file that the change reaches, `warnings` concern money, `notes` the preview's reliability.
    """

    basis: PreviewBasis
    base: str
    head: str
    before: Plan
    after: Plan
    costs: Costs
    files: tuple[FileChange, ...] = ()
    prices: tuple[Price, ...] = ()
    orders: tuple[OrderChange, ...] = ()
    moves: tuple[PriceMove, ...] = ()
    workloads: tuple[WorkloadChange, ...] = ()
    orders_open: int = 0
    bids_open: int = 0
    rooms: tuple[FreeCapacity | None, FreeCapacity | None] = (None, None)
    ceilings: tuple[Hold, ...] = ()
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether any of the provider's files differs."""
        return bool(self.files)

    @property
    def is_admitted(self) -> bool:
        """Whether the changed revision would be in force, not another one in its place."""
        return self.after.revision == self.head

    @property
    def withheld(self) -> tuple[Hold, ...]:
        """Holds on our own objects that are not limits of the host file."""
        known = {(hold.subject, hold.reason) for hold in (*self.before.holds, *self.ceilings)}
        return tuple(h for h in self.after.holds if h.ours and (h.subject, h.reason) not in known)

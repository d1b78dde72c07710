"""What a change of the repository would bring about, worked out before it is merged."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from reconciler.values.desired import Fault
from reconciler.values.ids import OrderId, WorkloadId
from reconciler.values.plans import Hold, Plan, Reason
from reconciler.values.resources import Resources


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One key of a file, by its dotted name; "" stands for a key that is not there."""

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
    """One workload that is asked for otherwise, and in one word how."""

    id: WorkloadId
    path: str
    verb: str


@dataclass(frozen=True, slots=True)
class Quote:
    """What a lease at our prices brings: uve a block, an hour and 30 days; `net` is what 30 days leave of it
    after the chain's take and all fees, `break_even_seconds` when its fees are earned back (None: never).
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
    """What becomes of an open order: a bid of so many uve a block, or none, for a reason; neither: nothing
    is decided about it.
    """

    bid: Decimal | None = None
    reason: Reason | None = None
    message: str = ""

    @property
    def key(self) -> tuple[Decimal | None, Reason | None]:
        """Equal for verdicts that differ in their words alone."""
        return self.bid, self.reason


@dataclass(frozen=True, slots=True)
class OrderChange:
    """An open order whose verdict changes."""

    order: OrderId
    old: BidDecision
    new: BidDecision


@dataclass(frozen=True, slots=True)
class FreeCapacity:
    """What may be promised in all, and what of it is still free once the plan's bids are made."""

    usable: Resources
    free: Resources


@dataclass(frozen=True, slots=True)
class PreviewBasis:
    """From where a preview looks: at which height and when (unix seconds), and which commit was applied."""

    provider: str
    chain_id: str
    height: int
    taken_at: int
    applied: str


@dataclass(frozen=True, slots=True)
class Costs:
    """What stands between price and gain: the chain's take in percent, the fees of a lease of 30 days in uve,
    and the measured block time in seconds.
    """

    take_percent: int
    month_fees: int
    block_seconds: Decimal


@dataclass(frozen=True, slots=True)
class Preview:
    """A change from commit `base` to commit `head`, with the plan of each; `rooms` are those before and
    after, None where no capacity is known.

    `prices` and `orders` hold what changes alone, `orders_open` counts all. `ceilings` are limits of the host
    file that the change runs into, `warnings` what it means for money, `notes` how sure all this is.
    """

    sight: PreviewBasis
    base: str
    head: str
    before: Plan
    after: Plan
    costs: Costs
    files: tuple[FileChange, ...] = ()
    prices: tuple[Price, ...] = ()
    orders: tuple[OrderChange, ...] = ()
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
        """Whether any file of ours differs."""
        return bool(self.files)

    @property
    def is_admitted(self) -> bool:
        """Whether the changed revision would be in force, not another one in its place."""
        return self.after.revision == self.head

    @property
    def withheld(self) -> tuple[Hold, ...]:
        """What the change asks for and would not get, whatever the host's limits: holds on what is ours."""
        known = {(hold.subject, hold.reason) for hold in (*self.before.holds, *self.ceilings)}
        return tuple(h for h in self.after.holds if h.ours and (h.subject, h.reason) not in known)

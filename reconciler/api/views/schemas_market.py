"""What the HTTP API answers about the market: leases, bids, and why we did or did not bid."""

from __future__ import annotations

from reconciler.api.views.schemas import BidShape, HoldShape, ReadingShape, Shape


class FundingShape(Shape):
    """How long a lease's deployment still pays, as of the last look."""

    state: str
    """healthy, low, critical or exhausted."""
    blocks_left: int | None
    """Negative once the funds ran out; null where nothing drains them."""
    seconds_left: int | None
    """The same in measured chain time."""


class LeaseShape(Shape):
    """A lease as the chain has it; its price is per block."""

    id: str
    workload: str
    """The id of the workload that it makes."""
    state: str
    price_uve: str
    accrued_uve: int
    withdrawn_uve: int
    withdrawn_at: str | None
    funding: FundingShape


class LeasesAnswer(Shape):
    """`GET /api/v1/leases`: our active leases in the order of their ids."""

    leases: list[LeaseShape]
    total: int
    """All that fit the question, on this page or not."""
    next: str
    """Ask with `?after=` this for the next page; empty: this is the last one."""


class BidsAnswer(Shape):
    """`GET /api/v1/bids`: our open bids in the order of their ids."""

    bids: list[BidShape]
    total: int
    """All that fit the question, on this page or not."""
    next: str
    """Ask with `?after=` this for the next page; empty: this is the last one."""


class BidEngineAnswer(Shape):
    """`GET /api/v1/bid-engine/status`: what is bid on, and why the rest is not."""

    observe_only: bool
    spending_stopped: bool
    draining: bool
    chain: ReadingShape
    """The chain, without which there are no bids."""
    chain_age_seconds: int | None
    """How long ago it was last seen well; null: never."""
    orders_open: int
    bids_open: int
    bids_total: int
    """Bids that landed since the journal began."""
    bids_won_total: int
    """Those that won their lease."""
    bids: list[BidShape]
    holds: list[HoldShape]
    """Why orders are not bid on, at most 1,000."""
    holds_total: int


class DecisionShape(Shape):
    """The last word on a subject, as the journal keeps it."""

    subject: str
    held: bool
    """true: an effect was withheld; false: it was tried."""
    word: str
    """The hold's reason, or the kind of the effect."""
    message: str
    since: str | None
    last_seen: str | None
    ended: str | None
    """When a hold was gone; null: it stands, or this is an effect."""


class OrderDecisionAnswer(Shape):
    """`GET /api/v1/orders/{owner}/{dseq}/{gseq}/{oseq}/decision`: why we did or did not bid on an order."""

    order: str
    verdict: str
    """leased: ours; bid: a bid of ours is open; held: an effect is withheld now; past: it is over."""
    sentence: str
    """The verdict with its reason."""
    bid: BidShape | None
    lease: LeaseShape | None
    holds: list[HoldShape]
    """What is withheld now."""
    record: list[DecisionShape]
    """What the journal has on the order and our bid on it, newest first."""

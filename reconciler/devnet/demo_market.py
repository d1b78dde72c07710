"""The demo's first part: orders, bids, holds, leases, and a lost bid that the chain leaves open."""

from __future__ import annotations

from decimal import Decimal

from reconciler.devnet.accounts import PROVIDER
from reconciler.devnet.demo import Demo, Step, StepError
from reconciler.devnet.trading import BID_DEPOSIT_UVE
from reconciler.values.observed import State

FIRST_ORDERS = ("web", "cheap", "metered", "huge", "contested")
FIRST_PRICE = Decimal(2446)
"""1.15 x (1000 x 1 + 1024 x 1 + 1024 x 0.1), rounded up, in uve a block."""

PRICES = {"web": FIRST_PRICE, "metered": Decimal(1), "contested": FIRST_PRICE}
NOT_STARTED = "the daemon does not see chain, repository and cluster"
RIVAL_PRICE, THIRD_PRICE = Decimal(2000), Decimal(2200)


def started(demo: Demo) -> str:
    if not demo.daemon.is_alive():
        raise StepError("started", f"{NOT_STARTED}, as it does not run")
    status = demo.probe.api("/api/v1/status")
    if not status["readings"] or any(r["why"] or not r["seen_at"] for r in status["readings"]):
        return ""
    sources = ", ".join(r["source"] for r in status["readings"])
    return f"it runs for {status['address']} and sees {sources}"


def _post_first(demo: Demo) -> None:
    demo.post("web", "cheap", "metered")
    demo.post("huge", "contested")


def _first_are_open(demo: Demo) -> str:
    if any(demo.probe.order_state(demo.order(name)) != "open" for name in FIRST_ORDERS):
        return ""
    first, last = (demo.order(name).dseq for name in ("web", "contested"))
    return f"five open orders, deployments {first} to {last}"


def _three_bids(demo: Demo) -> str:
    """Our prices on three orders, no bid on the others."""
    bids = {name: demo.probe.bid(demo.bid(name)) for name in FIRST_ORDERS}
    if {name: bid.price for name, bid in bids.items() if bid and bid.state is State.OPEN} != PRICES:
        return ""
    return f"{FIRST_PRICE}uve a block bid on `web` and `contested`, 1uve on `metered`, which pays by usage"


def _cheap_is_held(demo: Demo) -> str:
    return _held(demo, "cheap", "PriceTooLow")


def _huge_is_held(demo: Demo) -> str:
    return _held(demo, "huge", "NoCapacity")


def _held(demo: Demo, name: str, reason: str) -> str:
    if demo.probe.bid(demo.bid(name)) is not None:
        return ""
    message = demo.probe.hold(str(demo.order(name)), reason)
    return f"no bid on `{name}` ({reason}): {message}" if message else ""


def _rivals_bid(demo: Demo) -> None:
    demo.trader("rival").bid(demo.order("contested"), RIVAL_PRICE)
    demo.trader("third").bid(demo.order("contested"), THIRD_PRICE)


def _three_bidders(demo: Demo) -> str:
    bids = [demo.probe.bid(demo.bid("contested", name)) for name in (PROVIDER, "rival", "third")]
    if not all(bid and bid.state is State.OPEN for bid in bids):
        return ""
    return f"three open bids: ours, rival's {RIVAL_PRICE}uve, third's {THIRD_PRICE}uve"


def _accept(demo: Demo) -> None:
    demo.trader("alice").accept(demo.bid("web"), demo.bid("metered"))
    demo.contested_height = demo.trader("bob").accept(demo.bid("contested", "rival")).height


def _leased(demo: Demo) -> str:
    leases = (demo.bid("web"), demo.bid("metered"), demo.bid("contested", "rival"))
    found = [demo.probe.lease(lease) for lease in leases]
    if not all(lease and lease.state is State.ACTIVE for lease in found):
        return ""
    return "`web` and `metered` are ours, `contested` is the rival's"


def _left_open(demo: Demo) -> str:
    """In the block of the rival's lease the chain refunds one loser alone (semantics 3.7)."""
    ours = demo.probe.bid(demo.bid("contested"), demo.contested_height)
    third = demo.probe.bid(demo.bid("contested", "third"), demo.contested_height)
    if ours is None or third is None or (ours.state, third.state) != (State.OPEN, State.LOST):
        return ""
    return "the chain marked third's bid as lost and refunded it; ours stayed open, its 500,000uve locked"


def _bid_closed(demo: Demo) -> str:
    bid = demo.probe.bid(demo.bid("contested"))
    if bid is None or bid.state is not State.CLOSED or bid.deposit:
        return ""
    for tx in demo.probe.transactions():
        received = [amount for _, recipient, amount in tx.transfers if recipient == demo.provider]
        if tx.payer == demo.provider and "MsgCloseBid" in tx.messages and BID_DEPOSIT_UVE in received:
            return f"we closed it in block {tx.height} and got {BID_DEPOSIT_UVE:,}uve back"
    return ""


MARKET_STEPS = (
    Step(
        "started",
        "The daemon is started: provider-daemon run --host host.yaml",
        started,
        NOT_STARTED,
        lambda demo: demo.daemon.start(),
        blocks=60,
    ),
    Step(
        "orders",
        "Tenants post five orders: alice `web`, `cheap` and `metered`, bob `huge` and `contested`",
        _first_are_open,
        "the five orders are not open on the chain",
        _post_first,
    ),
    Step(
        "bids",
        "The daemon bids where price and capacity allow it",
        _three_bids,
        "the chain does not show our bids of 2,446uve on `web` and `contested` and of 1uve on `metered`",
    ),
    Step(
        "too-cheap",
        "`cheap` pays 100uve a block, which is below our price",
        _cheap_is_held,
        "the daemon does not report that `cheap` pays too little",
    ),
    Step(
        "too-big",
        "`huge` wants 128 cores, more than there are",
        _huge_is_held,
        "the daemon does not report that there is no capacity for `huge`",
    ),
    Step(
        "rivals",
        "Two rivals bid on `contested`, too",
        _three_bidders,
        "there are not three open bids on `contested`",
        _rivals_bid,
    ),
    Step(
        "leases",
        "Alice accepts our bids on `web` and `metered`, bob the rival's on `contested`",
        _leased,
        "the chain does not show the three leases",
        _accept,
    ),
    Step(
        "left-open",
        "Of two losing bids the chain closes one",
        _left_open,
        "the chain did not leave our losing bid open",
    ),
    Step(
        "closed-bid",
        "The daemon closes its lost bid",
        _bid_closed,
        "our losing bid was not closed, or its deposit was not refunded",
    ),
)

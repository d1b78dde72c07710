"""The story's first part: orders, bids, holds, leases, and a bid that the chain forgets."""

from __future__ import annotations

from decimal import Decimal

from reconciler.devnet.accounts import PROVIDER, key_of
from reconciler.devnet.stage import Stage
from reconciler.devnet.steps import Step, StoryError
from reconciler.devnet.tenant import BID_DEPOSIT_UVE

FIRST_FIVE = ("web", "cheap", "metered", "huge", "contested")
OLD_PRICE = Decimal(2446)
"""1.15 x (1000 x 1 + 1024 x 1 + 1024 x 0.1), rounded up, in uve a block."""

EXPECTED = {"web": OLD_PRICE, "metered": Decimal(1), "contested": OLD_PRICE}
UNSTARTED = "the daemon does not see chain, repository and cluster"
RIVAL_PRICE, THIRD_PRICE = Decimal(2000), Decimal(2200)


def start(stage: Stage) -> None:
    """As a user does in another terminal."""
    stage.daemon.start()


def started(stage: Stage) -> str:
    """It sees chain, repository and cluster; nothing more is waited for where it has ended."""
    if not stage.daemon.is_alive():
        raise StoryError("started", f"{UNSTARTED}, as it does not run")
    status = stage.api.ask("/api/v1/status")
    if not status["readings"] or any(r["why"] or not r["seen_at"] for r in status["readings"]):
        return ""
    seen = ", ".join(r["source"] for r in status["readings"])
    return f"it runs for {status['address']} and sees {seen}"


def post_five(stage: Stage) -> None:
    """Three of alice's, two of bob's."""
    stage.post("web", "cheap", "metered")
    stage.post("huge", "contested")


def five_open(stage: Stage) -> str:
    """All five stand open on the chain."""
    states = [stage.chain.order_state(stage.order(name)) for name in FIRST_FIVE]
    if states != ["open"] * len(FIRST_FIVE):
        return ""
    first, last = (stage.order(name).dseq for name in ("web", "contested"))
    return f"five open orders, deployments {first} to {last}"


def three_bids(stage: Stage) -> str:
    """Open bids of ours at our prices on three of them, none on the others."""
    bids = {name: stage.chain.bid(stage.order(name), stage.provider) for name in FIRST_FIVE}
    made = {name: bid.price for name, bid in bids.items() if bid is not None and bid.state == "open"}
    if made != EXPECTED:
        return ""
    return f"{OLD_PRICE}uve a block bid on `web` and `contested`, 1uve on `metered`, which pays by usage"


def cheap_held(stage: Stage) -> str:
    """The daemon says that the order pays too little."""
    return _held(stage, "cheap", "PriceTooLow")


def huge_held(stage: Stage) -> str:
    """The daemon says that there is no room."""
    return _held(stage, "huge", "NoCapacity")


def _held(stage: Stage, name: str, reason: str) -> str:
    if stage.chain.bid(stage.order(name), stage.provider) is not None:
        return ""
    why = stage.api.hold(stage.subject(name), reason)
    return f"no bid on `{name}` ({reason}): {why}" if why else ""


def rivals_bid(stage: Stage) -> None:
    """Two others bid lower than we do."""
    stage.person("rival").bid(stage.order("contested"), RIVAL_PRICE)
    stage.person("third").bid(stage.order("contested"), THIRD_PRICE)


def three_bidders(stage: Stage) -> str:
    """Three open bids on one order."""
    order = stage.order("contested")
    bids = [stage.chain.bid(order, key_of(name).address) for name in (PROVIDER, "rival", "third")]
    if [bid.state if bid else "" for bid in bids] != ["open"] * 3:
        return ""
    return f"three open bids: ours, rival's {RIVAL_PRICE}uve, third's {THIRD_PRICE}uve"


def accept(stage: Stage) -> None:
    """Alice takes ours twice, bob the rival's."""
    stage.person("alice").accept(stage.bid("web"), stage.bid("metered"))
    landed = stage.person("bob").accept(stage.bid("contested", "rival"))
    stage.heights["contested"] = landed.height


def leased(stage: Stage) -> str:
    """Two leases are ours, one is the rival's."""
    rival = key_of("rival").address
    wanted = (("web", stage.provider), ("metered", stage.provider), ("contested", rival))
    leases = [stage.chain.lease(stage.order(name), provider) for name, provider in wanted]
    if [lease.state if lease else "" for lease in leases] != ["active"] * 3:
        return ""
    return "`web` and `metered` are ours, `contested` is the rival's"


def forgotten(stage: Stage) -> str:
    """In the block of the rival's lease the chain refunded third alone."""
    order, height = stage.order("contested"), stage.heights["contested"]
    ours = stage.chain.bid(order, stage.provider, height)
    third = stage.chain.bid(order, key_of("third").address, height)
    if ours is None or third is None or (ours.state, third.state) != ("open", "lost"):
        return ""
    return "the chain called third's bid lost and paid it back; ours stayed open, its 500,000uve locked"


def bid_closed(stage: Stage) -> str:
    """Our bid is closed by a transaction of ours that brought the deposit back."""
    bid = stage.chain.bid(stage.order("contested"), stage.provider)
    if bid is None or (bid.state, bid.deposit_state) != ("closed", "closed"):
        return ""
    for done in stage.chain.happenings():
        paid = [amount for _, recipient, amount in done.moves if recipient == stage.provider]
        if done.payer == stage.provider and "MsgCloseBid" in done.actions and BID_DEPOSIT_UVE in paid:
            return f"we closed it in block {done.height}, and {BID_DEPOSIT_UVE:,}uve came back"
    return ""


MARKET = (
    Step(
        "started",
        "The daemon is started: provider-daemon run --host host.yaml",
        started,
        UNSTARTED,
        start,
        blocks=60,
    ),
    Step(
        "orders",
        "Tenants post five orders: alice `web`, `cheap` and `metered`, bob `huge` and `contested`",
        five_open,
        "the five orders do not stand open on the chain",
        post_five,
    ),
    Step(
        "bids",
        "The daemon bids where price and room allow it",
        three_bids,
        "the chain does not show our bids of 2,446uve on `web` and `contested` and of 1uve on `metered`",
    ),
    Step(
        "too-cheap",
        "`cheap` pays 100uve a block, which is below our price",
        cheap_held,
        "the daemon does not say that `cheap` pays too little",
    ),
    Step(
        "too-big",
        "`huge` wants 128 cores, more than there are",
        huge_held,
        "the daemon does not say that there is no room for `huge`",
    ),
    Step(
        "rivals",
        "Two rivals bid on `contested`, too",
        three_bidders,
        "there are not three open bids on `contested`",
        rivals_bid,
    ),
    Step(
        "leases",
        "Alice accepts our bids on `web` and `metered`, bob the rival's on `contested`",
        leased,
        "the chain does not show the three leases",
        accept,
    ),
    Step(
        "forgotten-bid",
        "Of two losing bids the chain closes one",
        forgotten,
        "the chain did not leave our losing bid open",
    ),
    Step(
        "closed-bid",
        "The daemon notices and takes its lost bid back",
        bid_closed,
        "our losing bid was not closed, or its deposit did not come back",
    ),
)

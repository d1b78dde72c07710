"""Closes bids that cannot become a lease, and leases that the repository closes or nothing pays for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reconciler.planning.planning_input import MarketBasis, Proposals
from reconciler.planning.retries import retry_hold
from reconciler.values.desired import Bidding, CloseReason
from reconciler.values.ids import LeaseId
from reconciler.values.messages import CloseBid
from reconciler.values.observed import Bid, Lease, State
from reconciler.values.plans import Hold, Reason
from reconciler.values.subjects import Subject

NO_MACHINE = (
    "the machines that it was promised on are gone or full, and no others have room: its workload could not "
    "run now; add machines, or let bidding.bid_lifetime close it"
)

USAGE_UNPAID = "no settlement escrow pays for its usage"


def plan_closings(basis: MarketBasis) -> Proposals:
    """Close open bids that can no longer win (order closed, absent, or of a closed deployment) and those that
    nobody accepted in time, so that their deposits are refunded; then the leases that the repository closes,
    and those whose usage nothing pays for.
    """
    decisions = [*_stale_bids(basis), *_closings(basis)]
    return Proposals(
        tuple(d for d in decisions if isinstance(d, CloseBid)),
        tuple(d for d in decisions if isinstance(d, Hold)),
    )


def _stale_bids(basis: MarketBasis) -> Iterator[CloseBid | Hold]:
    for bid in open_bids(basis):
        if bid.may_win and not _has_expired(basis, bid):
            if bid.id.order in basis.reservation.unplaced:
                yield Hold(Subject.of_lease(bid.id), Reason.NO_CAPACITY, NO_MACHINE, ours=True)
            continue
        message = CloseBid(bid.id, CloseReason.UNSPECIFIED)
        yield retry_hold(basis.memory, message, Subject.of_lease(bid.id), basis.now) or message


def open_bids(basis: MarketBasis) -> Sequence[Bid]:
    """Our open bids, by id."""
    bids = basis.market.bids
    return basis.decisions.reuse(
        "open bids",
        (bids,),
        lambda: sorted((b for b in bids.values() if b.state is State.OPEN), key=lambda b: b.id),
    )


def _has_expired(basis: MarketBasis, bid: Bid) -> bool:
    """Whether it was open for `bidding.bid_lifetime` of chain time. The chain closes an active bid with its
    lease, so a lease that is created in the very block of the closing ends with it (semantics 3.4).
    """
    bidding = basis.desired.config.bidding if basis.desired.config else Bidding()
    return basis.seconds(basis.market.height - bid.created_at) >= bidding.bid_lifetime_seconds


def _due_closings(basis: MarketBasis) -> Mapping[LeaseId, CloseBid]:
    """The active leases that the repository closes, and those whose usage nothing pays for; none before a
    revision is known.
    """
    ended = basis.funding.unpaid() if basis.desired.commit else ()
    found = {x: CloseBid(x, CloseReason.UNSPECIFIED, lease=True, why=USAGE_UNPAID) for x in ended}
    files = basis.desired.workloads
    wanted = basis.decisions.reuse(
        "closings in git", (files,), lambda: [each for each in files.values() if each.close is not None]
    )
    for workload in wanted:
        if workload.close is not None and workload.lease in basis.funding:
            found[workload.lease] = CloseBid(workload.lease, workload.close, lease=True)
    return found


def _closings(basis: MarketBasis) -> Iterator[CloseBid | Hold]:
    allowed = basis.limits.closings_per_hour - sum(
        1 for t in basis.memory.closings if t > basis.market.time - 3600
    )
    for message in sorted(_due_closings(basis).values(), key=lambda each: each.id):
        lease = basis.market.leases[message.id]
        subject = Subject.of_workload(lease.id)
        if back := retry_hold(basis.memory, message, subject, basis.now):
            yield back
        elif wait := _same_block(basis, lease):
            yield wait
        elif allowed <= 0:
            most = basis.limits.closings_per_hour
            why = f"closings_per_hour of the host file ({most}) is reached; closed when the hour is over"
            yield Hold(subject, Reason.CEILING, why, ours=True)
        else:
            allowed -= 1
            yield message


def _same_block(basis: MarketBasis, lease: Lease) -> Hold | None:
    """Closing in the block that settled the account would leave the payment open forever (semantics 4.4)."""
    account = basis.market.accounts.get(lease.id.deployment)
    if account is not None and account.settled_at >= basis.market.height:
        why = "its escrow account was settled in this block; closed in the next"
        return Hold(Subject.of_workload(lease.id), Reason.AWAITING_HEIGHT, why)
    return None

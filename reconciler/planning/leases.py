"""Closes bids that cannot win or are outpriced, leases that the repository closes, and unpaid ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from reconciler.planning.bidding.strategies import is_outpriced
from reconciler.planning.money.funding import unconfirmed_hold
from reconciler.planning.planning_input import MarketBasis, Proposals
from reconciler.planning.retries import retry_hold, withdrawal_is_gated
from reconciler.planning.revisions.window import price_since
from reconciler.planning.witness_doubts import doubt
from reconciler.values.desired import MANIFEST_TIMEOUT_SECONDS, Bidding, CloseReason
from reconciler.values.ids import LeaseId, workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.manifests import TenantManifests
from reconciler.values.messages import CloseBid
from reconciler.values.observed import Bid, Lease, State
from reconciler.values.plans import Hold, Reason
from reconciler.values.readings import Unseen
from reconciler.values.resources import USAGE_BILLED
from reconciler.values.subjects import Subject
from reconciler.values.times import HOUR_SECONDS, format_duration

NO_MACHINE = (
    "the machines that it was promised on are gone or full, and no others have room: its workload could not "
    "run now; add machines, or let bidding.bid_lifetime close it"
)

USAGE_UNPAID = "no settlement escrow pays for its usage"
FUNDS_RAN_OUT = "its funds have run out, and the chain refuses its withdrawal"
BELOW_TODAYS_PRICE = "its price is further below today's than bidding.outpriced_percent allows"
OUTPRICED = "it was created from a bid whose price had been raised"


def plan_closings(basis: MarketBasis) -> Proposals:
    """Close open bids that can no longer win (order closed, absent, or of a closed deployment), that nobody
    accepted in time or that are outpriced, so that their deposits are refunded; then leases.
    """
    confirmable: list[_Confirmable] = []
    if basis.desired.commit:
        confirmable = [*_outpriced_leases(basis), *_leases_without_manifest(basis)]
    decisions = [*_stale_bids(basis), *_lease_closings(basis, confirmable)]
    return Proposals(
        tuple(d for d in decisions if isinstance(d, CloseBid)),
        tuple(d for d in decisions if isinstance(d, Hold)),
        frozenset(Subject.of_lease(each.message.id) for each in confirmable if basis.market.witness),
    )


def _stale_bids(basis: MarketBasis) -> Iterator[CloseBid | Hold]:
    outpriced = outpriced_bids(basis)
    for bid in open_bids(basis):
        if bid.may_win and not _has_expired(basis, bid) and bid.id not in outpriced:
            if bid.id.order in basis.reservation.unplaced:
                yield Hold(Subject.of_lease(bid.id), Reason.NO_CAPACITY, NO_MACHINE, ours=True)
            continue
        why = BELOW_TODAYS_PRICE if bid.may_win and bid.id in outpriced else ""
        message = CloseBid(bid.id, CloseReason.UNSPECIFIED, why=why)
        yield retry_hold(basis.memory, message, Subject.of_lease(bid.id), basis.now) or message


def open_bids(basis: MarketBasis) -> Sequence[Bid]:
    """Our open bids, by id."""
    bids = basis.market.bids
    return basis.decisions.reuse(
        "open bids",
        (bids,),
        lambda: sorted((b for b in bids.values() if b.state is State.OPEN), key=lambda b: b.id),
    )


def outpriced_bids(basis: MarketBasis) -> frozenset[LeaseId]:
    """The open bids whose price is too far below today's for the same order."""
    pricing, bidding = basis.desired.pricing, _bidding(basis)
    return basis.decisions.reuse(
        "outpriced bids",
        (basis.market.bids, pricing, basis.desired.config),
        lambda: frozenset(
            bid.id
            for bid in open_bids(basis)
            if bid.order is not None
            and pricing is not None
            and USAGE_BILLED not in bid.order.attributes
            and is_outpriced(bid.price, bid.order.demand, bidding, pricing)
        ),
    )


def _bidding(basis: MarketBasis) -> Bidding:
    return basis.desired.config.bidding if basis.desired.config else Bidding()


def _has_expired(basis: MarketBasis, bid: Bid) -> bool:
    """Whether it was open for `bidding.bid_lifetime` of chain time. The chain closes an active bid with its
    lease, so a lease that is created in the very block of the closing ends with it (semantics 3.4).
    """
    return basis.seconds(basis.market.height - bid.created_at) >= _bidding(basis).bid_lifetime_seconds


@dataclass(frozen=True, slots=True)
class _Confirmable:
    """A closing, and why the witness does not confirm its reason ("": it does)."""

    message: CloseBid
    doubt: str


def _lease_closings(basis: MarketBasis, confirmable: Sequence[_Confirmable]) -> Iterator[CloseBid | Hold]:
    """The leases that the repository closes, those that nothing pays for, those made of outpriced bids, and
    those without a manifest; none before a revision is known, nor for a reason that one node alone shows.
    """
    allowed = basis.limits.closings_per_hour - sum(
        1 for t in basis.memory.closings if t > basis.market.time - HOUR_SECONDS
    )
    for each in confirmable:
        if each.doubt:
            yield unconfirmed_hold(each.message.id, each.message.why, each.doubt)
    closings = {each.message.id: each.message for each in confirmable if not each.doubt}
    for kind in (_unpaid_leases, _requested_closings) if basis.desired.commit else ():
        closings |= {message.id: message for message in kind(basis)}
    for message in sorted(closings.values(), key=lambda m: m.id):
        subject = Subject.of_workload(message.id)
        if back := retry_hold(basis.memory, message, subject, basis.now):
            yield back
        elif wait := _same_block(basis, basis.market.leases[message.id]):
            yield wait
        elif allowed <= 0:
            most = basis.limits.closings_per_hour
            why = f"closings_per_hour of the host file ({most}) is reached; closed when the hour is over"
            yield Hold(subject, Reason.CEILING, why, ours=True)
        else:
            allowed -= 1
            yield message


def _requested_closings(basis: MarketBasis) -> Iterator[CloseBid]:
    files = basis.desired.workloads
    wanted = basis.decisions.reuse_values(
        "closings in git", files, lambda file: file if file.close is not None else None
    )
    for workload in sorted(wanted.values(), key=lambda w: w.lease):
        lease = basis.market.leases.get(workload.lease)
        if lease is not None and lease.state is State.ACTIVE:
            yield CloseBid(lease.id, workload.close or CloseReason.UNSPECIFIED, lease=True)


def _unpaid_leases(basis: MarketBasis) -> Iterator[CloseBid]:
    """Leases whose usage nothing pays for, and those without funds whose withdrawal a gate refuses: closing
    the bid is not gated, pays out what is left and ends the lease (semantics 1.5, 3.4).
    """
    doubts = basis.doubts
    for lease in basis.funding.unpaid():
        if not doubts.get(Subject.of_order(lease.order)):
            yield CloseBid(lease, CloseReason.UNSPECIFIED, lease=True, why=USAGE_UNPAID)
    for lease in basis.funding.ending(-1):
        is_doubted = doubts.get(Subject.of_deployment(lease.deployment))
        if withdrawal_is_gated(basis.memory, lease) and not is_doubted:
            yield CloseBid(lease, CloseReason.UNSPECIFIED, lease=True, why=FUNDS_RAN_OUT)


def _outpriced_leases(basis: MarketBasis) -> Iterator[_Confirmable]:
    """Leases that tenants created from a bid after its price was raised and before it was closed; only while
    nothing was deployed for them.
    """
    pricing, bidding, since = basis.desired.pricing, _bidding(basis), price_since(basis.memory)

    def is_late_and_outpriced(seen: MarketBasis, id_: LeaseId) -> bool:
        lease = seen.market.leases.get(id_)
        if lease is None or pricing is None or basis.now - _age_seconds(seen, lease) < since:
            return False
        return is_outpriced(lease.price, lease.demand, bidding, pricing)

    below = basis.decisions.reuse(
        "outpriced leases",
        (basis.market.leases, pricing, basis.desired.config),
        lambda: [
            lease
            for lease in basis.market.leases.values()
            if lease.state is State.ACTIVE
            and pricing is not None
            and not lease.usage_billed
            and is_outpriced(lease.price, lease.demand, bidding, pricing)
        ],
    )
    for lease in below if since else ():
        memory = basis.memory.workloads.get(workload_id(lease.id))
        is_deployed = memory is not None and memory.phase is not Phase.PENDING
        if not is_deployed and basis.now - _age_seconds(basis, lease) >= since:
            message = CloseBid(lease.id, CloseReason.UNSPECIFIED, lease=True, why=OUTPRICED)
            is_outpriced_there = partial(is_late_and_outpriced, id_=lease.id)
            yield _Confirmable(message, doubt(basis, Subject.of_lease(lease.id), is_outpriced_there))


def _age_seconds(basis: MarketBasis, lease: Lease) -> int:
    return basis.seconds(basis.market.height - lease.created_at)


def _leases_without_manifest(basis: MarketBasis) -> Iterator[_Confirmable]:
    """Leases for which no manifest was accepted in time; none that has a workload file, or was deployed
    before, and none while not all that was accepted is read.
    """
    if isinstance(basis.manifests, Unseen) or not basis.manifests.view.is_current:
        return
    manifests, timeout_seconds = basis.manifests.view, _bidding(basis).manifest_timeout_seconds
    if timeout_seconds is None:
        timeout_seconds = MANIFEST_TIMEOUT_SECONDS if manifests.takes_more else None
    if timeout_seconds is None:
        return
    faulty = {fault.path for fault in basis.desired.faults}
    pending = basis.decisions.reuse_values(
        "pending workloads",
        basis.memory.workloads,
        lambda each: each.lease if each.phase is Phase.PENDING and not each.manifest_hash else None,
    )
    why = f"no manifest was accepted for it in {format_duration(timeout_seconds)}"
    for subject, lease_id in pending.items():
        lease = basis.market.leases.get(lease_id)
        if lease is None or lease.state is not State.ACTIVE or subject in basis.desired.workloads:
            continue
        if subject in manifests.by_workload or f"workloads/{subject}.yaml" in faulty:
            continue

        def is_late(seen: MarketBasis, here: Lease = lease, seconds: int = timeout_seconds) -> bool:
            lease = seen.market.leases.get(here.id)
            if lease is None or lease.state is not State.ACTIVE or lease.manifest_hash != here.manifest_hash:
                return False
            return seen.seconds(seen.market.height - _deliverable_since(manifests, lease)) >= seconds

        if is_late(basis):
            message = CloseBid(lease_id, CloseReason.MANIFEST_TIMEOUT, lease=True, why=why)
            yield _Confirmable(message, doubt(basis, Subject.of_lease(lease_id), is_late))


def _deliverable_since(manifests: TenantManifests, lease: Lease) -> int:
    """The height since which the tenant of a lease could deliver its manifest."""
    failed_at = manifests.failed_at.get(lease.id.order.owner, 0)
    return max(lease.created_at, manifests.since, failed_at)


def _same_block(basis: MarketBasis, lease: Lease) -> Hold | None:
    """Closing in the block that settled the account would leave the payment open forever (semantics 4.4)."""
    account = basis.market.accounts.get(lease.id.deployment)
    if account is not None and account.settled_at >= basis.market.height:
        why = "its escrow account was settled in this block; closed in the next"
        return Hold(Subject.of_workload(lease.id), Reason.AWAITING_HEIGHT, why)
    return None

"""The market's messages: bids by providers, leases by tenants (semantics 3.2 to 3.7)."""

from __future__ import annotations

from reconciler.chain.proto import market_v1_pb2 as v1
from reconciler.chain.proto import market_v1beta5_pb2 as v1beta5
from reconciler.chain.proto.base_attributes_v1_pb2 import Attribute
from reconciler.chain.proto.deployment_v1beta4_pb2 import Group
from reconciler.chain.proto.market_v1_pb2 import BidID, Lease
from reconciler.chain.proto.market_v1beta5_pb2 import Bid, Order, Params
from reconciler.devnet.chain import deployment, deposits, escrow, groupspecs, market, matching, providers
from reconciler.devnet.chain.amounts import dec, valid_denom
from reconciler.devnet.chain.call import MessageCall
from reconciler.devnet.chain.errors import PanicError, TxRefusedError, plain
from reconciler.devnet.chain.tables import PARAMS


def create_bid(call: MessageCall, msg: v1beta5.MsgCreateBid) -> v1beta5.MsgCreateBidResponse:
    """Create a bid on an open order; its deposit is locked until it closes."""
    params = Params.FromString(call.state.get(PARAMS, b"market") or b"")
    _check_deposit(msg, params)
    counted = sum(len(market.bids_of(call, msg.id, s)) for s in (Bid.open, Bid.active, Bid.closed))
    if counted > params.order_max_bids:
        raise plain(f"invalid bid: too many existing bids ({params.order_max_bids})")
    order = market.find_order(call, msg.id)
    if order is None:
        raise TxRefusedError("market", 15, "invalid order: order not found")
    _check_offer(order, msg)
    _check_provider(call, order, msg.id.provider)
    given = deposits.authorize(call, msg.id.provider, msg.deposit)
    bid = Bid(
        id=msg.id,
        state=Bid.open,
        price=msg.price,
        created_at=call.height,
        resources_offer=msg.resources_offer,
    )
    market.create_bid(call, bid)
    escrow.create_account(call, market.bid_account(msg.id), msg.id.provider, given)
    return v1beta5.MsgCreateBidResponse()


def close_bid(call: MessageCall, msg: v1beta5.MsgCloseBid) -> v1beta5.MsgCloseBidResponse:
    """Close an open bid, or end the lease of an active one, which pauses its group."""
    bid = market.find_bid(call, msg.id)
    if bid is None:
        raise TxRefusedError("market", 6, "unknown bid")
    order = market.find_order(call, msg.id)
    if order is None:
        raise TxRefusedError("market", 9, "unknown order for bid")
    if bid.state == Bid.open:
        market.close_bid(call, bid)
        return v1beta5.MsgCloseBidResponse()
    lease = market.find_lease(call, msg.id)
    if lease is None:
        raise TxRefusedError("market", 8, "unknown lease for bid")
    if lease.state != Lease.active:
        raise TxRefusedError("market", 10, "lease not active")
    if bid.state != Bid.active:
        raise TxRefusedError("market", 11, "bid not active")
    group = deployment.find_group(call, msg.id)
    if group is None:
        raise TxRefusedError("deployment", 14, "Group not found")
    deployment.pause_group(call, group)
    market.close_lease(call, lease, msg.reason)
    _close_bid_and_order(call, bid, order)
    _close_payment_if_possible(call, msg.id)
    return v1beta5.MsgCloseBidResponse()


def withdraw_lease(call: MessageCall, msg: v1beta5.MsgWithdrawLease) -> v1beta5.MsgWithdrawLeaseResponse:
    """Pay out the lease's earnings so far."""
    if market.find_lease(call, msg.id) is None:
        raise TxRefusedError("market", 7, "unknown lease")
    escrow.withdraw_payment(call, market.lease_payment(msg.id))
    return v1beta5.MsgWithdrawLeaseResponse()


def create_lease(call: MessageCall, msg: v1beta5.MsgCreateLease) -> v1beta5.MsgCreateLeaseResponse:
    """Accept a bid; only the first of the losing bids is refunded (semantics 3.7)."""
    bid = market.find_bid(call, msg.bid_id)
    if bid is None:
        raise TxRefusedError("market", 18, "invalid bid: bid not found")
    if bid.state != Bid.open:
        raise TxRefusedError("market", 12, "bid not open")
    order = market.find_order(call, msg.bid_id)
    if order is None:
        raise TxRefusedError("market", 15, "invalid order: order not found")
    if order.state != Order.open:
        raise TxRefusedError("market", 13, "bid: order not open")
    group = deployment.find_group(call, msg.bid_id)
    if group is None:
        raise TxRefusedError("market", 16, "group not found")
    if group.state != Group.open:
        raise TxRefusedError("market", 17, "group not open")
    escrow.create_payment(call, market.lease_payment(msg.bid_id), msg.bid_id.provider, bid.price)
    market.create_lease(call, bid)
    market.move_order(call, order, Order.active)
    market.move_bid(call, bid, Bid.active)
    for loser in market.bids_of(call, msg.bid_id, Bid.open):
        market.move_bid(call, loser, Bid.lost)
        if not market.return_deposit(call, loser.id):
            break
    return v1beta5.MsgCreateLeaseResponse()


def close_lease(call: MessageCall, msg: v1beta5.MsgCloseLease) -> v1beta5.MsgCloseLeaseResponse:
    """End a lease for its tenant; the group stays open, with a new order."""
    order = market.find_order(call, msg.id)
    if order is None:
        raise TxRefusedError("market", 15, "invalid order: order not found")
    if order.state != Order.active:
        raise TxRefusedError("market", 24, "order closed")
    bid = market.find_bid(call, msg.id)
    if bid is None:
        raise TxRefusedError("market", 18, "invalid bid: bid not found")
    if bid.state != Bid.active:
        raise TxRefusedError("market", 11, "bid not active")
    lease = market.find_lease(call, msg.id)
    if lease is None:
        raise TxRefusedError("market", 20, "invalid lease: lease not found")
    if lease.state != Lease.active:
        raise TxRefusedError("market", 24, "order closed")
    market.close_lease(call, lease, v1.lease_closed_owner)
    _close_bid_and_order(call, bid, order)
    escrow.close_payment(call, market.lease_payment(msg.id))
    group = deployment.find_group(call, msg.id)
    if group is None:
        raise TxRefusedError("deployment", 14, "Group not found")
    if group.state == Group.open:
        market.create_order(call, group.id, group.group_spec)
    return v1beta5.MsgCloseLeaseResponse()


def _check_deposit(msg: v1beta5.MsgCreateBid, params: Params) -> None:
    least, given = params.bid_min_deposit, msg.deposit.amount
    if given.denom != least.denom or int(given.amount) < int(least.amount):
        shown = f"mininum:{least.amount}{least.denom} received:{deposits.shown(msg.deposit)}"
        raise TxRefusedError("market", 28, "deposit invalid").without_code(shown)


def _check_offer(order: Order, msg: v1beta5.MsgCreateBid) -> None:
    if order.state == Order.active:
        raise TxRefusedError("market", 23, "order active")
    if order.state != Order.open:
        raise TxRefusedError("market", 24, "order closed")
    if not valid_denom(msg.price.denom) or dec(msg.price.amount) < 0:
        raise TxRefusedError("market", 22, "bid price is invalid")
    most = groupspecs.price(order.spec)
    if most.denom != msg.price.denom:
        raise PanicError(f"invalid coin denominations; {most.denom}, {msg.price.denom}")
    if dec(most.amount) < dec(msg.price.amount):
        raise TxRefusedError("market", 4, "bid price above max order price")
    if not matching.offer_fits(order.spec, msg.resources_offer):
        raise TxRefusedError("market", 32, "capabilities mismatch")


def _check_provider(call: MessageCall, order: Order, owner: str) -> None:
    provider = providers.find(call, owner)
    if provider is None:
        raise TxRefusedError("market", 30, "unknown provider")
    audited: dict[str, list[Attribute]] = {
        record.auditor: list(record.attributes) for record in providers.audited(call, owner)
    }
    if not matching.meets_requirements(order.spec.requirements, provider.attributes, audited):
        raise TxRefusedError("market", 5, "attribute mismatch")
    if not matching.has_capabilities(order.spec, provider.attributes):
        raise TxRefusedError("market", 32, "capabilities mismatch")


def _close_bid_and_order(call: MessageCall, bid: Bid, order: Order) -> None:
    market.close_bid(call, bid)
    market.close_order(call, order)


def _close_payment_if_possible(call: MessageCall, id_: BidID) -> None:
    try:
        escrow.close_payment(call, market.lease_payment(id_))
    except TxRefusedError:
        return  # the node ignores it; the lease is closed anyway

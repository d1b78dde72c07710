"""Orders, bids and leases as rows, and their changes of state (semantics 3)."""

from __future__ import annotations

from reconciler.chain.proto import deployment_v1beta4_pb2 as specs
from reconciler.chain.proto import market_v1_pb2 as v1
from reconciler.chain.proto.escrow_id_v1_pb2 import Account as AccountId
from reconciler.chain.proto.escrow_id_v1_pb2 import Payment as PaymentId
from reconciler.chain.proto.escrow_id_v1_pb2 import Scope
from reconciler.chain.proto.market_v1_pb2 import BidID, Lease, LeaseID, OrderID
from reconciler.chain.proto.market_v1beta5_pb2 import Bid, Order
from reconciler.devnet.chain import escrow, keys
from reconciler.devnet.chain.call import MessageCall
from reconciler.devnet.chain.errors import TxRefusedError
from reconciler.devnet.chain.keys import BidLike, GroupLike, OrderLike
from reconciler.devnet.chain.store import StateReader
from reconciler.devnet.chain.tables import BIDS, BIDS_BY_PROVIDER, LEASES, LEASES_BY_PROVIDER, ORDERS

_ORDER_STATES = (Order.active, Order.open, Order.closed)
_BID_STATES = (Bid.active, Bid.open, Bid.lost, Bid.closed)
_LEASE_STATES = (Lease.active, Lease.insufficient_funds, Lease.closed)
_INDEXED_BIDS = (Bid.open, Bid.active)
BID, LEASE = 0x12, 0x13


def read_order(state: StateReader, id_: OrderLike) -> Order | None:
    """An order for a query."""
    return next(filter(None, (state.get(ORDERS, keys.order(s, id_)) for s in _ORDER_STATES)), None)


def read_bid(state: StateReader, id_: BidLike) -> Bid | None:
    """A bid for a query."""
    return next(filter(None, (state.get(BIDS, keys.bid(s, id_)) for s in _BID_STATES)), None)


def read_lease(state: StateReader, id_: BidLike) -> Lease | None:
    """A lease for a query."""
    return next(filter(None, (state.get(LEASES, keys.lease(s, id_)) for s in _LEASE_STATES)), None)


def find_order(call: MessageCall, id_: OrderLike) -> Order | None:
    """An order, or None."""
    for value in _ORDER_STATES:
        if call.state.has(ORDERS, keys.order(value, id_)):
            return call.state.get(ORDERS, keys.order(value, id_))
    return None


def find_bid(call: MessageCall, id_: BidLike) -> Bid | None:
    """A bid, or None."""
    for value in _BID_STATES:
        if call.state.has(BIDS, keys.bid(value, id_)):
            return call.state.get(BIDS, keys.bid(value, id_))
    return None


def find_lease(call: MessageCall, id_: BidLike) -> Lease | None:
    """A lease, or None."""
    for value in _LEASE_STATES:
        if call.state.has(LEASES, keys.lease(value, id_)):
            return call.state.get(LEASES, keys.lease(value, id_))
    return None


def orders_of(call: MessageCall, id_: GroupLike, state: int) -> list[Order]:
    """A group's orders in a state."""
    return [order for _, order in call.state.walk(ORDERS, keys.orders(state, id_))]


def bids_of(call: MessageCall, id_: OrderLike, state: int) -> list[Bid]:
    """An order's bids in a state, by the provider's raw bytes."""
    return [bid for _, bid in call.state.walk(BIDS, keys.bids(state, id_))]


def bid_account(id_: BidLike) -> AccountId:
    """The escrow account that holds a bid's deposit."""
    return AccountId(scope=Scope.bid, xid=f"{id_.owner}/{id_.dseq}/{id_.gseq}/{id_.oseq}/{id_.provider}")


def lease_payment(id_: BidLike) -> PaymentId:
    """The escrow payment that pays a lease."""
    account = AccountId(scope=Scope.deployment, xid=f"{id_.owner}/{id_.dseq}")
    return PaymentId(aid=account, xid=f"{id_.gseq}/{id_.oseq}/{id_.provider}")


def create_order(call: MessageCall, group: GroupLike, spec: specs.GroupSpec) -> None:
    """Create a group's next order; refused while one is open or active."""
    running = orders_of(call, group, Order.active) + orders_of(call, group, Order.open)
    number = len(orders_of(call, group, Order.closed)) + 1
    if running:
        raise TxRefusedError("market", 23, "order active").without_code("create order: active order exists")
    id_ = OrderID(owner=group.owner, dseq=group.dseq, gseq=group.gseq, oseq=number)
    if find_order(call, id_) is not None:
        raise TxRefusedError("market", 25, "order already exists in store")
    order = Order(id=id_, state=Order.open, spec=spec, created_at=call.height)
    call.state.put(ORDERS, keys.order(order.state, id_), order)
    call.events.typed(v1.EventOrderCreated(id=id_))


def create_bid(call: MessageCall, bid: Bid) -> None:
    """Store a bid; refused if the provider ever had one on this order."""
    if find_bid(call, bid.id) is not None:
        raise TxRefusedError("market", 21, "invalid bid: bid exists from provider")
    _put_bid(call, bid)
    call.events.typed(v1.EventBidCreated(id=bid.id, price=bid.price))


def create_lease(call: MessageCall, bid: Bid) -> None:
    """Store the lease of a bid."""
    id_ = lease_id(bid.id)
    lease = Lease(id=id_, state=Lease.active, price=bid.price, created_at=call.height)
    call.state.put(LEASES, keys.lease(lease.state, id_), lease)
    call.state.put(LEASES_BY_PROVIDER, keys.by_provider(LEASE, lease.state, id_), lease)
    call.events.typed(v1.EventLeaseCreated(id=id_, price=lease.price))


def lease_id(id_: BidID) -> LeaseID:
    """The id of the lease of a bid."""
    return LeaseID(owner=id_.owner, dseq=id_.dseq, gseq=id_.gseq, oseq=id_.oseq, provider=id_.provider)


def move_order(call: MessageCall, old: Order, state: Order.State) -> None:
    """Change an order's state."""
    call.state.delete(ORDERS, keys.order(old.state, old.id))
    new = Order(id=old.id, state=state, spec=old.spec, created_at=old.created_at)
    call.state.put(ORDERS, keys.order(state, old.id), new)


def move_bid(call: MessageCall, old: Bid, state: Bid.State) -> None:
    """Change a bid's state."""
    call.state.delete(BIDS, keys.bid(old.state, old.id))
    if old.state in _INDEXED_BIDS:
        call.state.delete(BIDS_BY_PROVIDER, keys.by_provider(BID, old.state, old.id))
    new = Bid()
    new.CopyFrom(old)
    new.state = state
    _put_bid(call, new)


def close_order(call: MessageCall, order: Order) -> None:
    """Close an order that is not closed."""
    if order.state != Order.closed:
        move_order(call, order, Order.closed)
        call.events.typed(v1.EventOrderClosed(id=order.id))


def close_bid(call: MessageCall, bid: Bid) -> None:
    """Close a bid that is open or active, and refund its deposit."""
    if bid.state in (Bid.closed, Bid.lost):
        return
    move_bid(call, bid, Bid.closed)
    return_deposit(call, bid.id)
    call.events.typed(v1.EventBidClosed(id=bid.id))


def return_deposit(call: MessageCall, id_: BidID) -> bool:
    """Close a bid's escrow account; false as the hook behind it fails for it (semantics 3.7).

    What was done before the hook stays done.
    """
    try:
        escrow.close_account(call, bid_account(id_))
    except TxRefusedError:
        return False
    return True


def close_lease(
    call: MessageCall, old: Lease, reason: v1.LeaseClosedReason, state: Lease.State = Lease.closed
) -> None:
    """Close an active lease; only the event has the reason (semantics 3.8)."""
    if old.state in (Lease.closed, Lease.insufficient_funds):
        return
    call.state.delete(LEASES, keys.lease(old.state, old.id))
    call.state.delete(LEASES_BY_PROVIDER, keys.by_provider(LEASE, old.state, old.id))
    new = Lease(id=old.id, state=state, price=old.price, created_at=old.created_at, closed_on=call.height)
    call.state.put(LEASES, keys.lease(new.state, new.id), new)
    call.events.typed(v1.EventLeaseClosed(id=new.id, reason=reason))


def close_group_orders(call: MessageCall, group: GroupLike) -> None:
    """Close the active order, bids and lease of a group that ends or pauses; an open order stays."""
    for order in orders_of(call, group, Order.active):
        close_order(call, order)
        for state in (Bid.open, Bid.active):
            for bid in bids_of(call, order.id, state):
                _close_bid_and_lease(call, bid)


def _close_bid_and_lease(call: MessageCall, bid: Bid) -> None:
    close_bid(call, bid)
    lease = find_lease(call, bid.id)
    if lease is None:
        return
    close_lease(call, lease, v1.lease_closed_owner)
    try:
        escrow.close_payment(call, lease_payment(bid.id))
    except TxRefusedError:
        return  # the account may already be closed or overdrawn


def _put_bid(call: MessageCall, bid: Bid) -> None:
    call.state.put(BIDS, keys.bid(bid.state, bid.id), bid)
    if bid.state in _INDEXED_BIDS:
        call.state.put(BIDS_BY_PROVIDER, keys.by_provider(BID, bid.state, bid.id), bid)

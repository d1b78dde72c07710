"""Orders, bids, leases, escrow accounts and payments between protobuf messages and values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from reconciler.chain.proto import (
    deployment_v1_pb2,
    deployment_v1beta4_pb2,
    escrow_types_v1_pb2,
    market_v1_pb2,
    market_v1beta5_pb2,
)
from reconciler.chain.wire_values import (
    attributes_of,
    decimal_of,
    exact_uve,
    text_of,
    texts_of,
    unit_of,
    whole_uve,
)
from reconciler.values.ids import DeploymentId, GroupId, LeaseId, OrderId
from reconciler.values.observed import Bid, EscrowAccount, Lease, Order, Payment, State


class WireOrderId(Protocol):
    """OrderID, BidID and LeaseID alike."""

    @property
    def owner(self) -> str: ...
    @property
    def dseq(self) -> int: ...
    @property
    def gseq(self) -> int: ...
    @property
    def oseq(self) -> int: ...


class WireBidId(WireOrderId, Protocol):
    """BidID and LeaseID alike."""

    @property
    def provider(self) -> str: ...


def order_id_of(wire: WireOrderId) -> OrderId:
    """The order that an OrderID, BidID or LeaseID names."""
    return OrderId(text_of(wire.owner), wire.dseq, wire.gseq, wire.oseq)


def lease_id_of(wire: WireBidId) -> LeaseId:
    """The bid or lease; bseq is always 0 (semantics 2.1)."""
    return LeaseId(order_id_of(wire), text_of(wire.provider))


def deployment_id_of(wire: deployment_v1_pb2.DeploymentID) -> DeploymentId:
    """The deployment."""
    return DeploymentId(text_of(wire.owner), wire.dseq)


def order_id_to(order: OrderId) -> market_v1_pb2.OrderID:
    """The order's ID as a message."""
    return market_v1_pb2.OrderID(owner=order.owner, dseq=order.dseq, gseq=order.gseq, oseq=order.oseq)


def bid_id_to(bid: LeaseId) -> market_v1_pb2.BidID:
    """The bid's ID as a message."""
    order = bid.order
    return market_v1_pb2.BidID(
        owner=order.owner, dseq=order.dseq, gseq=order.gseq, oseq=order.oseq, provider=bid.provider
    )


def lease_id_to(lease: LeaseId) -> market_v1_pb2.LeaseID:
    """The lease's ID as a message."""
    order = lease.order
    return market_v1_pb2.LeaseID(
        owner=order.owner, dseq=order.dseq, gseq=order.gseq, oseq=order.oseq, provider=lease.provider
    )


def deployment_id_to(deployment: DeploymentId) -> deployment_v1_pb2.DeploymentID:
    """The deployment's ID as a message."""
    return deployment_v1_pb2.DeploymentID(owner=deployment.owner, dseq=deployment.dseq)


Groups = Mapping[GroupId, State]


def order_of(wire: market_v1beta5_pb2.Order, deployment: State, group: State) -> Order:
    """An order with the states of its deployment and group, which the chain stores separately."""
    requirements = wire.spec.requirements
    return Order(
        id=order_id_of(wire.id),
        state=State(market_v1beta5_pb2.Order.State.Name(wire.state)),
        units=tuple(unit_of(unit) for unit in wire.spec.resources),
        created_at=wire.created_at,
        group_state=group,
        deployment_state=deployment,
        attributes=attributes_of(requirements.attributes),
        signed_by_all=texts_of(requirements.signed_by.all_of),
        signed_by_any=texts_of(requirements.signed_by.any_of),
    )


def groups_of(wire: deployment_v1beta4_pb2.QueryDeploymentResponse) -> Groups:
    """The state of each group of a deployment."""
    return {
        GroupId(text_of(group.id.owner), group.id.dseq, group.id.gseq): State(
            deployment_v1beta4_pb2.Group.State.Name(group.state)
        )
        for group in wire.groups
    }


def bid_of(wire: market_v1beta5_pb2.QueryBidResponse) -> Bid:
    """A bid with its locked deposit."""
    bid, account = wire.bid, wire.escrow_account.state
    return Bid(
        id=lease_id_of(bid.id),
        state=State(market_v1beta5_pb2.Bid.State.Name(bid.state)),
        price=decimal_of(bid.price.amount),
        created_at=bid.created_at,
        deposit=int(exact_uve(account.funds)),
    )


def lease_of(wire: market_v1beta5_pb2.QueryLeaseResponse) -> Lease:
    """A lease with its payment; its resources are in its group, its closing reason only in an event."""
    lease = wire.lease
    return Lease(
        id=lease_id_of(lease.id),
        state=State(market_v1_pb2.Lease.State.Name(lease.state)),
        price=decimal_of(lease.price.amount),
        created_at=lease.created_at,
        closed_on=lease.closed_on,
        payment=payment_of(wire.escrow_payment),
    )


def payment_of(wire: escrow_types_v1_pb2.Payment) -> Payment:
    """A lease's payment."""
    state = wire.state
    return Payment(
        lease=LeaseId.parse(text_of(f"{wire.id.aid.xid}/{wire.id.xid}")),
        state=_state(state.state),
        rate=decimal_of(state.rate.amount),
        balance=decimal_of(state.balance.amount),
        unsettled=decimal_of(state.unsettled.amount),
        withdrawn=whole_uve([state.withdrawn]),
    )


def account_of(wire: escrow_types_v1_pb2.Account, payments: Iterable[Payment]) -> EscrowAccount:
    """A deployment's account with its own payments among these, in the order of payment (semantics 4.2)."""
    owner, _, number = wire.id.xid.partition("/")
    deployment = DeploymentId(text_of(owner), int(number))
    own = [each for each in payments if each.lease.deployment == deployment]
    return EscrowAccount(
        deployment=deployment,
        state=_state(wire.state.state),
        settled_at=wire.state.settled_at,
        funds=exact_uve(wire.state.funds),
        payments=tuple(sorted(own, key=lambda each: each.lease.payment_xid)),
    )


def _state(number: int) -> State:
    return State(escrow_types_v1_pb2.State.Name(number))

"""What a tenant sees of its own trades on the chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from reconciler.chain.proto import (
    cosmos_paging_pb2,
    deployment_v1beta4_pb2,
    market_v1_pb2,
    market_v1beta5_pb2,
    settlement_v1_pb2,
)
from reconciler.chain.stubs import unary
from reconciler.devnet.faults import DevnetError
from reconciler.devnet.node import TenantNode

FIRST_NUMBER = 1_000_001
"""Numbers are of one width, as the chain takes the account of 123 for one of 12, too (semantics 4.4)."""

PAGE = cosmos_paging_pb2.PageRequest(limit=1_000)
MARKET = "virtengine.market.v1beta5.Query"
DEPLOYMENT = "virtengine.deployment.v1beta4.Query"
SETTLEMENT = "virtengine.settlement.v1.Query"

ORDERS = unary(MARKET, market_v1beta5_pb2.QueryOrdersRequest, market_v1beta5_pb2.QueryOrdersResponse)
BIDS = unary(MARKET, market_v1beta5_pb2.QueryBidsRequest, market_v1beta5_pb2.QueryBidsResponse)
LEASES = unary(MARKET, market_v1beta5_pb2.QueryLeasesRequest, market_v1beta5_pb2.QueryLeasesResponse)
DEPLOYMENTS = unary(
    DEPLOYMENT,
    deployment_v1beta4_pb2.QueryDeploymentsRequest,
    deployment_v1beta4_pb2.QueryDeploymentsResponse,
)
ESCROWS = unary(
    SETTLEMENT, settlement_v1_pb2.QueryEscrowsByOrderRequest, settlement_v1_pb2.QueryEscrowsByOrderResponse
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A bid on one of our orders: its price in uve a block, and the bid's state."""

    id: market_v1_pb2.BidID
    price: Decimal
    state: str


@dataclass(frozen=True, slots=True)
class Trade:
    """A deployment: its state, its newest order's, the bids on it, its lease's state ("": none), uve left."""

    number: int
    state: str
    order: market_v1_pb2.OrderID
    order_state: str
    offers: tuple[Offer, ...]
    lease: market_v1_pb2.LeaseID | None
    lease_state: str
    funds: Decimal

    def best(self, provider: str = "") -> market_v1_pb2.BidID:
        """The cheapest open bid, or that of one provider; DevnetError where there is none."""
        wanted = [o for o in self.offers if o.state == "open" and provider in ("", o.id.provider)]
        if not wanted:
            whose = f" of {provider}" if provider else ""
            raise DevnetError(f"there is no open bid{whose} on order {show(self.order)}; wait for one")
        return min(wanted, key=lambda o: (o.price, o.id.provider)).id

    def leased(self) -> market_v1_pb2.BidID:
        """The bid that became the lease; DevnetError where there is no active one."""
        if self.lease is None or self.lease_state != "active":
            raise DevnetError(f"deployment {self.number} has no active lease; accept a bid first")
        order = self.order
        return market_v1_pb2.BidID(
            owner=order.owner,
            dseq=order.dseq,
            gseq=order.gseq,
            oseq=order.oseq,
            provider=self.lease.provider,
        )


def show(order: market_v1_pb2.OrderID | market_v1_pb2.BidID) -> str:
    """`owner/dseq/gseq/oseq`."""
    return f"{order.owner}/{order.dseq}/{order.gseq}/{order.oseq}"


def next_number(node: TenantNode) -> int:
    """The first deployment number that nobody uses."""
    used = [d.deployment.id.dseq for d in _deployments(node, "")]
    return max([FIRST_NUMBER - 1, *used]) + 1


def trades(node: TenantNode, owner: str) -> tuple[Trade, ...]:
    """All deployments of an owner, by number."""
    found = sorted(_deployments(node, owner), key=lambda d: d.deployment.id.dseq)
    return tuple(_trade(node, owner, each) for each in found)


def escrow_state(node: TenantNode, order: market_v1_pb2.OrderID) -> str:
    """The state of the order's settlement escrow, "" where there is none."""
    request = settlement_v1_pb2.QueryEscrowsByOrderRequest(order_id=show(order))
    escrows = node.ask(ESCROWS, request).escrows
    return escrows[0].state if escrows else ""


def _deployments(node: TenantNode, owner: str) -> Iterator[deployment_v1beta4_pb2.QueryDeploymentResponse]:
    """Asked state by state: without one the chain drops whole states (semantics 2.2 A)."""
    for state in ("active", "closed"):
        filters = deployment_v1beta4_pb2.DeploymentFilters(owner=owner, state=state)
        request = deployment_v1beta4_pb2.QueryDeploymentsRequest(filters=filters, pagination=PAGE)
        yield from node.ask(DEPLOYMENTS, request).deployments


def _trade(node: TenantNode, owner: str, found: deployment_v1beta4_pb2.QueryDeploymentResponse) -> Trade:
    number = found.deployment.id.dseq
    order = max(_orders(node, owner, number), key=lambda o: o.id.oseq)
    bids = market_v1beta5_pb2.BidFilters(owner=owner, dseq=number, gseq=1, oseq=order.id.oseq)
    asked = market_v1beta5_pb2.QueryBidsRequest(filters=bids, pagination=PAGE)
    offers = [_offer(b.bid) for b in node.ask(BIDS, asked).bids]
    leases = market_v1_pb2.LeaseFilters(owner=owner, dseq=number, gseq=1, oseq=order.id.oseq)
    leased = node.ask(LEASES, market_v1beta5_pb2.QueryLeasesRequest(filters=leases, pagination=PAGE)).leases
    lease = leased[0].lease if leased else None
    return Trade(
        number=number,
        state=type(found.deployment).State.Name(found.deployment.state),
        order=order.id,
        order_state=type(order).State.Name(order.state),
        offers=tuple(offers),
        lease=lease.id if lease else None,
        lease_state=type(lease).State.Name(lease.state) if lease else "",
        funds=sum((decimal(f.amount) for f in found.escrow_account.state.funds), Decimal(0)),
    )


def _orders(node: TenantNode, owner: str, number: int) -> Iterator[market_v1beta5_pb2.Order]:
    filters = market_v1beta5_pb2.OrderFilters(owner=owner, dseq=number)
    request = market_v1beta5_pb2.QueryOrdersRequest(filters=filters, pagination=PAGE)
    yield from node.ask(ORDERS, request).orders


def _offer(bid: market_v1beta5_pb2.Bid) -> Offer:
    return Offer(bid.id, decimal(bid.price.amount), type(bid).State.Name(bid.state))


def decimal(text: str) -> Decimal:
    """A decimal of the chain: an integer times 10^18 (semantics 2)."""
    return Decimal(text or "0").scaleb(-18)

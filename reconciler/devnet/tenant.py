"""SIMULATOR: what a tenant, or a rival, does on the market: order, bid, accept, close, deposit, escrow."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from reconciler.chain.keys import PrivateKey
from reconciler.chain.proto import base_attributes_v1_pb2 as attributes_pb2
from reconciler.chain.proto import base_deposit_v1_pb2 as deposit_pb2
from reconciler.chain.proto import base_resources_v1beta4_pb2 as resources_pb2
from reconciler.chain.proto import (
    deployment_v1_pb2,
    deployment_v1beta4_pb2,
    escrow_id_v1_pb2,
    escrow_v1_pb2,
    market_v1_pb2,
    market_v1beta5_pb2,
    settlement_v1_pb2,
)
from reconciler.chain.proto.cosmos_coin_pb2 import Coin, DecCoin
from reconciler.devnet.faults import DevnetError
from reconciler.devnet.node import Landed, TenantNode
from reconciler.devnet.trading import Trade, next_number, trades

DEPOSIT_UVE = 50_000_000
BID_DEPOSIT_UVE = 500_000
ESCROW_UVE = 1_000_000
ESCROW_SECONDS = 86_400
HASH = bytes(32)
"""Of the tenant's manifest; nobody on a devnet looks at it."""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What an order asks for; the price is the most that is paid for all of it, in uve a block."""

    price: Decimal
    cpu_milli: int = 1000
    memory_mb: int = 1024
    storage_mb: int = 1024
    attributes: tuple[tuple[str, str], ...] = ()
    deposit: int = DEPOSIT_UVE


class Tenant:
    """One account on the market, acting through a node."""

    def __init__(self, node: TenantNode, key: PrivateKey) -> None:
        self.node = node
        self.key = key

    @property
    def address(self) -> str:
        """Its address."""
        return self.key.address

    def order(self, *wishes: OrderRequest) -> tuple[market_v1_pb2.OrderID, ...]:
        """Post an order for each wish, each in a deployment of its own, all in one transaction."""
        first = next_number(self.node)
        numbers = range(first, first + len(wishes))
        self.node.do(self.key, [self._deployment(n, w) for n, w in zip(numbers, wishes, strict=True)])
        return tuple(market_v1_pb2.OrderID(owner=self.address, dseq=n, gseq=1, oseq=1) for n in numbers)

    def bid(self, order: market_v1_pb2.OrderID, price: Decimal) -> Landed:
        """Bid on somebody's order, as a registered provider."""
        bid = market_v1beta5_pb2.MsgCreateBid(
            id=bid_id(order, self.address),
            price=_dec_coin(price),
            deposit=_deposit(BID_DEPOSIT_UVE),
        )
        return self.node.do(self.key, [bid])

    def accept(self, *bids: market_v1_pb2.BidID) -> Landed:
        """Make leases of these bids on our orders."""
        return self.node.do(self.key, [market_v1beta5_pb2.MsgCreateLease(bid_id=bid) for bid in bids])

    def close(self, number: int) -> Landed:
        """Close the deployment of this number; what is left of its deposit comes back."""
        return self.node.do(
            self.key, [deployment_v1beta4_pb2.MsgCloseDeployment(id=self._deployment_id(number))]
        )

    def deposit(self, number: int, amount: int) -> Landed:
        """Put more uve into the deployment's escrow."""
        account = escrow_id_v1_pb2.Account(
            scope=escrow_id_v1_pb2.Scope.deployment, xid=f"{self.address}/{number}"
        )
        message = escrow_v1_pb2.MsgAccountDeposit(signer=self.address, id=account, deposit=_deposit(amount))
        return self.node.do(self.key, [message])

    def escrow(
        self, bid: market_v1_pb2.BidID, amount: int = ESCROW_UVE, seconds: int = ESCROW_SECONDS
    ) -> str:
        """Make a settlement escrow for a lease's order and activate it for its provider; the escrow's id."""
        order = f"{bid.owner}/{bid.dseq}/{bid.gseq}/{bid.oseq}"
        create = settlement_v1_pb2.MsgCreateEscrow(
            sender=self.address, order_id=order, amount=[_coin(amount)], expires_in=seconds
        )
        made = self.node.do(self.key, [create])
        found = settlement_v1_pb2.MsgCreateEscrowResponse.FromString(made.answers[0]).escrow_id
        activate = settlement_v1_pb2.MsgActivateEscrow(
            sender=self.address, escrow_id=found, lease_id=f"{order}/{bid.provider}", recipient=bid.provider
        )
        self.node.do(self.key, [activate])
        return found

    def trades(self) -> tuple[Trade, ...]:
        """Everything that it ever ordered, newest last."""
        return trades(self.node, self.address)

    def trade(self, number: int) -> Trade:
        """The deployment of this number; DevnetError where there is none of ours."""
        for found in self.trades():
            if found.number == number:
                return found
        known = ", ".join(str(t.number) for t in self.trades()) or "none"
        raise DevnetError(f"{self.address} has no deployment {number}; it has {known}")

    def _deployment_id(self, number: int) -> deployment_v1_pb2.DeploymentID:
        return deployment_v1_pb2.DeploymentID(owner=self.address, dseq=number)

    def _deployment(self, number: int, wish: OrderRequest) -> deployment_v1beta4_pb2.MsgCreateDeployment:
        return deployment_v1beta4_pb2.MsgCreateDeployment(
            id=self._deployment_id(number),
            groups=[_group(wish)],
            hash=HASH,
            deposit=_deposit(wish.deposit),
        )


def bid_id(order: market_v1_pb2.OrderID, provider: str) -> market_v1_pb2.BidID:
    """A provider's bid on an order."""
    return market_v1_pb2.BidID(
        owner=order.owner, dseq=order.dseq, gseq=order.gseq, oseq=order.oseq, provider=provider
    )


def _group(wish: OrderRequest) -> deployment_v1beta4_pb2.GroupSpec:
    resources = resources_pb2.Resources(
        id=1,
        cpu=resources_pb2.CPU(units=_value(wish.cpu_milli)),
        memory=resources_pb2.Memory(quantity=_value(wish.memory_mb << 20)),
        storage=[resources_pb2.Storage(name="default", quantity=_value(wish.storage_mb << 20))],
        gpu=resources_pb2.GPU(units=_value(0)),
        endpoints=[resources_pb2.Endpoint(kind=resources_pb2.Endpoint.SHARED_HTTP)],
    )
    unit = deployment_v1beta4_pb2.ResourceUnit(resource=resources, count=1, price=_dec_coin(wish.price))
    wanted = [attributes_pb2.Attribute(key=k, value=v) for k, v in wish.attributes]
    return deployment_v1beta4_pb2.GroupSpec(
        name="westcoast",
        requirements=attributes_pb2.PlacementRequirements(
            signed_by=attributes_pb2.SignedBy(), attributes=wanted
        ),
        resources=[unit],
    )


def _value(number: int) -> resources_pb2.ResourceValue:
    return resources_pb2.ResourceValue(val=str(number).encode())


def _coin(amount: int) -> Coin:
    return Coin(denom="uve", amount=str(amount))


def _dec_coin(amount: Decimal) -> DecCoin:
    return DecCoin(denom="uve", amount=str(int(amount.scaleb(18))))


def _deposit(amount: int) -> deposit_pb2.Deposit:
    return deposit_pb2.Deposit(amount=_coin(amount), sources=[deposit_pb2.balance])

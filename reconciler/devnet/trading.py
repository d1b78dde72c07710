"""SIMULATOR: accounts that trade on a market: tenants order, accept and pay; rival providers bid."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from google.protobuf.message import Message

from reconciler.chain.broadcast import BROADCAST, GET_TX, SIMULATE
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.keys import PrivateKey
from reconciler.chain.node_errors import NodeRefusedError
from reconciler.chain.proto import base_attributes_v1_pb2 as attributes_pb2
from reconciler.chain.proto import base_deposit_v1_pb2 as deposit_pb2
from reconciler.chain.proto import base_resources_v1beta4_pb2 as resources_pb2
from reconciler.chain.proto import (
    cosmos_abci_pb2,
    cosmos_blocks_pb2,
    cosmos_paging_pb2,
    deployment_v1beta4_pb2,
    escrow_id_v1_pb2,
    escrow_v1_pb2,
    market_v1_pb2,
    market_v1beta5_pb2,
    settlement_v1_pb2,
)
from reconciler.chain.proto import cosmos_tx_pb2 as tx_pb2
from reconciler.chain.queries import BIDS, DEPLOYMENTS, ESCROWS, LEASES, ORDERS, Queries
from reconciler.chain.stubs import unary
from reconciler.chain.transactions import Signer, Terms, draft_tx, sign_tx
from reconciler.chain.wire_market import bid_id_to, deployment_id_to, lease_id_of, order_id_of
from reconciler.chain.wire_values import coin, dec_coin, decimal_of, exact_uve, offer_of
from reconciler.devnet.accounts import CHAIN_ID
from reconciler.devnet.errors import DevnetError
from reconciler.manifests.groups import GroupSpec
from reconciler.manifests.sdl_groups import SdlDeployment
from reconciler.values.ids import BidId, DeploymentId, LeaseId, OrderId

LATEST_BLOCK = unary(
    "cosmos.base.tendermint.v1beta1.Service",
    cosmos_blocks_pb2.GetLatestBlockRequest,
    cosmos_blocks_pb2.GetLatestBlockResponse,
)
ANSWER_SECONDS = 10
INCLUSION_SECONDS = 60
TIMEOUT_BLOCKS = 10
GAS_ADJUSTMENT = 1.5
FEE_GAS = 20_000
"""Gas that a simulation without a fee leaves out (semantics 1.3)."""

DEPOSIT_UVE = 50_000_000
BID_DEPOSIT_UVE = 500_000
ESCROW_UVE = 50_000_000
ESCROW_SECONDS = 86_400
FIRST_DSEQ = 1_000_001
"""Numbers are of one width, as the chain takes the account of 123 for one of 12, too (semantics 4.4)."""

MANIFEST_HASH = bytes(32)
"""Of an order that is not made of an SDL file: no manifest has it."""

PAGE = cosmos_paging_pb2.PageRequest(limit=1_000)


@dataclass(frozen=True, slots=True)
class IncludedTx:
    """A transaction in a block, and the responses to its messages."""

    height: int
    responses: tuple[bytes, ...] = ()


def pause() -> None:
    """Wait for a part of a block's time."""
    time.sleep(0.05)


class TransactionClient:
    """Sends transactions to a node and waits for their blocks, with `wait` between two queries.

    Every method raises `NodeError` where the node does not answer.
    """

    def __init__(self, node: GrpcNode, wait: Callable[[], None] = pause) -> None:
        self.node = node
        self._wait = wait

    def height(self) -> int:
        """The height of the last block."""
        return self.node.call(LATEST_BLOCK, cosmos_blocks_pb2.GetLatestBlockRequest()).block.header.height

    def balance(self, address: str) -> int:
        """Spendable uve."""
        return Queries(self.node).balance(address)

    def execute(self, key: PrivateKey, messages: Sequence[Message]) -> IncludedTx:
        """Sign and send one transaction and wait for its block; DevnetError if the chain refuses it."""
        tx_hash = self._send(key, messages)
        last, deadline = self.height() + TIMEOUT_BLOCKS, time.monotonic() + INCLUSION_SECONDS
        while time.monotonic() < deadline:
            if (included := self._included(tx_hash)) is not None:
                return included
            if self.height() > last:
                break
            self._wait()
        raise DevnetError(f"transaction {tx_hash} is in no block; check that the devnet still makes blocks")

    def _send(self, key: PrivateKey, messages: Sequence[Message]) -> str:
        account = Queries(self.node).account(key.address)
        if account is None:
            raise DevnetError(f"{key.address} has no account on the chain")
        signer = Signer(CHAIN_ID, account.account_number, account.sequence)
        draft = draft_tx(messages, signer, Terms(0, 0, 0), key.public)
        try:
            used = self.node.call(SIMULATE, tx_pb2.SimulateRequest(tx_bytes=draft)).gas_info.gas_used
        except NodeRefusedError as error:
            raise DevnetError(f"the chain refuses it: {error.text}") from None
        gas = int((used + FEE_GAS) * GAS_ADJUSTMENT)
        terms = Terms(gas, _fee(gas), self.height() + TIMEOUT_BLOCKS)
        ready = sign_tx(messages, signer, terms, key)
        request = tx_pb2.BroadcastTxRequest(tx_bytes=ready.raw, mode=tx_pb2.BROADCAST_MODE_SYNC)
        answer = self.node.call(BROADCAST, request).tx_response
        if answer.code:
            raise DevnetError(f"the chain refuses it: {answer.raw_log}")
        return ready.hash

    def _included(self, tx_hash: str) -> IncludedTx | None:
        found = Queries(self.node).find(GET_TX, tx_pb2.GetTxRequest(hash=tx_hash))
        if found is None:
            return None
        answer = found.tx_response
        if answer.code:
            raise DevnetError(f"the chain refused it in block {answer.height}: {answer.raw_log}")
        data = cosmos_abci_pb2.TxMsgData.FromString(bytes.fromhex(answer.data))
        return IncludedTx(answer.height, tuple(each.value for each in data.msg_responses))


def _fee(gas: int) -> int:
    """At 0.025uve a unit, rounded up."""
    return -(-gas // 40)


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """The contents of an order; the price is the maximum for all of it, in uve a block."""

    price: Decimal
    cpu_milli: int = 1000
    memory_mb: int = 1024
    storage_mb: int = 1024
    attributes: tuple[tuple[str, str], ...] = ()
    deposit: int = DEPOSIT_UVE


@dataclass(frozen=True, slots=True)
class Offer:
    """A bid on one of our orders: its price in uve a block, and the bid's state."""

    id: BidId
    price: Decimal
    state: str


@dataclass(frozen=True, slots=True)
class Trade:
    """A deployment: its state, its newest order, the bids on it, its lease, and the uve left in its escrow;
    `settlement` is the state of the order's settlement escrow. A state is "" where the object is missing.
    """

    dseq: int
    state: str
    order: OrderId
    order_state: str
    offers: tuple[Offer, ...]
    lease: LeaseId | None
    lease_state: str
    funds: Decimal
    settlement: str

    def best(self, provider: str = "") -> BidId:
        """The cheapest open bid, or that of one provider; DevnetError if there is none."""
        wanted = [o for o in self.offers if o.state == "open" and provider in ("", o.id.provider)]
        if not wanted:
            whose = f" of {provider}" if provider else ""
            raise DevnetError(f"there is no open bid{whose} on order {self.order}; wait for one")
        return min(wanted, key=lambda o: (o.price, o.id.provider)).id

    def active_lease(self) -> LeaseId:
        """The lease; DevnetError if there is no active one."""
        if self.lease is None or self.lease_state != "active":
            raise DevnetError(f"deployment {self.dseq} has no active lease; accept a bid first")
        return self.lease


class Trader:
    """One account on the market: a tenant, or a provider that bids."""

    def __init__(self, client: TransactionClient, key: PrivateKey) -> None:
        self.client = client
        self.key = key

    @property
    def address(self) -> str:
        """Its address."""
        return self.key.address

    def execute(self, *messages: Message) -> IncludedTx:
        """One transaction of this account."""
        return self.client.execute(self.key, messages)

    def order(self, *requests: OrderRequest) -> tuple[OrderId, ...]:
        """Post orders, each in a deployment of its own, all in one transaction."""
        first = self._next_dseq()
        orders = tuple(OrderId(self.address, first + at, 1, 1) for at in range(len(requests)))
        self.execute(
            *(
                deployment_v1beta4_pb2.MsgCreateDeployment(
                    id=deployment_id_to(order.deployment),
                    groups=[_group(request)],
                    hash=MANIFEST_HASH,
                    deposit=_deposit(request.deposit),
                )
                for order, request in zip(orders, requests, strict=True)
            )
        )
        return orders

    def deploy(self, deployment: SdlDeployment, deposit: int = DEPOSIT_UVE) -> DeploymentId:
        """Create the deployment of an SDL file, with the hash of its manifest and an order for each group."""
        made = DeploymentId(self.address, self._next_dseq())
        self.execute(
            deployment_v1beta4_pb2.MsgCreateDeployment(
                id=deployment_id_to(made),
                groups=[_group_of(spec) for spec in deployment.groups],
                hash=bytes.fromhex(deployment.manifest.hash()),
                deposit=_deposit(deposit),
            )
        )
        return made

    def _next_dseq(self) -> int:
        used = [d.deployment.id.dseq for d in self._deployments("")]
        return max([FIRST_DSEQ - 1, *used]) + 1

    def bid(self, order: OrderId, price: Decimal) -> None:
        """Bid on an order, as a registered provider."""
        bid = bid_id_to(BidId(order, self.address))
        self.execute(
            market_v1beta5_pb2.MsgCreateBid(id=bid, price=dec_coin(price), deposit=_deposit(BID_DEPOSIT_UVE))
        )

    def accept(self, *bids: BidId) -> IncludedTx:
        """Create leases from these bids on our orders."""
        return self.execute(*(market_v1beta5_pb2.MsgCreateLease(bid_id=bid_id_to(bid)) for bid in bids))

    def close(self, dseq: int) -> IncludedTx:
        """Close a deployment; the rest of its deposit is refunded."""
        deployment = deployment_id_to(DeploymentId(self.address, dseq))
        return self.execute(deployment_v1beta4_pb2.MsgCloseDeployment(id=deployment))

    def deposit(self, dseq: int, amount: int) -> None:
        """Put more uve into a deployment's escrow."""
        account = escrow_id_v1_pb2.Account(
            scope=escrow_id_v1_pb2.Scope.deployment, xid=f"{self.address}/{dseq}"
        )
        self.execute(
            escrow_v1_pb2.MsgAccountDeposit(signer=self.address, id=account, deposit=_deposit(amount))
        )

    def escrow(self, lease: LeaseId, amount: int = ESCROW_UVE, seconds: int = ESCROW_SECONDS) -> str:
        """Create a settlement escrow for a lease's order, active for its provider; the escrow's id."""
        created = self.create_escrow(lease, amount, seconds)
        escrow_id = settlement_v1_pb2.MsgCreateEscrowResponse.FromString(created.responses[0]).escrow_id
        self.activate_escrow(lease, escrow_id)
        return escrow_id

    def create_escrow(self, lease: LeaseId, amount: int, seconds: int = ESCROW_SECONDS) -> IncludedTx:
        """Create a settlement escrow for a lease's order."""
        return self.execute(
            settlement_v1_pb2.MsgCreateEscrow(
                sender=self.address, order_id=str(lease.order), amount=[coin(amount)], expires_in=seconds
            )
        )

    def activate_escrow(self, lease: LeaseId, escrow_id: str) -> None:
        """Let the lease's provider draw on a settlement escrow."""
        self.execute(
            settlement_v1_pb2.MsgActivateEscrow(
                sender=self.address, escrow_id=escrow_id, lease_id=str(lease), recipient=lease.provider
            )
        )

    def trades(self) -> tuple[Trade, ...]:
        """All of its deployments, by number."""
        found = sorted(self._deployments(self.address), key=lambda d: d.deployment.id.dseq)
        return tuple(self._trade(each) for each in found)

    def trade(self, dseq: int) -> Trade:
        """One of its deployments; DevnetError if there is none of this number."""
        trades = {trade.dseq: trade for trade in self.trades()}
        if dseq not in trades:
            known = ", ".join(map(str, trades)) or "none"
            raise DevnetError(f"{self.address} has no deployment {dseq}; it has {known}")
        return trades[dseq]

    def _deployments(self, owner: str) -> Iterator[deployment_v1beta4_pb2.QueryDeploymentResponse]:
        """One query for each state: without one the chain drops whole states (semantics 2.2 A)."""
        for state in ("active", "closed"):
            filters = deployment_v1beta4_pb2.DeploymentFilters(owner=owner, state=state)
            request = deployment_v1beta4_pb2.QueryDeploymentsRequest(filters=filters, pagination=PAGE)
            yield from self.client.node.call(DEPLOYMENTS, request).deployments

    def _trade(self, found: deployment_v1beta4_pb2.QueryDeploymentResponse) -> Trade:
        ask, owner, dseq = self.client.node.call, self.address, found.deployment.id.dseq
        orders = market_v1beta5_pb2.OrderFilters(owner=owner, dseq=dseq)
        order = max(
            ask(ORDERS, market_v1beta5_pb2.QueryOrdersRequest(filters=orders, pagination=PAGE)).orders,
            key=lambda o: o.id.oseq,
        )
        bids = market_v1beta5_pb2.BidFilters(owner=owner, dseq=dseq, gseq=1, oseq=order.id.oseq)
        leases = market_v1_pb2.LeaseFilters(owner=owner, dseq=dseq, gseq=1, oseq=order.id.oseq)
        offers = ask(BIDS, market_v1beta5_pb2.QueryBidsRequest(filters=bids, pagination=PAGE)).bids
        leased = ask(LEASES, market_v1beta5_pb2.QueryLeasesRequest(filters=leases, pagination=PAGE)).leases
        lease = leased[0].lease if leased else None
        request = settlement_v1_pb2.QueryEscrowsByOrderRequest(order_id=str(order_id_of(order.id)))
        escrows = ask(ESCROWS, request).escrows
        return Trade(
            dseq=dseq,
            state=type(found.deployment).State.Name(found.deployment.state),
            order=order_id_of(order.id),
            order_state=type(order).State.Name(order.state),
            offers=tuple(
                Offer(
                    lease_id_of(o.bid.id),
                    decimal_of(o.bid.price.amount),
                    type(o.bid).State.Name(o.bid.state),
                )
                for o in offers
            ),
            lease=lease_id_of(lease.id) if lease else None,
            lease_state=type(lease).State.Name(lease.state) if lease else "",
            funds=exact_uve(found.escrow_account.state.funds),
            settlement=escrows[0].state if escrows else "",
        )


def _group(request: OrderRequest) -> deployment_v1beta4_pb2.GroupSpec:
    resources = resources_pb2.Resources(
        id=1,
        cpu=resources_pb2.CPU(units=_value(request.cpu_milli)),
        memory=resources_pb2.Memory(quantity=_value(request.memory_mb << 20)),
        storage=[resources_pb2.Storage(name="default", quantity=_value(request.storage_mb << 20))],
        gpu=resources_pb2.GPU(units=_value(0)),
        endpoints=[resources_pb2.Endpoint(kind=resources_pb2.Endpoint.SHARED_HTTP)],
    )
    unit = deployment_v1beta4_pb2.ResourceUnit(resource=resources, count=1, price=dec_coin(request.price))
    attributes = [attributes_pb2.Attribute(key=k, value=v) for k, v in request.attributes]
    return deployment_v1beta4_pb2.GroupSpec(
        name="westcoast",
        requirements=attributes_pb2.PlacementRequirements(
            signed_by=attributes_pb2.SignedBy(), attributes=attributes
        ),
        resources=[unit],
    )


def _group_of(spec: GroupSpec) -> deployment_v1beta4_pb2.GroupSpec:
    """A group of an SDL file."""
    units = [
        deployment_v1beta4_pb2.ResourceUnit(
            resource=offer_of(unit).resources, count=unit.count, price=dec_coin(unit.price)
        )
        for unit in spec.units
    ]
    signed_by = attributes_pb2.SignedBy(all_of=spec.signed_by_all, any_of=spec.signed_by_any)
    attributes = [attributes_pb2.Attribute(key=k, value=v) for k, v in spec.attributes]
    requirements = attributes_pb2.PlacementRequirements(signed_by=signed_by, attributes=attributes)
    return deployment_v1beta4_pb2.GroupSpec(name=spec.name, requirements=requirements, resources=units)


def _value(number: int) -> resources_pb2.ResourceValue:
    return resources_pb2.ResourceValue(val=str(number).encode())


def _deposit(amount: int) -> deposit_pb2.Deposit:
    return deposit_pb2.Deposit(amount=coin(amount), sources=[deposit_pb2.balance])

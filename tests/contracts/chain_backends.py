"""Chains to hold the client to: the simulated one, and the node that NODE_GRPC, NODE_RPC and KEYRING name."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from google.protobuf.message import Message

from reconciler.chain.broadcast import BROADCAST
from reconciler.chain.client import ChainClient, ClientOptions
from reconciler.chain.full_view import read_rules
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.keyring import open_keyring
from reconciler.chain.keys import PrivateKey
from reconciler.chain.proto import (
    base_attributes_v1_pb2,
    base_deposit_v1_pb2,
    base_resources_v1beta4_pb2,
    deployment_v1_pb2,
    deployment_v1beta4_pb2,
    escrow_id_v1_pb2,
    escrow_v1_pb2,
    market_v1beta5_pb2,
    settlement_v1_pb2,
)
from reconciler.chain.proto.cosmos_tx_pb2 import BROADCAST_MODE_SYNC, BroadcastTxRequest
from reconciler.chain.queries import ESCROWS, Queries
from reconciler.chain.rpc import Rpc
from reconciler.chain.transactions import Signer, Terms, sign_tx
from reconciler.chain.tx_builder import FeePolicy
from reconciler.chain.wire_market import bid_id_to, lease_id_to
from reconciler.chain.wire_values import coin, dec_coin
from reconciler.devnet import accounts as people
from reconciler.devnet.chain.genesis import Gates
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.serving import serve
from reconciler.values.ids import DeploymentId, LeaseId, OrderId
from reconciler.values.intents import FeeTerms
from reconciler.values.money import fee_of
from reconciler.values.observed import TxResult

GAS = 600_000
FEE_MAX = 1_000_000
"""Of each message."""
ATTRIBUTE = base_attributes_v1_pb2.Attribute
RESOURCES = base_resources_v1beta4_pb2


def fee_terms(messages: int, fee_max: int = FEE_MAX, gas_factor: str = "1.05") -> FeeTerms:
    """The terms of a transaction of so many messages."""
    return FeeTerms(fee_max, (fee_max,) * messages, Decimal(gas_factor))


class RefusedError(AssertionError):
    """The chain refused what somebody else did."""


@dataclass(slots=True)
class ChainWorld:
    """A chain, our provider on it, and tenants who trade with it."""

    chain_id: str
    node: GrpcNode
    rpc: Rpc
    provider: PrivateKey
    tenants: tuple[PrivateKey, ...]
    advance: Callable[[], None]
    simulated: SimulatedChain | None = None
    rivals: tuple[PrivateKey, ...] = ()
    numbers: int = field(default_factory=lambda: int(time.time() * 1000) % 10**12 + 10**12)
    clients: list[ChainClient] = field(default_factory=list)

    def client(self, **expected: object) -> ChainClient:
        """A new client of the provider's, as the daemon makes one at its start."""
        wanted = ClientOptions(self.chain_id, clock=self._clock)
        node = GrpcNode(self.node.target)
        made = ChainClient(node, self.rpc, self.provider, replace(wanted, **expected), FeePolicy())  # type: ignore[arg-type]  # the caller's fields
        self.clients.append(made)
        return made

    def height(self) -> int:
        """The newest."""
        return self.rpc.status().height

    def do(self, key: PrivateKey, *messages: Message) -> TxResult:
        """One transaction of somebody else's, in a block."""
        queries = Queries(self.node)
        account = queries.account(key.address)
        assert account is not None
        signer = Signer(self.chain_id, account.account_number, account.sequence)
        fee = fee_of(GAS * len(messages), read_rules(queries).gas_price)
        made = sign_tx(messages, signer, Terms(GAS * len(messages), fee, self.height() + 20), key)
        request = BroadcastTxRequest(tx_bytes=made.raw, mode=BROADCAST_MODE_SYNC)
        answer = self.node.call(BROADCAST, request).tx_response
        if answer.code:
            raise RefusedError(answer.raw_log)
        for _ in range(10):
            self.advance()
            if (result := self.rpc.transaction(made.hash)) is not None:
                if result.code:
                    raise RefusedError(result.log)
                return result
        raise AssertionError("ten blocks without the transaction")

    def order(
        self, tenant: PrivateKey, price: str = "4000", usage: bool = False, deposit: int = 5_000_000
    ) -> OrderId:
        """A tenant's new order for one small unit."""
        self.numbers += 1
        deployment = deployment_v1_pb2.DeploymentID(owner=tenant.address, dseq=self.numbers)
        attributes = [ATTRIBUTE(key="billing", value="usage")] if usage else []
        self.do(
            tenant,
            deployment_v1beta4_pb2.MsgCreateDeployment(
                id=deployment,
                groups=[_group(price, attributes)],
                hash=bytes(32),
                deposit=_deposit(deposit),
            ),
        )
        return OrderId(tenant.address, self.numbers, 1, 1)

    def accept(self, tenant: PrivateKey, bid: LeaseId) -> None:
        """The tenant makes a lease of a bid."""
        self.do(tenant, market_v1beta5_pb2.MsgCreateLease(bid_id=bid_id_to(bid)))

    def bid_as(self, key: PrivateKey, order: OrderId, price: int) -> LeaseId:
        """Another provider's bid."""
        bid = LeaseId(order, key.address)
        message = market_v1beta5_pb2.MsgCreateBid(
            id=bid_id_to(bid), price=dec_coin(Decimal(price)), deposit=_deposit(500_000)
        )
        self.do(key, message)
        return bid

    def close_lease(self, tenant: PrivateKey, lease: LeaseId) -> None:
        """The tenant ends a lease; the order's group stays open and a new order appears."""
        self.do(tenant, market_v1beta5_pb2.MsgCloseLease(id=lease_id_to(lease), reason="lease_closed_owner"))

    def close_deployment(self, tenant: PrivateKey, deployment: DeploymentId) -> None:
        """The tenant ends a deployment."""
        wire = deployment_v1_pb2.DeploymentID(owner=deployment.owner, dseq=deployment.dseq)
        self.do(tenant, deployment_v1beta4_pb2.MsgCloseDeployment(id=wire))

    def top_up(self, tenant: PrivateKey, deployment: DeploymentId, amount: int) -> None:
        """The tenant adds to a deployment's escrow account."""
        account = escrow_id_v1_pb2.Account(scope=escrow_id_v1_pb2.deployment, xid=str(deployment))
        message = escrow_v1_pb2.MsgAccountDeposit(signer=tenant.address, id=account, deposit=_deposit(amount))
        self.do(tenant, message)

    def settlement_escrow(self, tenant: PrivateKey, lease: LeaseId, amount: int) -> None:
        """The tenant makes and activates a settlement escrow for a lease's order."""
        order = str(lease.order)
        self.do(
            tenant,
            settlement_v1_pb2.MsgCreateEscrow(
                sender=tenant.address, order_id=order, amount=[coin(amount)], expires_in=86_400
            ),
        )
        asked = settlement_v1_pb2.QueryEscrowsByOrderRequest(order_id=order)
        escrow = self.node.call(ESCROWS, asked).escrows[0]
        self.do(
            tenant,
            settlement_v1_pb2.MsgActivateEscrow(
                sender=tenant.address,
                escrow_id=escrow.escrow_id,
                lease_id=str(lease),
                recipient=lease.provider,
            ),
        )

    def close(self) -> None:
        """Let the clients' connections go."""
        for client in self.clients:
            client.close()
        self.node.close()

    def _clock(self) -> float:
        return time.time() if self.simulated is None else self.simulated.time.timestamp()


@contextmanager
def simulated(gates: Gates | None = None) -> Iterator[ChainWorld]:
    """A chain in this process, stepped by the test alone."""
    begun = people.genesis()
    chain = SimulatedChain(replace(begun, gates=gates) if gates else begun)
    served = serve(chain)
    chain.step(chain.now_ns())

    def advance() -> None:
        chain.step()

    advance()
    world = ChainWorld(
        chain_id=people.CHAIN_ID,
        node=GrpcNode(served.grpc_target),
        rpc=Rpc(served.rpc_url),
        provider=people.key_of("provider"),
        tenants=(people.key_of("alice"), people.key_of("bob")),
        advance=advance,
        simulated=chain,
        rivals=(people.key_of("rival"), people.key_of("third")),
    )
    yield world
    world.close()
    # without waiting for it: an HTTP server takes half a second to notice
    threading.Thread(target=served.close, daemon=True).start()


def live_world() -> ChainWorld:
    """The node that the environment names; its keyring has `provider` and at least one tenant."""
    rpc = Rpc(os.environ["NODE_RPC"])
    keyring = open_keyring(Path(os.environ["KEYRING"]), os.environ.get("KEYRING_PASSPHRASE"))
    names = [entry.name for entry in keyring.entries() if entry.name != "provider"]
    wanted = [name for name in names if name.startswith(("tenant", "alice", "bob"))] or names

    def advance() -> None:
        before, ends = rpc.status().height, time.monotonic() + 60
        while rpc.status().height == before:
            assert time.monotonic() < ends, "no block within a minute"
            time.sleep(0.1)

    return ChainWorld(
        chain_id=rpc.status().chain_id,
        node=GrpcNode(os.environ["NODE_GRPC"]),
        rpc=rpc,
        provider=keyring.key("provider"),
        tenants=tuple(keyring.key(name) for name in wanted),
        advance=advance,
    )


def _group(
    price: str, attributes: list[base_attributes_v1_pb2.Attribute]
) -> deployment_v1beta4_pb2.GroupSpec:
    resources = RESOURCES.Resources(
        id=1,
        cpu=RESOURCES.CPU(units=_value(1000)),
        memory=RESOURCES.Memory(quantity=_value(1 << 30)),
        storage=[RESOURCES.Storage(name="default", quantity=_value(1 << 30))],
        gpu=RESOURCES.GPU(units=_value(0)),
        endpoints=[RESOURCES.Endpoint(kind="SHARED_HTTP")],
    )
    unit = deployment_v1beta4_pb2.ResourceUnit(resource=resources, count=1, price=dec_coin(Decimal(price)))
    requirements = base_attributes_v1_pb2.PlacementRequirements(attributes=attributes)
    return deployment_v1beta4_pb2.GroupSpec(name="one", requirements=requirements, resources=[unit])


def _value(number: int) -> base_resources_v1beta4_pb2.ResourceValue:
    return RESOURCES.ResourceValue(val=str(number).encode())


def _deposit(amount: int) -> base_deposit_v1_pb2.Deposit:
    return base_deposit_v1_pb2.Deposit(amount=coin(amount), sources=[base_deposit_v1_pb2.balance])

"""A simulated chain in the state in which the real command line client was recorded (vectors/cli)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.message import Message

from reconciler.chain.keys import PrivateKey
from reconciler.chain.proto import (
    base_attributes_v1_pb2,
    base_deposit_v1_pb2,
    base_resources_v1beta4_pb2,
    cosmos_auth_pb2,
    deployment_v1_pb2,
    deployment_v1beta4_pb2,
    market_v1_pb2,
    market_v1beta5_pb2,
)
from reconciler.chain.queries import ACCOUNT
from reconciler.chain.transactions import Signer, Terms, sign_tx
from reconciler.chain.wire_values import coin, dec_coin
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.serving import ServedChain, serve
from tests.replay.transcript import genesis, read

VECTORS = Path(__file__).parents[1] / "vectors"
FIRST, SECOND = 90010001, 90020001
BOBS = (7, 77, 777)
"""Numbers of which each begins the next: the chain's filters are prefixes of text (semantics 4.5)."""

GAS, FEE = 400_000, 10_000
"""What each transaction was sent with, as the recorded balance shows."""

RESOURCES = base_resources_v1beta4_pb2


@cache
def people() -> dict[str, PrivateKey]:
    """The recorded network's keys, by name."""
    head = _head()
    return {
        each["name"]: PrivateKey(bytes.fromhex(each["private_key_hex"]))
        for each in head["genesis"]["accounts"]
    }


@dataclass(slots=True)
class World:
    """A chain that a test steps, its ports, and what its people do."""

    chain: SimulatedChain
    served: ServedChain

    @property
    def by_grpc(self) -> list[str]:
        """The flags that name it by gRPC."""
        return ["--grpc-addr", self.served.grpc_target, "--grpc-insecure"]

    @property
    def by_rpc(self) -> list[str]:
        """The flag that names it by RPC."""
        return ["--node", self.served.rpc_url.replace("http://", "tcp://")]

    def do(self, height: int, name: str, *messages: Message) -> None:
        """One transaction of somebody's in the block of this height."""
        while self.chain.height < height - 1:
            self.chain.step()
        key = people()[name]
        made = sign_tx(messages, self._signer(key.address), Terms(GAS, FEE, 0), key)
        checked = self.chain.check_tx(made.raw)
        assert checked.code == 0, checked.log
        block = self.chain.step()
        assert [tx.outcome.code for tx in block.txs] == [0], block.txs[0].outcome.log

    def next(self, name: str, *messages: Message) -> None:
        """The same in the next block."""
        self.do(self.chain.height + 1, name, *messages)

    def close(self) -> None:
        """Close the ports."""
        self.served.close()

    def _signer(self, address: str) -> Signer:
        request = cosmos_auth_pb2.QueryAccountRequest(address=address)
        answer = self.chain.query(ACCOUNT.path, request.SerializeToString())
        account = cosmos_auth_pb2.BaseAccount()
        cosmos_auth_pb2.QueryAccountResponse.FromString(answer).account.Unpack(account)
        return Signer(self.chain.genesis.chain_id, account.account_number, account.sequence)


def recorded_world() -> World:
    """Two deployments of alice's: the provider leases the first, and bids on the second."""
    chain = SimulatedChain(genesis(_head()))
    chain.executor.metered = False  # the recorded gas limits are not what is tested
    world = World(chain, serve(chain))
    world.do(4, "alice", deployment(FIRST))
    world.do(5, "provider", bid(FIRST, 50))
    world.do(7, "alice", market_v1beta5_pb2.MsgCreateLease(bid_id=bid_id(FIRST)))
    world.do(8, "alice", deployment(SECOND))
    world.do(9, "provider", bid(SECOND, 55))
    while world.chain.height < 11:
        world.chain.step()
    return world


def deployment(number: int, owner: str = "alice") -> deployment_v1beta4_pb2.MsgCreateDeployment:
    """An order's deployment, as it was recorded."""
    group = deployment_v1beta4_pb2.GroupSpec(
        name="dcloud",
        requirements=base_attributes_v1_pb2.PlacementRequirements(),
        resources=[
            deployment_v1beta4_pb2.ResourceUnit(resource=resources(), count=1, price=dec_coin(Decimal(100)))
        ],
    )
    return deployment_v1beta4_pb2.MsgCreateDeployment(
        id=deployment_v1_pb2.DeploymentID(owner=people()[owner].address, dseq=number),
        groups=[group],
        hash=bytes(32),
        deposit=base_deposit_v1_pb2.Deposit(amount=coin(5_000_000), sources=[base_deposit_v1_pb2.balance]),
    )


def bid(number: int, price: int, bidder: str = "provider", owner: str = "alice") -> Message:
    """A bid on it, its offer as it was recorded."""
    return market_v1beta5_pb2.MsgCreateBid(
        id=bid_id(number, bidder, owner),
        price=dec_coin(Decimal(price)),
        deposit=base_deposit_v1_pb2.Deposit(amount=coin(500_000), sources=[base_deposit_v1_pb2.balance]),
        resources_offer=[market_v1beta5_pb2.ResourceOffer(resources=resources(), count=1)],
    )


def bid_id(number: int, bidder: str = "provider", owner: str = "alice") -> market_v1_pb2.BidID:
    """A bid's id."""
    return market_v1_pb2.BidID(
        owner=people()[owner].address, dseq=number, gseq=1, oseq=1, provider=people()[bidder].address
    )


def resources() -> base_resources_v1beta4_pb2.Resources:
    """A tenth of a core, 128 MiB, 512 MiB of storage, one endpoint."""
    return RESOURCES.Resources(
        id=1,
        cpu=RESOURCES.CPU(units=_value(100)),
        memory=RESOURCES.Memory(quantity=_value(128 << 20)),
        storage=[RESOURCES.Storage(name="default", quantity=_value(512 << 20))],
        gpu=RESOURCES.GPU(units=_value(0)),
        endpoints=[RESOURCES.Endpoint(kind="SHARED_HTTP")],
    )


def _value(number: int) -> base_resources_v1beta4_pb2.ResourceValue:
    return RESOURCES.ResourceValue(val=str(number).encode())


@cache
def _head() -> dict[str, Any]:
    with (VECTORS / "market-lifecycle.jsonl").open(encoding="utf-8") as lines:
        head: dict[str, Any] = json.loads(lines.readline())
    return head


def crowded_world() -> World:
    """Many orders, bids and leases in every state: those recorded in paging.jsonl, and rivals' and bob's."""
    recording = read(VECTORS / "paging.jsonl")
    chain = SimulatedChain(recording.genesis)
    chain.executor.metered = False
    raw = {step["hash"]: bytes.fromhex(step["tx_hex"]) for _, step in recording.steps if "tx_hex" in step}
    for block in recording.blocks:
        for name in block.txs:
            chain.check_tx(raw[name])
        chain.step(block.time_ns, include=block.txs)
    world = World(chain, serve(chain))
    for number in BOBS:
        world.next("bob", deployment(number, "bob"))
    for name in ("rival", "third", "provider"):
        world.next(name, *(bid(number, 60, name, "bob") for number in BOBS))
    world.next("rival", *(bid(number, 60, "rival") for number in (60000007, 60000008)))
    world.next("bob", market_v1beta5_pb2.MsgCreateLease(bid_id=bid_id(BOBS[1], "provider", "bob")))
    world.next("bob", market_v1beta5_pb2.MsgCreateLease(bid_id=bid_id(BOBS[2], "rival", "bob")))
    closing = deployment_v1_pb2.DeploymentID(owner=people()["bob"].address, dseq=BOBS[2])
    world.next("bob", deployment_v1beta4_pb2.MsgCloseDeployment(id=closing))
    return world

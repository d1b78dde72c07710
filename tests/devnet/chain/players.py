"""A small market for tests: accounts with keys, and their messages to the simulated chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from google.protobuf.message import Message

from reconciler.chain.keys import PrivateKey
from reconciler.chain.proto import deployment_v1beta4_pb2 as deployments
from reconciler.chain.proto import market_v1beta5_pb2 as markets
from reconciler.chain.proto.base_deposit_v1_pb2 import Deposit, Source
from reconciler.chain.proto.cosmos_bank_pb2 import MsgSend
from reconciler.chain.proto.cosmos_coin_pb2 import Coin, DecCoin
from reconciler.chain.transactions import Signer, Terms, sign_tx
from reconciler.devnet.chain import accounts
from reconciler.devnet.chain.bank import balance
from reconciler.devnet.chain.blocks import Included
from reconciler.devnet.chain.genesis import Gates, Genesis, GenesisAccount, GenesisProvider
from reconciler.devnet.chain.mempool import CheckedTx
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.store import Branch

CHAIN_ID = "test-chain-1"
START_NS = 1_795_500_000_000_000_000
FEE_UVE = 25_000
GAS = 1_000_000
RICH_UVE = 10**12


@cache
def key(name: str) -> PrivateKey:
    """The key of a name."""
    return PrivateKey(name.encode().rjust(32, b"\x01"))


@cache
def address(name: str) -> str:
    """The address of a name; deriving a key is slow."""
    return key(name).address


@dataclass(frozen=True, slots=True)
class Sending:
    """The options of a transaction."""

    gas: int = GAS
    fee: int = FEE_UVE
    timeout: int = 0
    sequence: int | None = None
    memo: str = ""
    chain_id: str = CHAIN_ID


PLAIN = Sending()
OPEN_GATES = Gates(identity=False)


def genesis(*, gates: Gates = OPEN_GATES, people: Sequence[str] = ()) -> Genesis:
    """Tenants alice and bob, providers one and two, and the named accounts."""
    names = ("alice", "bob", "one", "two", *people)
    return Genesis(
        chain_id=CHAIN_ID,
        accounts=tuple(GenesisAccount(address(name), RICH_UVE, score=80) for name in names),
        providers=tuple(
            GenesisProvider(address(name), f"https://{name}.example.com", {"region": name})
            for name in ("one", "two")
        ),
        gates=gates,
    )


class World:
    """A chain that is stepped by the test."""

    def __init__(self, start: Genesis | None = None) -> None:
        self.chain = SimulatedChain(start or genesis())
        self.chain.step(START_NS)

    def sequence(self, name: str) -> int:
        """An account's next sequence number at the newest block."""
        found = accounts.read(self.chain.view(), address(name))
        assert found is not None
        return found.sequence

    def balance(self, name: str) -> int:
        """An account's balance."""
        return balance(self.chain.view(), address(name), "uve")

    def bytes(self, name: str, *messages: Message, how: Sending = PLAIN) -> bytes:
        """A signed transaction."""
        account = accounts.find(Branch(self.chain.view()), address(name))
        assert account is not None
        sequence = account.sequence if how.sequence is None else how.sequence
        signer = Signer(how.chain_id, account.account_number, sequence)
        return sign_tx(messages, signer, Terms(how.gas, how.fee, how.timeout, how.memo), key(name)).raw

    def send(self, name: str, *messages: Message, how: Sending = PLAIN) -> CheckedTx:
        """Send a transaction; the result of its check."""
        return self.chain.check_tx(self.bytes(name, *messages, how=how))

    def do(self, name: str, *messages: Message, how: Sending = PLAIN) -> Included:
        """Send a transaction and make its block."""
        checked = self.send(name, *messages, how=how)
        assert not checked.code, checked.log
        return next(tx for tx in self.chain.step().txs if tx.hash == checked.hash)

    def lease(self, tenant: str, provider: str, dseq: int, price: int = 10) -> None:
        """An order, a bid and a lease, in three blocks."""
        for who, message in (
            (tenant, order(tenant, dseq)),
            (provider, bid(tenant, provider, dseq, price)),
            (tenant, accept(tenant, provider, dseq)),
        ):
            outcome = self.do(who, message).outcome
            assert not outcome.code, outcome.log


def pay(sender: str, recipient: str, amount: int) -> MsgSend:
    """A payment."""
    coins = [Coin(denom="uve", amount=str(amount))]
    return MsgSend(from_address=address(sender), to_address=address(recipient), amount=coins)


def deposit(amount: int) -> Deposit:
    """A deposit from one's own balance."""
    return Deposit(amount=Coin(denom="uve", amount=str(amount)), sources=[Source.balance])


def price(amount: int) -> DecCoin:
    """A price in uve a block."""
    return DecCoin(denom="uve", amount=str(amount * 10**18))


def order(tenant: str, dseq: int, amount: int = 5_000_000) -> deployments.MsgCreateDeployment:
    """An order for a thousandth of a core, at no more than 1000 uve a block."""
    unit = deployments.ResourceUnit(
        resource={
            "id": 1,
            "cpu": {"units": {"val": b"100"}},
            "memory": {"quantity": {"val": str(128 * 2**20).encode()}},
            "storage": [{"name": "default", "quantity": {"val": str(512 * 2**20).encode()}}],
            "gpu": {"units": {"val": b"0"}},
        },
        count=1,
        price=price(1000),
    )
    return deployments.MsgCreateDeployment(
        id={"owner": address(tenant), "dseq": dseq},
        groups=[deployments.GroupSpec(name="g", requirements={"signed_by": {}}, resources=[unit])],
        hash=bytes(32),
        deposit=deposit(amount),
    )


def bid(tenant: str, provider: str, dseq: int, amount: int = 10) -> markets.MsgCreateBid:
    """A bid on that order."""
    return markets.MsgCreateBid(
        id={**place(tenant, dseq), "provider": address(provider)},
        price=price(amount),
        deposit=deposit(500_000),
    )


def accept(tenant: str, provider: str, dseq: int) -> markets.MsgCreateLease:
    """The acceptance of that bid."""
    return markets.MsgCreateLease(bid_id={**place(tenant, dseq), "provider": address(provider)})


def withdraw(tenant: str, provider: str, dseq: int) -> markets.MsgWithdrawLease:
    """The withdrawal of a lease's earnings."""
    return markets.MsgWithdrawLease(id={**place(tenant, dseq), "provider": address(provider)})


def place(tenant: str, dseq: int) -> dict[str, str | int]:
    """The order of a tenant's deployment."""
    return {"owner": address(tenant), "dseq": dseq, "gseq": 1, "oseq": 1}

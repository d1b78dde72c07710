"""Tenants and rivals on the stepped chain: their transactions are handed to it at once, without sockets."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from reconciler.chain.keys import PrivateKey
from reconciler.chain.proto.cosmos_coin_pb2 import Coin
from reconciler.chain.proto.settlement_v1_pb2 import MsgActivateEscrow, MsgCreateEscrow
from reconciler.chain.stubs import Unary
from reconciler.chain.transactions import Signer, Terms, signed
from reconciler.devnet.accounts import CHAIN_ID, key_of
from reconciler.devnet.chain import accounts
from reconciler.devnet.chain.errors import TxRefusedError
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.store import Branch
from reconciler.devnet.node import Answered, Asked, Landed, TenantNode
from reconciler.devnet.tenant import Tenant
from reconciler.values.ids import LeaseId

GAS, FEE = 4_000_000, 100_000
ESCROW_UVE = 2_000_000


class SteppedNode(TenantNode):
    """Asks and sends within this process; a transaction lands when the test makes a block."""

    def __init__(self, chain: SimulatedChain) -> None:  # no socket, so nothing of the parent's is made
        self.target = "the stepped chain"
        self._chain = chain
        self._next: dict[str, int] = {}

    def find(self, method: Unary[Asked, Answered], request: Asked, height: int = 0) -> Answered | None:
        """The answer, None where the chain says that there is none."""
        try:
            return method.response.FromString(
                self._chain.query(method.path, request.SerializeToString(), height)
            )
        except TxRefusedError:
            return None

    def do(self, key: PrivateKey, messages: Sequence[Message]) -> Landed:
        """Hand one transaction in."""
        account = accounts.find(Branch(self._chain.view()), key.address)
        assert account is not None
        sequence = max(account.sequence, self._next.get(key.address, 0))
        self._next[key.address] = sequence + 1
        signer = Signer(CHAIN_ID, account.account_number, sequence)
        ready = signed(messages, signer, Terms(GAS, FEE, 0), key)
        checked = self._chain.check_tx(ready.raw)
        assert not checked.code, checked.log
        return Landed(ready.hash, 0, FEE, ())


class Actor(Tenant):
    """A tenant, or a rival, by its name on the devnet."""

    def __init__(self, chain: SimulatedChain, name: str) -> None:
        super().__init__(SteppedNode(chain), key_of(name))

    def make_escrow(self, lease: LeaseId) -> None:
        """A settlement escrow for a lease's order."""
        amount = [Coin(denom="uve", amount=str(ESCROW_UVE))]
        order = str(lease.order)
        self.node.do(
            self.key,
            [MsgCreateEscrow(sender=self.address, order_id=order, amount=amount, expires_in=86_400)],
        )

    def activate_escrow(self, lease: LeaseId, escrow: str) -> None:
        """Name the provider that may draw on it."""
        message = MsgActivateEscrow(
            sender=self.address, escrow_id=escrow, lease_id=str(lease), recipient=lease.provider
        )
        self.node.do(self.key, [message])

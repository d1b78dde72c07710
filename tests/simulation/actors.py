"""Tenants and rivals on the stepped chain; their transactions need no sockets."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from reconciler.chain.grpc_node import GrpcNode, Request, Response
from reconciler.chain.keys import PrivateKey
from reconciler.chain.node_errors import refused
from reconciler.chain.stubs import Unary
from reconciler.chain.transactions import Signer, Terms, sign_tx
from reconciler.devnet.accounts import CHAIN_ID, key_of
from reconciler.devnet.chain import accounts
from reconciler.devnet.chain.errors import TxRefusedError
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.store import Branch
from reconciler.devnet.trading import IncludedTx, Trader, TransactionClient

GAS, FEE = 4_000_000, 100_000
ESCROW_UVE = 2_000_000


class InProcessNode(GrpcNode):
    """Answers queries from a chain in this process."""

    def __init__(self, chain: SimulatedChain) -> None:  # there is no channel to open
        self._chain = chain

    def call(self, method: Unary[Request, Response], request: Request, height: int = 0) -> Response:
        try:
            answer = self._chain.query(method.path, request.SerializeToString(), height)
        except TxRefusedError as error:
            raise refused(method.path, error.status.name, error.text) from None
        return method.response.FromString(answer)


class InProcessClient(TransactionClient):
    """Submits transactions without waiting; the test makes the block that includes them."""

    def __init__(self, chain: SimulatedChain) -> None:
        super().__init__(InProcessNode(chain))
        self._chain = chain
        self._next: dict[str, int] = {}

    def execute(self, key: PrivateKey, messages: Sequence[Message]) -> IncludedTx:
        account = accounts.find(Branch(self._chain.view()), key.address)
        assert account is not None
        sequence = max(account.sequence, self._next.get(key.address, 0))
        self._next[key.address] = sequence + 1
        signer = Signer(CHAIN_ID, account.account_number, sequence)
        ready = sign_tx(messages, signer, Terms(GAS, FEE, 0), key)
        checked = self._chain.check_tx(ready.raw)
        assert not checked.code, checked.log
        return IncludedTx(0)


class Actor(Trader):
    """A tenant, or a rival, by its name on the devnet."""

    def __init__(self, chain: SimulatedChain, name: str) -> None:
        super().__init__(InProcessClient(chain), key_of(name))

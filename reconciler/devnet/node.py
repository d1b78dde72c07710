"""A node as a tenant's program sees it: plain gRPC, its own signatures, nothing of the daemon's client."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from reconciler.chain.keys import PrivateKey
from reconciler.chain.proto import cosmos_abci_pb2, cosmos_auth_pb2, cosmos_bank_pb2, cosmos_blocks_pb2
from reconciler.chain.proto import cosmos_tx_pb2 as tx_pb2
from reconciler.chain.stubs import Unary, unary
from reconciler.chain.transactions import Signer, Terms, signed, unsigned
from reconciler.devnet.accounts import CHAIN_ID
from reconciler.devnet.faults import DevnetError

AUTH = "cosmos.auth.v1beta1.Query"
BANK = "cosmos.bank.v1beta1.Query"
BLOCKS = "cosmos.base.tendermint.v1beta1.Service"
TX = "cosmos.tx.v1beta1.Service"

ACCOUNT = unary(AUTH, cosmos_auth_pb2.QueryAccountRequest, cosmos_auth_pb2.QueryAccountResponse)
BALANCE = unary(BANK, cosmos_bank_pb2.QueryBalanceRequest, cosmos_bank_pb2.QueryBalanceResponse)
LATEST = unary(BLOCKS, cosmos_blocks_pb2.GetLatestBlockRequest, cosmos_blocks_pb2.GetLatestBlockResponse)
SIMULATE = unary(TX, tx_pb2.SimulateRequest, tx_pb2.SimulateResponse)
BROADCAST = unary(TX, tx_pb2.BroadcastTxRequest, tx_pb2.BroadcastTxResponse)
GET_TX = unary(TX, tx_pb2.GetTxRequest, tx_pb2.GetTxResponse)

ANSWER_SECONDS = 10
TIMEOUT_BLOCKS = 10
GAS_ADJUSTMENT = 1.5
FEE_ROOM = 20_000
"""Gas that a simulation without a fee leaves out (semantics 1.3)."""

Asked = TypeVar("Asked", bound=Message)
Answered = TypeVar("Answered", bound=Message)


@dataclass(frozen=True, slots=True)
class Landed:
    """A transaction in a block: what it answered, and the fee in uve that it cost."""

    hash: str
    height: int
    fee: int
    answers: tuple[bytes, ...]


def pause() -> None:
    """Let a little of a block's time pass."""
    time.sleep(0.05)


class TenantNode:
    """One connection; close it in the end. `wait` is what to do while a transaction is on its way."""

    def __init__(self, target: str, wait: Callable[[], None] = pause) -> None:
        self.target = target
        self._wait = wait
        self._channel = grpc.insecure_channel(target, [("grpc.enable_http_proxy", 0)])

    def close(self) -> None:
        """Let the connection go."""
        self._channel.close()

    def ask(self, method: Unary[Asked, Answered], request: Asked) -> Answered:
        """The newest answer; DevnetError with the node's words."""
        found = self.find(method, request)
        if found is None:
            raise DevnetError(f"the chain at {self.target} knows nothing of what {method.path} asks")
        return found

    def find(self, method: Unary[Asked, Answered], request: Asked, height: int = 0) -> Answered | None:
        """The answer as of a height (0: the newest), None where the chain says that there is none."""
        metadata = (("x-cosmos-block-height", str(height)),) if height else ()
        try:
            return method.stub(self._channel)(request, timeout=ANSWER_SECONDS, metadata=metadata)
        except grpc.RpcError as error:
            if isinstance(error, grpc.Call) and error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            told = error.details() if isinstance(error, grpc.Call) else str(error)
            raise DevnetError(f"the chain at {self.target} does not answer {method.path}: {told}") from None

    def height(self) -> int:
        """The height of the last block."""
        return self.ask(LATEST, cosmos_blocks_pb2.GetLatestBlockRequest()).block.header.height

    def balance(self, address: str) -> int:
        """Spendable uve."""
        request = cosmos_bank_pb2.QueryBalanceRequest(address=address, denom="uve")
        return int(self.ask(BALANCE, request).balance.amount or "0")

    def send(self, key: PrivateKey, messages: Sequence[Message]) -> str:
        """Sign and hand over one transaction; its hash, DevnetError where the check refuses it."""
        signer = self._signer(key.address)
        gas = self._gas(key, messages, signer)
        terms = Terms(gas, _fee(gas), self.height() + TIMEOUT_BLOCKS)
        ready = signed(messages, signer, terms, key)
        request = tx_pb2.BroadcastTxRequest(tx_bytes=ready.raw, mode=tx_pb2.BROADCAST_MODE_SYNC)
        answer = self.ask(BROADCAST, request).tx_response
        if answer.code:
            raise DevnetError(f"the chain refuses it: {answer.raw_log}")
        return ready.hash

    def landed(self, name: str) -> Landed | None:
        """The transaction once it is in a block, None before; DevnetError where it failed there."""
        found = self.find(GET_TX, tx_pb2.GetTxRequest(hash=name))
        if found is None:
            return None
        answer = found.tx_response
        if answer.code:
            raise DevnetError(f"the chain refused it in block {answer.height}: {answer.raw_log}")
        told = cosmos_abci_pb2.TxMsgData.FromString(bytes.fromhex(answer.data))
        fee = sum(int(coin.amount) for coin in found.tx.auth_info.fee.amount)
        return Landed(name, answer.height, fee, tuple(each.value for each in told.msg_responses))

    def do(self, key: PrivateKey, messages: Sequence[Message]) -> Landed:
        """Send, and wait for the block; DevnetError where it did not come in time."""
        name = self.send(key, messages)
        last = self.height() + TIMEOUT_BLOCKS
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if (found := self.landed(name)) is not None:
                return found
            if self.height() > last:
                break
            self._wait()
        raise DevnetError(f"transaction {name} came into no block; see whether the devnet still makes blocks")

    def _signer(self, address: str) -> Signer:
        found = self.ask(ACCOUNT, cosmos_auth_pb2.QueryAccountRequest(address=address))
        account = cosmos_auth_pb2.BaseAccount()
        found.account.Unpack(account)
        return Signer(CHAIN_ID, account.account_number, account.sequence)

    def _gas(self, key: PrivateKey, messages: Sequence[Message], signer: Signer) -> int:
        draft = unsigned(messages, signer, Terms(0, 0, 0), key.public)
        try:
            used = SIMULATE.stub(self._channel)(
                tx_pb2.SimulateRequest(tx_bytes=draft), timeout=ANSWER_SECONDS
            )
        except grpc.RpcError as error:
            told = error.details() if isinstance(error, grpc.Call) else str(error)
            raise DevnetError(f"the chain refuses it: {told}") from None
        return int((used.gas_info.gas_used + FEE_ROOM) * GAS_ADJUSTMENT)


def _fee(gas: int) -> int:
    """At 0.025uve a unit, rounded up."""
    return -(-gas // 40)

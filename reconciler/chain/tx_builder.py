"""Builds a signed transaction: simulate, drop refused messages, price, sign. Sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.keys import PrivateKey
from reconciler.chain.node_errors import NodeError, NodeRefusedError
from reconciler.chain.proto.cosmos_tx_pb2 import SimulateRequest, SimulateResponse
from reconciler.chain.stubs import unary
from reconciler.chain.transactions import Signer, Terms, draft_tx, sign_tx
from reconciler.chain.wire_messages import wire_of
from reconciler.values.intents import Intent, Prepared
from reconciler.values.messages import Message
from reconciler.values.money import fee_of
from reconciler.values.outcomes import Failed, Refused
from reconciler.values.refusals import Refusal, read_refusal

SIMULATE = unary("cosmos.tx.v1beta1.Service", SimulateRequest, SimulateResponse)

GAS_ESTIMATE = 100_000
"""Gas per message for the fee in a simulation: without a fee, the gas of its payment is missing."""

SPARE_SIMULATIONS = 8
"""Simulations allowed beyond two per message; bisecting needs several."""

Dropped = tuple[tuple[Message, Refused | Failed], ...]


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """Price and lifetime of transactions: `gas_price_max` in uve, `timeout_blocks` above the height."""

    gas_adjustment: Decimal = Decimal("1.5")
    gas_price_max: Decimal = Decimal("0.1")
    timeout_blocks: int = 20


@dataclass(frozen=True, slots=True)
class TxBuilder:
    """Builds one transaction for a signer at a height and gas price in uve."""

    node: GrpcNode
    key: PrivateKey
    signer: Signer
    height: int
    gas_price: Decimal
    fees: FeePolicy

    def prepare(self, messages: Sequence[Message], fee_max: int) -> Prepared | Failed:
        """Sign the messages that pass simulation; Failed if none can be sent."""
        message_filter = MessageFilter(self, fee_max, simulations=2 * len(messages) + SPARE_SIMULATIONS)
        try:
            kept = message_filter.filter(tuple(messages))
        except _BuildFailedError as error:
            return error.failure
        dropped = tuple(message_filter.dropped)
        if not kept:
            return Prepared(None, dropped)
        return self._sign(kept, message_filter.gas_used, fee_max, dropped)

    def _sign(
        self, kept: tuple[Message, ...], gas_used: int, fee_max: int, dropped: Dropped
    ) -> Prepared | Failed:
        gas_limit = int((gas_used * self.fees.gas_adjustment).to_integral_value(ROUND_CEILING))
        fee = fee_of(gas_limit, self.gas_price)
        if self.gas_price > self.fees.gas_price_max:
            most = self.fees.gas_price_max
            why = f"the node requires {self.gas_price}uve per unit of gas; the host file allows {most}uve"
            return Failed("GasPrice", why, "raise gas_price_max there, or wait")
        if fee > fee_max:
            why = f"the fee for {gas_limit} gas is {fee}uve, more than the {fee_max}uve allowed for it"
            return Failed("FeeTooHigh", why)
        terms = Terms(gas_limit, fee, self.height + self.fees.timeout_blocks)
        made = sign_tx([wire_of(m, self.key) for m in kept], self.signer, terms, self.key)
        intent = Intent(
            hash=made.hash,
            tx=made.raw,
            messages=kept,
            fee=fee,
            sequence=self.signer.sequence,
            timeout_height=terms.timeout_height,
            signed_at_height=self.height,
        )
        return Prepared(intent, dropped)

    def simulate(self, messages: Sequence[Message], fee_max: int) -> int:
        """The gas used; NodeRefusedError if the transaction would fail."""
        estimate = fee_of(GAS_ESTIMATE * len(messages), self.gas_price)
        terms = Terms(
            gas_limit=GAS_ESTIMATE * len(messages),
            fee=max(min(estimate, fee_max), 1),
            timeout_height=self.height + self.fees.timeout_blocks,
        )
        raw = draft_tx([wire_of(m, self.key) for m in messages], self.signer, terms, self.key.public)
        return int(self.node.call(SIMULATE, SimulateRequest(tx_bytes=raw)).gas_info.gas_used)


class _BuildFailedError(Exception):
    """No transaction can be built now."""

    def __init__(self, failure: Failed) -> None:
        super().__init__(failure.why)
        self.failure = failure


@dataclass(slots=True)
class MessageFilter:
    """Simulates until the remaining messages pass; refused ones are dropped with the chain's reason."""

    builder: TxBuilder
    fee_max: int
    simulations: int
    dropped: list[tuple[Message, Refused | Failed]] = field(default_factory=list)
    gas_used: int = 0

    def filter(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """The messages that pass together; empty if all are refused."""
        while messages:
            refusal = self._try(messages)
            if refusal is None:
                return messages
            self._raise_if_account_error(refusal)
            if refusal.gated or len(messages) == 1:
                self._drop(messages, refusal)
                return ()
            if 0 <= refusal.index < len(messages):
                self._drop(messages[refusal.index : refusal.index + 1], refusal)
                messages = messages[: refusal.index] + messages[refusal.index + 1 :]
            else:
                messages = self._bisect(messages)
        return ()

    def _bisect(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """Bisect after a refusal that names no message, such as a panic (semantics 3.3)."""
        middle = len(messages) // 2
        kept = self.filter(messages[:middle]) + self.filter(messages[middle:])
        if len(kept) == len(messages):
            why = "the simulation refuses these messages together but not separately"
            raise _BuildFailedError(Failed("Simulation", why, "they are retried in other combinations"))
        return kept

    def _try(self, messages: tuple[Message, ...]) -> Refusal | None:
        if self.simulations <= 0:
            raise _BuildFailedError(Failed("Simulation", "too many simulations were refused in a row"))
        self.simulations -= 1
        try:
            self.gas_used = self.builder.simulate(messages, self.fee_max)
        except NodeRefusedError as error:
            return read_refusal(error.text)
        except NodeError as error:
            raise _BuildFailedError(Failed("Unreachable", str(error))) from error
        return None

    def _drop(self, messages: tuple[Message, ...], refusal: Refusal) -> None:
        self.dropped += [(message, refusal.outcome) for message in messages]

    def _raise_if_account_error(self, refusal: Refusal) -> None:
        """Raise after a refusal that concerns the account or the node instead of a message."""
        if refusal.sequence is not None:
            expected, given = refusal.sequence
            why = f"the account's sequence is now {expected}, not {given}"
            raise _BuildFailedError(
                Failed("Sequence", why, "the next cycle reads the account again before signing")
            )
        if refusal.timed_out:
            raise _BuildFailedError(Failed("Height", f"the node is ahead of the view: {refusal.words}"))
        if refusal.short_of_money and refusal.index < 0:
            why = f"the account cannot pay the fee: {refusal.words}"
            raise _BuildFailedError(Failed("NoBalance", why, "add funds to the provider's account"))

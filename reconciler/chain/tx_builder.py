"""Builds a signed transaction: simulate, drop what is refused or costs too much, sign. Sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

from reconciler.chain.broadcast import SIMULATE
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.keys import PrivateKey
from reconciler.chain.node_errors import NodeError, NodeRefusedError
from reconciler.chain.proto.cosmos_tx_pb2 import SimulateRequest
from reconciler.chain.transactions import Signer, Terms, draft_tx, sign_tx
from reconciler.chain.wire_messages import wire_of
from reconciler.values.intents import FeeTerms, Intent, Prepared
from reconciler.values.messages import Message
from reconciler.values.money import fee_of
from reconciler.values.outcomes import GAS_PRICE, NOT_WORTH, Failed, Refused
from reconciler.values.refusals import ADD_FUNDS, Refusal, read_refusal

GAS_ESTIMATE = 100_000
"""Gas per message for the fee in a simulation: without a fee, the gas of its payment is missing."""

SPARE_SIMULATIONS = 8
"""Simulations allowed beyond two per message; bisecting needs several."""

Dropped = tuple[tuple[Message, Refused | Failed], ...]
Batch = tuple[tuple[Message, int], ...]
"""Messages, each with the most that it may add to the fee, in uve."""


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """Price and lifetime of transactions: `gas_price_max` in uve, `timeout_blocks` above the height."""

    gas_price_max: Decimal = Decimal("0.25")
    timeout_blocks: int = 20


@dataclass(frozen=True, slots=True)
class TxBuilder:
    """Builds one transaction for a signer with `balance` uve, at a height and gas price in uve."""

    node: GrpcNode
    key: PrivateKey
    signer: Signer
    balance: int
    height: int
    gas_price: Decimal
    policy: FeePolicy

    def prepare(self, messages: Sequence[Message], terms: FeeTerms) -> Prepared | Failed:
        """Sign the messages that pass simulation and are worth their fee; Failed if none can be sent now."""
        if self.gas_price > self.policy.gas_price_max:
            most = self.policy.gas_price_max
            why = f"the node requires {self.gas_price}uve per unit of gas; the host file allows {most}uve"
            return Failed(GAS_PRICE, why, "raise limits.gas_price_max in the host file, or wait")
        batch = tuple(zip(messages, terms.fees_max, strict=True))
        message_filter = MessageFilter(self, terms, simulations=2 * len(messages) + SPARE_SIMULATIONS)
        try:
            kept = message_filter.filter(batch)
        except _BuildFailedError as error:
            return error.failure
        dropped = tuple(message_filter.dropped)
        if not kept:
            return Prepared(None, dropped)
        gas = message_filter.gas
        fee = self.fee(gas, terms)
        if fee > self.balance:
            return Failed("NoBalance", f"the fee is {fee}uve, the account has {self.balance}uve", ADD_FUNDS)
        intent = self._sign(tuple(message for message, _ in kept), gas, terms)
        return Prepared(intent, dropped)

    def fee(self, gas: int, terms: FeeTerms) -> int:
        """The fee in uve for simulated gas."""
        return fee_of(_limit(gas, terms), self.gas_price)

    def _sign(self, kept: tuple[Message, ...], gas: int, fee_terms: FeeTerms) -> Intent:
        fee = self.fee(gas, fee_terms)
        terms = Terms(_limit(gas, fee_terms), fee, self.height + self.policy.timeout_blocks)
        made = sign_tx([wire_of(m, self.key) for m in kept], self.signer, terms, self.key)
        return Intent(
            hash=made.hash,
            tx=made.raw,
            messages=kept,
            fee=fee,
            sequence=self.signer.sequence,
            timeout_height=terms.timeout_height,
            signed_at_height=self.height,
            gas=0 if fee_terms.gas_spare else gas,  # spare gas is used only if a lease ends meanwhile
        )

    def simulate(self, messages: Sequence[Message]) -> int:
        """The gas used; NodeRefusedError if the transaction would fail."""
        estimate = GAS_ESTIMATE * len(messages)
        terms = Terms(
            gas_limit=estimate,
            fee=max(min(fee_of(estimate, self.gas_price), self.balance), 1),
            timeout_height=self.height + self.policy.timeout_blocks,
        )
        raw = draft_tx([wire_of(m, self.key) for m in messages], self.signer, terms, self.key.public)
        return int(self.node.call(SIMULATE, SimulateRequest(tx_bytes=raw)).gas_info.gas_used)


def _limit(gas: int, terms: FeeTerms) -> int:
    return int((gas * terms.gas_factor).to_integral_value(ROUND_CEILING)) + terms.gas_spare


class _BuildFailedError(Exception):
    """No transaction can be built now."""

    def __init__(self, failure: Failed) -> None:
        super().__init__(failure.why)
        self.failure = failure


@dataclass(slots=True)
class MessageFilter:
    """Simulates until the remaining messages pass and are worth their fee; refused ones are dropped with the
    chain's reason, and those that cost more than they may with the figures.
    """

    builder: TxBuilder
    terms: FeeTerms
    simulations: int
    dropped: list[tuple[Message, Refused | Failed]] = field(default_factory=list)
    gas: int = 0

    def filter(self, batch: Batch) -> Batch:
        """The messages that pass together; empty if none does."""
        while batch:
            refusal = self._try(batch)
            if refusal is None:
                fee, fee_max = self._fee(), sum(most for _, most in batch)
                if fee <= fee_max:
                    worth = self._drop_unpaid(batch, fee)
                    if worth == batch:
                        return batch
                    batch = worth
                    continue
                if len(batch) == 1:
                    why = f"its fee for {self.gas} gas is {fee}uve, more than the {fee_max}uve that it brings"
                    self.dropped.append((batch[0][0], Failed(NOT_WORTH, why)))
                    return ()
                batch = self._bisect(batch)
                continue
            self._raise_if_account_error(refusal)
            if refusal.gated or len(batch) == 1:
                self._drop(batch, refusal)
                return ()
            if 0 <= refusal.index < len(batch):
                self._drop(batch[refusal.index : refusal.index + 1], refusal)
                batch = batch[: refusal.index] + batch[refusal.index + 1 :]
            else:
                batch = self._bisect(batch)
        return ()

    def _drop_unpaid(self, batch: Batch, fee: int) -> Batch:
        """The batch without messages whose fee the others would pay: those that bring less than an even part
        of the fee, if together they add more to it than they bring.
        """
        poor = tuple((message, most) for message, most in batch if most * len(batch) < fee)
        if not poor:
            return batch
        gas = self.gas
        rest = tuple(each for each in batch if each not in poor)
        refusal = self._try(rest)  # refused: the rest cannot do without them
        added = fee - self._fee()
        if refusal is not None or added <= sum(most for _, most in poor):
            self.gas = gas
            return batch
        unpaid = tuple((message, most) for message, most in poor if most * len(poor) < added)
        for message, most in unpaid:
            part = -(-added // len(poor))
            why = f"it adds about {part}uve to its transaction's fee, more than the {most}uve that it brings"
            self.dropped.append((message, Failed(NOT_WORTH, why)))
        return tuple(each for each in batch if each not in unpaid)

    def _bisect(self, batch: Batch) -> Batch:
        """Bisect after a refusal that names no message, such as a panic (semantics 3.3), or a fee above what
        the messages may cost.
        """
        middle = len(batch) // 2
        kept = self.filter(batch[:middle]) + self.filter(batch[middle:])
        if len(kept) == len(batch):
            why = "the simulation refuses these messages together but not separately"
            raise _BuildFailedError(Failed("Simulation", why, "they are retried in other combinations"))
        return kept

    def _fee(self) -> int:
        return self.builder.fee(self.gas, self.terms)

    def _try(self, batch: Batch) -> Refusal | None:
        if self.simulations <= 0:
            raise _BuildFailedError(Failed("Simulation", "too many simulations were refused in a row"))
        self.simulations -= 1
        try:
            self.gas = self.builder.simulate([message for message, _ in batch])
        except NodeRefusedError as error:
            return read_refusal(error.text)
        except NodeError as error:
            raise _BuildFailedError(Failed("Unreachable", str(error))) from error
        return None

    def _drop(self, batch: Batch, refusal: Refusal) -> None:
        self.dropped += [(message, refusal.outcome) for message, _ in batch]

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
            raise _BuildFailedError(Failed("NoBalance", why, ADD_FUNDS))

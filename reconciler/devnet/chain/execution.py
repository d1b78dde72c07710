"""Running a transaction: all of its messages or none."""

from __future__ import annotations

from dataclasses import dataclass, field

from google.protobuf.any_pb2 import Any as AnyMessage

from reconciler.chain.proto.cosmos_abci_pb2 import TxMsgData
from reconciler.devnet.chain.ante import Ante, Mode
from reconciler.devnet.chain.call import ChainEventRecord, EventLog, MessageCall
from reconciler.devnet.chain.errors import OutOfGasError, PanicError, TxRefusedError, sdk
from reconciler.devnet.chain.gas import UNLIMITED, GasMeter
from reconciler.devnet.chain.hooks import HOOKS
from reconciler.devnet.chain.routes import Routed
from reconciler.devnet.chain.store import Branch, StateReader
from reconciler.devnet.chain.transactions import Transaction

PANIC_CODE = 111222


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a transaction."""

    code: int = 0
    codespace: str = ""
    log: str = ""
    data: bytes = b""
    gas_wanted: int = 0
    gas_used: int = 0
    events: tuple[ChainEventRecord, ...] = ()
    answers: tuple[AnyMessage, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class MessagePosition:
    """The height and time at which a transaction runs."""

    height: int
    time_ns: int


class Executor:
    """Runs transactions on branches of a state."""

    def __init__(self, ante: Ante) -> None:
        self.ante = ante
        self.metered = True
        self.out_of_gas: set[str] = set()
        self.out_of_gas_in_ante: set[str] = set()

    def check_form(self, tx: Transaction) -> None:
        """Refuse a transaction without messages or with a malformed one, before the ante chain."""
        if not tx.messages:
            raise sdk(18, "must contain at least one message: invalid request")
        for message in tx.messages:
            message.route.check(message.message)

    def pass_ante(
        self, under: StateReader, place: MessagePosition, tx: Transaction, mode: Mode
    ) -> tuple[Outcome, Branch]:
        """Run the ante chain; flush the branch, with fee and sequence, if the code is 0."""
        meter = self._meter(tx, mode)
        call = MessageCall(Branch(under, meter), place.height, place.time_ns, HOOKS)
        try:
            self.check_form(tx)
            self.ante.run(call, tx, mode)
            if tx.hash in self.out_of_gas_in_ante:
                raise OutOfGasError("WritePerByte")
        except TxRefusedError as refusal:
            return _refused(refusal, tx, meter), call.state
        except OutOfGasError as short:
            return self._short(tx, meter, short), call.state
        passed = Outcome(gas_wanted=tx.gas_limit, gas_used=meter.used, events=tuple(call.events.events))
        return passed, call.state

    def run_messages(
        self, passed: Outcome, ante: Branch, place: MessagePosition, tx: Transaction
    ) -> tuple[Outcome, Branch]:
        """Run the messages on top of the ante chain's writes; drop the branch if they fail."""
        state = Branch(ante, ante.meter)
        try:
            answers, events = self._messages(state, place, tx)
        except TxRefusedError as refusal:
            log = f"failed to execute message; {refusal.text}"
            outcome = Outcome(refusal.code, refusal.codespace, log)
        except PanicError as panic:
            outcome = Outcome(PANIC_CODE, "undefined", f"recovered: {panic.text}\nstack:\n(a simulator)")
        except OutOfGasError as short:
            outcome = self._short(tx, ante.meter, short)
        else:
            data = TxMsgData(msg_responses=answers).SerializeToString()
            outcome = Outcome(data=data, events=(*passed.events, *events), answers=tuple(answers))
        return self._finished(outcome, passed, tx, ante.meter), state

    def _messages(
        self, state: Branch, place: MessagePosition, tx: Transaction
    ) -> tuple[list[AnyMessage], list[ChainEventRecord]]:
        answers: list[AnyMessage] = []
        events: list[ChainEventRecord] = []
        for index, message in enumerate(tx.messages):
            call = MessageCall(state, place.height, place.time_ns, HOOKS, EventLog())
            _announce(call, message)
            try:
                answer = message.route.run(call, message.message)
            except TxRefusedError as refusal:
                raise refusal.behind(f"message index: {index}") from refusal
            if tx.hash in self.out_of_gas:
                raise OutOfGasError("WritePerByte")
            url = f"/{answer.DESCRIPTOR.full_name}"
            answers.append(AnyMessage(type_url=url, value=answer.SerializeToString()))
            events.extend(event.marked("msg_index", str(index)) for event in call.events.events)
        return answers, events

    @staticmethod
    def _finished(outcome: Outcome, passed: Outcome, tx: Transaction, meter: GasMeter) -> Outcome:
        return Outcome(
            code=outcome.code,
            codespace=outcome.codespace,
            log=outcome.log,
            data=outcome.data,
            gas_wanted=tx.gas_limit,
            gas_used=meter.used,
            events=outcome.events or passed.events,
            answers=outcome.answers,
        )

    def _meter(self, tx: Transaction, mode: Mode) -> GasMeter:
        return GasMeter(tx.gas_limit if self.metered and mode is not Mode.SIMULATE else UNLIMITED)

    @staticmethod
    def _short(tx: Transaction, meter: GasMeter, short: OutOfGasError) -> Outcome:
        words = f"out of gas in location: {short.location}; gasWanted: {tx.gas_limit}, gasUsed: {meter.used}"
        return Outcome(11, "sdk", f"{words}: out of gas", gas_wanted=tx.gas_limit, gas_used=meter.used)


def _refused(refusal: TxRefusedError, tx: Transaction, meter: GasMeter) -> Outcome:
    return Outcome(
        refusal.code,
        refusal.codespace,
        refusal.text,
        gas_wanted=tx.gas_limit,
        gas_used=meter.used,
    )


def _announce(call: MessageCall, message: Routed) -> None:
    call.events.emit(
        "message",
        ("action", message.route.url),
        ("sender", message.signer),
        ("module", message.route.module),
    )

"""Steps the simulated chain through a recording and compares what it answers."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from reconciler.chain.proto.cosmos_tx_pb2 import BroadcastTxRequest, SimulateRequest, SimulateResponse
from reconciler.devnet.chain.blocks import Included
from reconciler.devnet.chain.errors import QueryError, TxRefusedError
from reconciler.devnet.chain.execution import Outcome
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.rpc_errors import RpcError
from reconciler.devnet.chain.rpc_json import result
from reconciler.devnet.chain.rpc_methods import RpcMethods
from reconciler.devnet.chain.serving import grpc_answer
from reconciler.devnet.chain.transactions import tx_hash
from tests.replay.comparing import differences, text
from tests.replay.transcript import Step, Transcript
from tests.replay.wire import METHODS, answer_differences, as_json

_BROADCAST = "cosmos.tx.v1beta1.Service/BroadcastTx"
_OUT_OF_GAS = ("sdk", 11)


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between the simulator's and the node's answer."""

    file: str
    step: int
    words: str

    def __str__(self) -> str:
        return f"{self.file}#{self.step}: {self.words}"


@dataclass(slots=True)
class Report:
    """What a replay found."""

    file: str
    compared: int = 0
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Replay:
    """One recording being replayed."""

    def __init__(self, transcript: Transcript, *, metered: bool = False) -> None:
        self._transcript = transcript
        self._chain = SimulatedChain(transcript.genesis)
        self._rpc = RpcMethods(self._chain)
        self._blocks = {block.height: block for block in transcript.blocks}
        self._expected: dict[str, tuple[int, Step]] = {}
        self._bytes = {tx_hash(data): data for data in _all_bytes(transcript)}
        self._next_keys: dict[bytes, bytes] = {}
        self.report = Report(transcript.name)
        self.outcomes: list[tuple[Step, Included]] = []
        self._chain.executor.metered = metered
        if not metered:
            self._give_out_of_gas()

    def run(self) -> Report:
        """Run every step, then the remaining blocks."""
        for number, step in self._transcript.steps:
            if step["do"] == "note":
                continue
            self._advance(step.get("sent_at_height") or step["height"])
            lines = list(getattr(self, f"_do_{step['do']}")(number, step))
            self._count(number, lines)
        self._advance(max(self._blocks))
        return self.report

    def _give_out_of_gas(self) -> None:
        """Out of gas is taken from the recording and not compared."""
        executor, steps = self._chain.executor, [step for _, step in self._transcript.steps]
        executor.out_of_gas = {step["hash"] for step in steps if _ran_out(step.get("result"))}
        executor.out_of_gas_in_ante = {step["hash"] for step in steps if _ran_out(step.get("check"))}

    def _count(self, number: int, lines: list[str]) -> None:
        self.report.compared += 1
        self.report.differences.extend(Difference(self.report.file, number, line) for line in lines)

    def _advance(self, height: int) -> None:
        while self._chain.height < height:
            block = self._blocks[self._chain.height + 1]
            for name in block.txs:
                if name not in self._bytes:
                    self.report.notes.append(f"block {block.height}: {name} has no recorded bytes")
            made = self._chain.step(block.time_ns, include=block.txs)
            got = [tx.hash for tx in made.txs]
            missing = [name for name in block.txs if name in self._bytes and name not in got]
            for name in missing:
                number, _ = self._expected.get(name, (0, {}))
                self._count(number, [f"{name} is not in block {block.height} here"])
            for tx in made.txs:
                number, step = self._expected.pop(tx.hash, (0, {}))
                if "result" in step:
                    self.outcomes.append((step, tx))
                    self._count(number, list(_result_lines(step, tx.index, tx.height, tx.outcome)))

    def _do_tx(self, number: int, step: Step) -> Iterator[str]:
        self._expected[step["hash"]] = (number, step)
        yield from self._broadcast(step)

    def _do_resend(self, number: int, step: Step) -> Iterator[str]:
        del number
        yield from self._broadcast(step)

    def _broadcast(self, step: Step) -> Iterator[str]:
        data = base64.b64encode(bytes.fromhex(step["tx_hex"])).decode()
        got = self._call("broadcast_tx_sync", {"tx": data})
        yield from differences(step["check"], got.get("result", got), "check")

    def _do_simulate(self, number: int, step: Step) -> Iterator[str]:
        del number
        asked = SimulateRequest(tx_bytes=bytes.fromhex(step["tx_hex"]))
        method = "cosmos.tx.v1beta1.Service/Simulate"
        try:
            got = self._chain.query(f"/{method}", asked.SerializeToString())
        except (TxRefusedError, QueryError) as error:
            yield from _status_lines(step, error)
            return
        if "events" not in step:
            yield f"works here, recorded {step['grpc_status']} {step['grpc_message']}"
            return
        shown = as_json(SimulateResponse.FromString(got), defaults=True)["result"]["events"]
        yield from differences({"events": step["events"]}, {"events": shown})

    def _do_query(self, number: int, step: Step) -> Iterator[str]:
        method = step["method"]
        request = self._request(method, bytes.fromhex(step["request_hex"]))
        if method == _BROADCAST:
            sent = BroadcastTxRequest.FromString(request)
            self._expected[tx_hash(sent.tx_bytes)] = (number, step)
        height = step.get("request_height") or min(step["height"], self._chain.height)
        try:
            got = self._chain.query(f"/{method}", request, int(height))
        except (TxRefusedError, QueryError) as error:
            yield from _status_lines(step, error)
            return
        if "response_hex" not in step:
            yield f"works here, recorded {step['grpc_status']} {step['grpc_message']}"
            return
        self._learn_key(method, bytes.fromhex(step["response_hex"]), got)
        yield from answer_differences(method, step["response_hex"], got)

    def _do_rpc(self, number: int, step: Step) -> Iterator[str]:
        del number
        got = {"jsonrpc": "2.0", "id": step["answer"].get("id")}
        got |= self._call(step["method"], step["params"])
        yield from differences(step["answer"], got)

    def _call(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"result": self._rpc.call(method, params)}
        except RpcError as error:
            told = {"code": error.code, "message": error.message}
            return {"error": told | ({"data": error.data} if error.data else {})}

    def _request(self, method: str, request: bytes) -> bytes:
        """The request with the simulator's page key instead of the recorded one."""
        asked = METHODS[method].request.FromString(request)
        pagination = getattr(asked, "pagination", None)
        if pagination is not None and pagination.key in self._next_keys:
            pagination.key = self._next_keys[pagination.key]
            return asked.SerializeToString()
        return request

    def _learn_key(self, method: str, recorded: bytes, got: bytes) -> None:
        kind = METHODS[method].response
        want = getattr(kind.FromString(recorded), "pagination", None)
        have = getattr(kind.FromString(got), "pagination", None)
        if want is not None and have is not None and want.next_key:
            self._next_keys[want.next_key] = have.next_key


def _all_bytes(transcript: Transcript) -> Iterator[bytes]:
    for _, step in transcript.steps:
        if "tx_hex" in step:
            yield bytes.fromhex(step["tx_hex"])
        elif step.get("method") == _BROADCAST:
            yield BroadcastTxRequest.FromString(bytes.fromhex(step["request_hex"])).tx_bytes


def _ran_out(answer: Any) -> bool:
    return bool(answer) and (answer.get("codespace"), answer.get("code")) == _OUT_OF_GAS


def _result_lines(step: Step, index: int, height: int, outcome: Outcome) -> Iterator[str]:
    want = {"height": step["height"], "index": step["index"], "result": step["result"]}
    got = result(outcome)
    got = {key: got[key] for key in step["result"] if key in got}
    for event in got.get("events", ()):
        event.setdefault("type", "")  # the recorder wrote the empty type that the node leaves out
    yield from differences(want, {"height": height, "index": index, "result": got})


def _status_lines(step: Step, error: TxRefusedError | QueryError) -> Iterator[str]:
    status, words = error.status, error.text
    if isinstance(error, TxRefusedError):
        status, words = grpc_answer(error)
    if "grpc_status" not in step:
        yield f"answers {status.name} {words} here, recorded an answer"
    elif (status.name, text(words)) != (step["grpc_status"], text(step["grpc_message"])):
        yield (
            f"recorded {step['grpc_status']} {text(step['grpc_message'])!r}, "
            f"here {status.name} {text(words)!r}"
        )

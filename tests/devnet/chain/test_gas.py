"""The gas model against the gas that a real node reported (semantics 1.6)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.chain.proto.cosmos_tx_pb2 import SimulateRequest, SimulateResponse
from reconciler.devnet.chain.errors import OutOfGasError
from reconciler.devnet.chain.gas import GasMeter
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.transactions import decode
from tests.replay.__main__ import transcripts
from tests.replay.replaying import Replay
from tests.replay.transcript import read

CLOSE_ENOUGH = 0.05
OUT_OF_GAS = 11
VECTORS = Path(__file__).parents[2] / "vectors"


def test_every_transaction_uses_about_the_recorded_gas() -> None:
    compared, far = 0, []
    for path in transcripts():
        replay = Replay(read(path))
        replay.run()
        for step, tx in replay.outcomes:
            recorded = int(step["result"]["gas_used"])
            if not recorded or step["result"].get("code") == OUT_OF_GAS:
                continue
            compared += 1
            if abs(tx.outcome.gas_used / recorded - 1) > CLOSE_ENOUGH:
                url = decode(tx.data).messages[0].route.url
                far.append((path.stem, url, recorded, tx.outcome.gas_used))

    assert far == []
    assert compared > 250


def test_a_simulation_without_a_fee_misses_the_gas_of_taking_one() -> None:
    transcript = read(VECTORS / "auth-and-rpc.jsonl")
    steps = [step for _, step in transcript.steps]
    simulated = next(step for step in steps if step["do"] == "simulate")
    earlier = [step for step in steps[: steps.index(simulated)] if "result" in step]
    chain = SimulatedChain(transcript.genesis)
    chain.step(transcript.blocks[0].time_ns)
    for step in earlier:
        chain.check_tx(bytes.fromhex(step["tx_hex"]))
    chain.step()

    asked = SimulateRequest(tx_bytes=bytes.fromhex(simulated["tx_hex"]))
    told = chain.query("/cosmos.tx.v1beta1.Service/Simulate", asked.SerializeToString())
    used = SimulateResponse.FromString(told).gas_info.gas_used

    assert used == pytest.approx(int(simulated["gas_used"]), rel=CLOSE_ENOUGH)


def test_a_meter_stops_at_the_charge_that_passes_its_limit() -> None:
    meter = GasMeter(3000)
    meter.has()
    with pytest.raises(OutOfGasError) as caught:
        meter.write(10)

    assert caught.value.location == "WritePerByte"
    assert meter.used == 3300
    assert re.fullmatch(r"\w+", caught.value.location)

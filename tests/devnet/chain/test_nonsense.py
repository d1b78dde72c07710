"""Any bytes are refused without a crash and without a change of state."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from reconciler.chain.proto.cosmos_tx_pb2 import TxBody, TxRaw
from reconciler.devnet.chain.errors import QueryError, TxRefusedError
from reconciler.devnet.chain.mempool import SeenBeforeError, TxTooLargeError
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.routes import ROUTES
from reconciler.devnet.chain.tables import BALANCES
from tests.replay.transcript import Transcript, read

VECTORS = Path(__file__).parents[2] / "vectors"
RECORDINGS = ("bid-refusals", "settlement", "paging")
REFUSALS = (TxRefusedError, QueryError, SeenBeforeError, TxTooLargeError)


def damaged(data: bytes, chance: random.Random) -> bytes:
    found = bytearray(data or b"\x00")
    for _ in range(chance.choice((1, 1, 2, 4))):
        place = chance.randrange(len(found) or 1)
        match chance.randrange(3):
            case 0 if found:
                found[place] = chance.choice((0, 1, 45, 48, 97, 255, chance.randrange(256)))
            case 1:
                del found[place : place + chance.randrange(1, 5)]
            case _:
                found[place:place] = chance.randbytes(chance.randrange(1, 4))
    return bytes(found)


def damaged_inside(data: bytes, chance: random.Random) -> bytes:
    """A decodable transaction with damaged messages."""
    raw = TxRaw.FromString(data)
    body = TxBody.FromString(raw.body_bytes)
    for message in body.messages:
        message.value = damaged(message.value, chance)
    raw.body_bytes = body.SerializeToString()
    return raw.SerializeToString()


def survives(act: Callable[[], object]) -> bool:
    """Whether it was accepted; only the node's refusals are caught."""
    try:
        act()
    except REFUSALS:
        return False
    return True


def begun(transcript: Transcript) -> SimulatedChain:
    chain = SimulatedChain(transcript.genesis)
    chain.limiter.enabled = False
    chain.step(transcript.blocks[0].time_ns)
    return chain


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize("seed", range(3))
def test_damaged_bytes_are_refused_without_harm(name: str, seed: int) -> None:
    chance, transcript = random.Random(seed), read(VECTORS / f"{name}.jsonl")
    chain, asked = begun(transcript), 0
    before = sum(amount for _, amount in chain.view().scan(BALANCES))
    for _, step in transcript.steps:
        if "tx_hex" in step:
            data = bytes.fromhex(step["tx_hex"])
            for bytes_ in (damaged(data, chance), damaged_inside(data, chance)):
                survives(partial(chain.check_tx, bytes_))
                survives(partial(chain.simulate, bytes_))
            survives(partial(chain.check_tx, data))
            chain.step()
        elif step["do"] == "query":
            asked += 1
            request = damaged(bytes.fromhex(step["request_hex"]), chance)
            survives(partial(chain.query, f"/{step['method']}", request))

    assert sum(amount for _, amount in chain.view().scan(BALANCES)) == before
    assert asked > 5


@pytest.mark.parametrize("url", sorted(ROUTES))
def test_an_empty_message_of_every_type_is_refused(url: str) -> None:
    transcript = read(VECTORS / "paging.jsonl")
    chain = begun(transcript)
    raw = TxRaw.FromString(bytes.fromhex(next(s["tx_hex"] for _, s in transcript.steps if "tx_hex" in s)))
    body = TxBody.FromString(raw.body_bytes)
    body.messages[0].type_url, body.messages[0].value = url, b""
    raw.body_bytes = body.SerializeToString()
    checked = chain.check_tx(raw.SerializeToString())

    assert checked.code != 0
    assert checked.log

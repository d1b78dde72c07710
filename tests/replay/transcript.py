"""A recording: the genesis, the steps, the blocks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from reconciler.devnet.chain import gates
from reconciler.devnet.chain.genesis import (
    Gates,
    Genesis,
    GenesisAccount,
    GenesisProvider,
    market_params,
    settlement_params,
)

Step = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RecordedBlock:
    """A block of the last line."""

    height: int
    time_ns: int
    txs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Transcript:
    """One recording."""

    name: str
    genesis: Genesis
    steps: tuple[tuple[int, Step], ...]
    blocks: tuple[RecordedBlock, ...]


def read(path: Path) -> Transcript:
    """Read a recording; ValueError if the file is not one."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    if not lines or "genesis" not in lines[0] or lines[-1].get("do") != "blocks":
        raise ValueError(f"{path} has no head with a genesis, or no list of blocks at its end")
    blocks = tuple(
        RecordedBlock(block["height"], nanoseconds(block["time"]), tuple(block["txs"]))
        for block in lines[-1]["blocks"]
    )
    return Transcript(path.stem, genesis(lines[0]), tuple(enumerate(lines))[1:-1], blocks)


def nanoseconds(time: str) -> int:
    """An RFC 3339 time in unix nanoseconds."""
    head, _, fraction = time.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(head).replace(tzinfo=UTC).timestamp())
    return seconds * 10**9 + int(fraction.ljust(9, "0") or 0)


def genesis(head: Step) -> Genesis:
    """The genesis that a head line describes."""
    told = head["genesis"]
    addresses = {account["name"]: account["address"] for account in told["accounts"]}
    market, settlement = market_params(), settlement_params()
    parts = {"market": market, "settlement": settlement}
    for name, value in told.get("changed_parameters", {}).items():
        module, _, field = name.partition(".")
        setattr(parts[module], field, value)
    return Genesis(
        chain_id=head["chain_id"],
        accounts=tuple(_account(account, told["identity_scores"]) for account in told["accounts"]),
        providers=tuple(
            GenesisProvider(addresses[one["owner"]], one["host_uri"], one["attributes"])
            for one in told["providers"]
        ),
        gates=Gates(second_factor=frozenset() if told["multi_factor_gates"] == "off" else gates.ALL_FACTORS),
        minimum_gas_price=Decimal(told["minimum_gas_prices"].removesuffix("uve")),
        market=market,
        settlement=settlement,
    )


def _account(told: Step, scores: dict[str, int]) -> GenesisAccount:
    """The validator signed the genesis transaction: its key and first sequence are on the chain."""
    signed = told["name"] == "validator"
    return GenesisAccount(
        address=told["address"],
        balance_uve=int(told["balance_after_genesis_uve"]),
        public_key=_public_key(told["private_key_hex"]) if signed else b"",
        sequence=1 if signed else 0,
        score=scores.get(told["name"]),
    )


def _public_key(private_hex: str) -> bytes:
    private = ec.derive_private_key(int(private_hex, 16), ec.SECP256K1())
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)

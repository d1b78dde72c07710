"""Compares recorded and simulated answers, with masks (vectors/README.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_GAS = re.compile(r"(gasWanted: |gasUsed: |with gas used: ')\d+")
_LOCATION = re.compile(r"out of gas in location: \w+")
_PLACE = re.compile(r"\[[^\]\s]*:\d+\]")
_OWN = "a node's own"

_SHAPE_ONLY = {
    "block_id",
    "last_block_id",
    "last_commit",
    "last_commit_hash",
    "data_hash",
    "validators_hash",
    "next_validators_hash",
    "consensus_hash",
    "app_hash",
    "last_results_hash",
    "evidence_hash",
    "proposer_address",
    "latest_block_hash",
    "latest_app_hash",
    "earliest_block_hash",
    "earliest_app_hash",
    "last_block_app_hash",
    "validator_hash",
    "validator_info",
    "node_info",
    "default_node_info",
    "application_version",
    "gas_used",
    "peers",
    "n_peers",
    "listeners",
    "next_key",
    "invoice_id",
    "idempotency_key",
}
_NOT_COMPARED = {"finalize_block_events"}
_COMPARED_INSIDE = {"network": "network"}


def text(words: str) -> str:
    """A log or message with masked gas, source positions and stacks."""
    if words.startswith("recovered: "):
        words = words.split("\n", 1)[0]
    words = _LOCATION.sub("out of gas in location: X", words)
    return _PLACE.sub("[place]", _GAS.sub(r"\1N", words))


def differences(want: Any, got: Any, path: str = "") -> Iterator[str]:
    """The differences of two JSON values after masking, a line for each."""
    if isinstance(want, dict) and isinstance(got, dict):
        yield from _keys(want, got, path)
        for key in want.keys() & got.keys():
            place = f"{path}.{key}" if path else key
            if key in _NOT_COMPARED:
                continue
            if key in _SHAPE_ONLY:
                yield from _shape(want[key], got[key], place)
            elif key == "events" and _are_events(want[key]):
                yield from differences(_of_messages(want[key]), _of_messages(got[key]), place + "*")
            elif key in ("log", "raw_log"):
                yield from _leaf(text(want[key]), text(got[key]), place)
            else:
                yield from differences(want[key], got[key], place)
    elif isinstance(want, list) and isinstance(got, list):
        if len(want) != len(got):
            yield f"{path}: {len(want)} recorded, {len(got)} here"
        for index, (one, other) in enumerate(zip(want, got, strict=False)):
            yield from differences(one, other, f"{path}[{index}]")
    else:
        yield from _leaf(want, got, path)


def _leaf(want: Any, got: Any, path: str) -> Iterator[str]:
    if want != got:
        yield f"{path}: recorded {_cut(want)}, here {_cut(got)}"


def _keys(want: dict[str, Any], got: dict[str, Any], path: str) -> Iterator[str]:
    for key in sorted(want.keys() - got.keys()):
        yield f"{path}.{key}: not here, recorded {_cut(want[key])}"
    for key in sorted(got.keys() - want.keys()):
        yield f"{path}.{key}: not recorded, here {_cut(got[key])}"


def _shape(want: Any, got: Any, path: str) -> Iterator[str]:
    """Presence and kind; of the content only the fields that name the chain."""
    if isinstance(want, dict) and isinstance(got, dict):
        for key in _COMPARED_INSIDE.keys() & want.keys():
            yield from _leaf(want[key], got.get(key), f"{path}.{key}")
    elif bool(want) != bool(got) or (want is not None and type(want) is not type(got)):
        yield f"{path}: recorded {_cut(want)}, here {_cut(got)} (only its presence is compared)"


def _are_events(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(e, dict) and "attributes" in e for e in value)


def _of_messages(events: Any) -> list[Any]:
    return [
        event
        for event in events or ()
        if any(attribute["key"] == "msg_index" for attribute in event.get("attributes", ()))
    ]


def _cut(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) < 240 else f"{shown[:240]}…"

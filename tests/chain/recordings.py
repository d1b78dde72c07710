"""The recorded steps, as the tests of the chain client read them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parent.parent / "vectors"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a transcript; `place` is `file#number`, the head line being #0."""

    place: str
    line: dict[str, Any]


@cache
def transcript(name: str) -> tuple[Step, ...]:
    """All lines of one transcript, by the file's stem."""
    with (VECTORS / f"{name}.jsonl").open(encoding="utf-8") as lines:
        return tuple(Step(f"{name}#{number}", json.loads(line)) for number, line in enumerate(lines))


@cache
def every_step() -> tuple[Step, ...]:
    """All lines of all transcripts but the websocket's, which has another form."""
    names = sorted(path.stem for path in VECTORS.glob("*.jsonl"))
    return tuple(step for name in names if name != "websocket" for step in transcript(name))


def queries() -> Iterator[Step]:
    """Every recorded gRPC query."""
    return (step for step in every_step() if "request_hex" in step.line)


def signed() -> Iterator[Step]:
    """Every recorded transaction that somebody signed: sent or only simulated."""
    return (step for step in every_step() if "sign_doc_hex" in step.line)

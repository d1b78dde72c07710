"""The steps of a run: what others do, and what fails, at fixed times; generated from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from tests.simulation.seeded.terms import DAY, DAYS, Terms


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One act of the world, `at` seconds after the beginning. Its numbers choose among what is there at that
    time, so that a step keeps its meaning when others are left out.
    """

    at: int
    kind: str
    a: int = 0
    b: int = 0

    def __str__(self) -> str:
        return f"{self.at / DAY:.3f} d {self.kind}({self.a}, {self.b})"


OFTEN = ("arm", "arm", "arm", "outage", "kill", "kill", "lag", "stranger", "delete", "tamper")
RARELY = (
    *("lose_machine", "clock", "gates", "catch_up", "lie", "other_chain", "rewrite", "reorder", "resend"),
    *("journal_lost", "journal_restored", "gap", "deposit_parameter", "gas_price", "take_rate", "top_up"),
    *("price", "bad_file", "rival", "pause_group", "silence", "stop_blocks", "false_leases", "adapter_file"),
    *("refund", "witness_lag", "remove_host", "false_funds"),
)


def steps_of(rng: Random, terms: Terms) -> tuple[Step, ...]:
    """The steps of a seed, by time."""
    made: list[Step] = []
    for _ in range(rng.randint(4, 10)):
        made += _story(rng, terms)
    moments = [each.at for each in made]
    for _ in range(rng.randint(10, 30)):
        near = rng.choice(moments) + rng.randint(-3, 5) * terms.block_seconds
        at = near if rng.random() < 0.8 else rng.randrange(DAYS * DAY)
        kind = rng.choice(OFTEN) if rng.random() < 0.6 else rng.choice(RARELY)
        made.append(Step(max(at, 0), kind, rng.randrange(1 << 16), rng.randrange(1 << 16)))
    return tuple(sorted(each for each in made if each.at < DAYS * DAY))


def _story(rng: Random, terms: Terms) -> Iterator[Step]:
    """A tenant's deployment from its order to its end, any part of which may be missing."""
    at, block = rng.randrange((DAYS - 1) * DAY), terms.block_seconds

    def later(blocks: int) -> int:
        nonlocal at
        at += rng.randint(1, blocks) * block
        return at

    def numbers() -> tuple[int, int]:
        return rng.randrange(1 << 16), rng.randrange(1 << 16)

    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        yield Step(at, "order", *numbers())
    if rng.random() < 0.15:
        yield Step(later(3), "close", *numbers())
    for _ in range(rng.choice([0, 1, 1, 2, 3])):
        yield Step(later(8), "accept", *numbers())
    if rng.random() < 0.5:
        yield Step(later(4), "escrow", *numbers())
    for _ in range(rng.choice([0, 1, 1, 2])):
        yield Step(later(10), "file", *numbers())
    for _ in range(rng.randint(0, 5)):
        at += rng.choice([block * rng.randint(1, 50), rng.randrange(DAY), rng.randrange(5 * DAY)])
        yield Step(at, rng.choice(_MIDDLE), *numbers())
    if rng.random() < 0.7:
        at += rng.randrange(10 * DAY)
        yield Step(at, rng.choice(["close", "close", "close_word", "unfile", "pause_group"]), *numbers())


_MIDDLE = (
    "deposit",
    "deposit",
    "pause",
    "resume",
    "image",
    "file",
    "accept",
    "order",
    "config",
    "start_group",
    "escrow",
)

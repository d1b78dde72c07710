"""What services of workloads that are billed by usage used, as measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from reconciler.values.resources import MB


@dataclass(frozen=True, slots=True)
class MeasuredUse:
    """What the replicas of a service used together in `blocks` measured blocks: the sums of millicores and
    of bytes in each of them.
    """

    service: str
    blocks: int = 0
    cpu_milli_blocks: int = 0
    byte_blocks: int = 0

    @property
    def cpu_milli(self) -> int:
        """The average in millicores, rounded down."""
        return self.cpu_milli_blocks // self.blocks if self.blocks else 0

    @property
    def memory_bytes(self) -> int:
        """The average in bytes, rounded down."""
        return self.byte_blocks // self.blocks if self.blocks else 0

    def __str__(self) -> str:
        return f"{self.service} {self.cpu_milli}m and {self.memory_bytes // MB} MB on average"


def added(some: Iterable[MeasuredUse], more: Iterable[MeasuredUse], sign: int = 1) -> tuple[MeasuredUse, ...]:
    """The sums by service, without those of no block; `sign` -1 subtracts."""
    sums = {each.service: each for each in some}
    for each in more:
        old = sums.get(each.service, MeasuredUse(each.service))
        sums[each.service] = replace(
            old,
            blocks=max(old.blocks + sign * each.blocks, 0),
            cpu_milli_blocks=max(old.cpu_milli_blocks + sign * each.cpu_milli_blocks, 0),
            byte_blocks=max(old.byte_blocks + sign * each.byte_blocks, 0),
        )
    return tuple(each for _, each in sorted(sums.items()) if each.blocks)

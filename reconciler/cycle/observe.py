"""Reads every source once; a failing source affects no other."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from reconciler.cycle.environment import Environment
from reconciler.cycle.exceptions import format_origin, sentence_of
from reconciler.ports import Adapter
from reconciler.values.ids import LeaseId, WorkloadId
from reconciler.values.intents import Intent
from reconciler.values.memory import Memory, WalletLedger
from reconciler.values.observed import AdapterView, Market, ObservedWorkload
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.result_cache import ResultCache
from reconciler.values.times import is_over

log = logging.getLogger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Observed:
    """The views of chain and adapters in one cycle."""

    market: Reading[Market]
    adapters: Mapping[str, AdapterView]


GAP_SECONDS = 300
"""How long until the transfers of a gap in the ledger are looked for again."""


class Observer:
    """Reads chain and adapters."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._results = ResultCache()
        self._gap_read_at = 0
        self._gaps_read = 0
        self._gap_blocks = 0
        """The blocks of a gap that are read at once (0: all), half as many after each failure."""

    def observe(self, memory: Memory, intents: tuple[Intent, ...]) -> Observed:
        """Observe the adapters, then the chain, which is queried for the leases that adapters name."""
        adapters = {name: self._look(name, each) for name, each in self._environment.adapters.items()}
        views = [view.workloads.view for view in adapters.values() if isinstance(view.workloads, Seen)]
        known = self._results.reuse(
            "referenced leases",
            (memory.workloads, memory.usage, *views),
            lambda: tuple(_referenced_leases(memory, views)),
        )
        market = self._environment.chain.observe(tuple(i.hash for i in intents), known, memory.to_confirm)
        return Observed(self._with_gap(market, memory.ledger), adapters)

    def _with_gap(self, market: Reading[Market], ledger: WalletLedger | None) -> Reading[Market]:
        """The market with the transfers of a gap in the ledger, or of its first blocks if they are too many
        at once, if the node has them by now.
        """
        now = self._environment.clock.now()
        if (
            isinstance(market, Unseen)
            or not ledger
            or not ledger.gaps
            or not is_over(self._gap_read_at, GAP_SECONDS, now)
        ):
            return market
        self._gap_read_at = now
        gap = ledger.gaps[self._gaps_read % len(ledger.gaps)]
        self._gaps_read += 1  # a gap that the node does not have must not keep the others open
        blocks = min(self._gap_blocks or gap.last, gap.last - gap.first + 1)
        last = gap.first + blocks - 1
        found = self._environment.chain.transfers_between(gap.first, last)
        if found is None:
            self._gap_blocks = max(blocks // 2, 1)
            return market
        self._gap_blocks *= 2
        return Seen(replace(market.view, gap_transfers={(gap.first, last): found}))

    def _look(self, name: str, adapter: Adapter) -> AdapterView:
        """What an adapter shows, with the objects of its last view where they are equal, so that decisions
        about them hold.
        """
        view, results = _look(name, adapter), self._results
        workloads = view.workloads
        if isinstance(workloads, Seen):
            workloads = results.same(
                ("reading", name), Seen(results.same_each(("workloads seen", name), workloads.view))
            )
        capacity = view.capacity
        if isinstance(capacity, Seen):
            by_name = {each.name: each for each in capacity.view.machines}
            machines = results.same_each(("machines", name), by_name).values()
            capacity = Seen(replace(capacity.view, machines=tuple(machines)))
        return replace(view, workloads=workloads, capacity=results.same(("capacity", name), capacity))


def _look(name: str, adapter: Adapter) -> AdapterView:
    try:
        return adapter.observe()
    except Exception as error:  # an error of one adapter must not affect the others, nor the bid engine
        log.error("adapter %s could not be observed: %s%s", name, sentence_of(error), format_origin(error))
        unseen = Unseen(f"it could not be observed: {sentence_of(error)}")
        return AdapterView(unseen, unseen)


def _referenced_leases(
    memory: Memory, views: Iterable[Mapping[WorkloadId, ObservedWorkload]]
) -> set[LeaseId]:
    """Leases that memory or adapters refer to, closed ones included."""
    leases = {w.lease for w in memory.workloads.values()} | memory.usage.keys()
    for view in views:
        leases |= {r.lease for name, r in view.items() if name not in memory.workloads}
    return leases

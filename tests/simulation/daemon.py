"""The daemon as wiring makes it, on chain time and without servers: opened, stepped, killed, opened again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.adapters.kubernetes.adapter import KubernetesAdapter
from reconciler.adapters.kubernetes.cluster_observer import ClusterTarget as Cluster
from reconciler.adapters.kubernetes.informer import Informer
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.chain.client import ChainClient, ClientOptions
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.heights import SeenHeight, seen_height
from reconciler.chain.rpc import Rpc
from reconciler.chain.tx_builder import FeePolicy
from reconciler.cycle.environment import Environment, Store
from reconciler.cycle.run import Cycle, Runner
from reconciler.devnet.accounts import CHAIN_ID, PROVIDER, key_of
from reconciler.devnet.cluster.kinds import parse_path
from reconciler.git.remote import Remote
from reconciler.git.repository import GitRepository
from reconciler.journal.opening import OpenJournal, open_journal
from reconciler.runtime.work_queues import InlineQueues
from reconciler.values.clusters import KubernetesSettings
from reconciler.values.limits import Limits, PayoutRules
from reconciler.values.readings import Reading
from reconciler.values.repository import Commit
from tests.simulation.outside import Outside
from tests.stepped_queues import SteppedQueues

PATIENCE_SECONDS = 20.0


class ChainTime:
    """A host's clock that goes with the chain; nobody waits by it."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def now(self) -> int:
        return int(self._outside.seconds)

    def wait(self, seconds: float) -> None:
        raise AssertionError(f"a stepped daemon waits for blocks alone, not {seconds} s")


class QuickRepository(GitRepository):
    """Runs git only when the branch has moved, which halves the time of a stepped cycle."""

    _seen: tuple[tuple[str, str], Reading[tuple[Commit, ...]]] | None = None

    def fetch(self, applied: str) -> Reading[tuple[Commit, ...]]:
        """The commits that git reports, cached by the tip of the branch."""
        head = Path(self._remote.url) / "refs" / "heads" / self._remote.branch
        asked = (head.read_text() if head.exists() else "", applied)
        if self._seen is None or self._seen[0] != asked:
            self._seen = asked, super().fetch(applied)
        return self._seen[1]


@dataclass(slots=True)
class Parts:
    """What a kill takes down."""

    journal: OpenJournal
    chain: ChainClient
    adapter: KubernetesAdapter
    runner: Runner


def untouched(name: str, port: Any) -> Any:
    """A port as it is."""
    del name
    return port


PAYEE = key_of("third").address
PAYING_OUT = Limits(payout=PayoutRules(PAYEE, 7_000_000, every_seconds=30 * 86_400, amount_max=1_000_000))
"""Limits under which each run pays out once."""


class Daemon:
    """One life of a daemon. `tap` gets every port by its name and gives what the cycle shall use instead."""

    def __init__(
        self,
        outside: Outside,
        tap: Callable[[str, Any], Any] = untouched,
        limits: Callable[[], Limits] = lambda: PAYING_OUT,
        publishing: bool = True,
        make_queues: Callable[[Callable[[], int]], InlineQueues] = InlineQueues,
    ) -> None:
        self.outside = outside
        self.queues = make_queues(ChainTime(outside).now)
        self._publishing = publishing
        self._limits = limits
        self._parts = self._open(tap)

    @property
    def runner(self) -> Runner:
        """What runs its cycles."""
        return self._parts.runner

    @property
    def journal(self) -> OpenJournal:
        """Its journal."""
        return self._parts.journal

    @property
    def adapter(self) -> KubernetesAdapter:
        """Its cluster."""
        return self._parts.adapter

    def cycle(self) -> Cycle:
        """One cycle, on a world whose caches have caught up; queued effects take place after it."""
        self.settle()
        cycle = self.runner.run_cycle()
        if isinstance(self.queues, SteppedQueues):
            self.queues.step_all()
        return cycle

    def settle(self) -> None:
        """Wait until our caches show the cluster as it is."""
        for cache in self._parts.adapter._observer.informers:
            newest = self._newest(cache)
            ends = time.monotonic() + PATIENCE_SECONDS
            while int(cache._version or -1) < newest:
                assert time.monotonic() < ends, f"{cache._path} has not caught up with version {newest}"
                time.sleep(0.001)

    def drop(self) -> None:
        """Take it down as a kill does: nothing is finished, nothing is told."""
        parts = self._parts
        parts.adapter.close()
        parts.chain.close()
        parts.journal.close()

    def _newest(self, cache: Informer[object]) -> int:
        """The version of the last change that this cache's watch must tell; 0 where there is none."""
        cluster = self.outside.cluster
        target = parse_path(cache._path)
        assert target is not None
        match = cluster._reads.select(target, cache._query)
        changes = cluster.store.since(cluster.store.oldest)
        told = cluster._reads.events(target.kind, match, changes)
        return max((int(found["metadata"]["resourceVersion"]) for _, found in told), default=0)

    def _open(self, tap: Callable[[str, Any], Any]) -> Parts:
        outside = self.outside
        journal = open_journal(outside.state)
        chain = self._chain(seen_height(journal.journal.memory()))
        target = Cluster(Kubeconfig(outside.kubeconfig), KubernetesSettings(), stale_seconds=0)
        adapter = KubernetesAdapter(target, lambda: None)
        adapter.start()
        world = Environment(
            provider=PROVIDER,
            repo=tap("repo", QuickRepository(Remote(str(outside.commits.repository)), outside.state)),
            chain=tap("chain", chain),
            adapters={"kubernetes": tap("adapter", adapter)},
            store=Store(
                tap("journal", journal.journal),
                tap("intents", journal.intents),
                tap("outbox", journal.outbox),
                tap("inbox", journal.inbox),
                tap("records", journal.records),
            ),
            queues=self.queues,
            clock=ChainTime(outside),
            limits=self._limits,
            notifier=tap("notifier", outside.notices),
            forge=tap("forge", outside.page),
            publishes_status=self._publishing,
            publishes_snapshot=self._publishing,
        )
        return Parts(journal, chain, adapter, Runner(world, key_of(PROVIDER).address))

    def _chain(self, remembered: SeenHeight | None) -> ChainClient:
        served = self.outside.served
        assert served is not None, "the chain is served"
        return ChainClient(
            GrpcNode(served.grpc_target),
            Rpc(served.rpc_url),
            key_of(PROVIDER),
            ClientOptions(CHAIN_ID, last_height=remembered, clock=lambda: self.outside.seconds),
            FeePolicy(timeout_blocks=self._limits().timeout_blocks),
        )

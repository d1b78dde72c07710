"""The composition root: the only file that names adapters, chain, repository, journal and cycle together."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from reconciler.adapters.kubernetes.adapter import KubernetesAdapter
from reconciler.adapters.kubernetes.adapter import Place as Cluster
from reconciler.adapters.kubernetes.connection import Kubeconfig
from reconciler.chain.client import ChainClient, Expectations
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.heights import HeightWatch
from reconciler.chain.keyring import open_keyring
from reconciler.chain.preparing import Policy
from reconciler.chain.rpc import Rpc
from reconciler.cycle.clock import HostClock
from reconciler.cycle.loop import Loop, Pace
from reconciler.cycle.run import Runner
from reconciler.cycle.world import Store, World
from reconciler.journal.copying import copy_journal
from reconciler.journal.opening import open_journal
from reconciler.ports import Adapter
from reconciler.repo.place import Author, Place
from reconciler.repo.repository import GitRepository
from reconciler.repo.watching import Watcher, watched_in
from reconciler.serve.api import Api
from reconciler.serve.board import Board
from reconciler.serve.logs import LogDesk
from reconciler.serve.server import start_servers
from reconciler.settings import Settings, read_passphrase
from reconciler.values.snapshot import WorkloadSnapshot

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Daemon:
    """A provider put together: its loop, its runner, and what serves it."""

    settings: Settings
    world: World
    runner: Runner
    loop: Loop
    board: Board
    clock: HostClock

    def stop(self) -> None:
        """End after the cycle under way; may be called from a signal handler."""
        self.loop.stop()
        self.clock.wake()

    @contextmanager
    def served(self) -> Iterator[tuple[str, str]]:
        """The HTTP API and the metrics while the loop runs; yields their addresses in fact."""
        desk = LogDesk(self._logs)
        api = Api(self.board, desk, self.clock.now)
        servers = start_servers(api, self.settings.api, self.settings.metrics)
        try:
            yield str(servers.ports.api), str(servers.ports.metrics)
        finally:
            servers.stop()

    def _logs(self, workload: WorkloadSnapshot, lines: int) -> Iterator[bytes]:
        return self.world.adapters[workload.adapter].logs(workload.id, lines)


@contextmanager
def looking(settings: Settings) -> Iterator[Runner]:
    """What a daemon would see and plan, also beside one that runs: on a copy of its journal."""
    with TemporaryDirectory(prefix="provider-daemon-") as scratch:
        copy_journal(settings.state, Path(scratch))
        with opened(settings, Path(scratch)) as daemon:
            yield daemon.runner


@contextmanager
def opened(settings: Settings, journal_in: Path | None = None) -> Iterator[Daemon]:
    """A daemon with its journal locked and its watches running; everything is closed at the end.

    Raises SettingsError, JournalError, BadPlaceError or a keyring's error, each with a sentence.
    """
    with ExitStack() as stack:
        journal = open_journal(journal_in or settings.state)
        stack.callback(journal.close)
        clock = HostClock()
        chain, address = _chain(settings, clock, stack, journal.journal.memory().height)
        world = World(
            provider=settings.provider,
            repo=GitRepository(place_of(settings), settings.state),
            chain=chain,
            adapters=_adapters(settings, clock, stack),
            store=Store(journal.journal, journal.intents, journal.outbox, journal.inbox, journal.records),
            clock=clock,
            limits=settings.limits_now,
            publishing=settings.repository.publish,
            poll_seconds=settings.repository.poll_seconds,
        )
        runner = Runner(world, address)
        board = Board(runner.snapshot)
        loop = Loop(world, runner, Pace(settings.cycle_at_most_seconds), board.show)
        watcher = Watcher(_watched(settings), clock.wake)
        watcher.start()
        stack.callback(watcher.close)
        yield Daemon(settings, world, runner, loop, board, clock)


def _chain(settings: Settings, clock: HostClock, stack: ExitStack, since: int) -> tuple[ChainClient, str]:
    """The chain client with the signing key, and our address; a watch on heights wakes the loop."""
    asked, limits = settings.chain, settings.limits
    directory = settings.key.keyring / f"keyring-{settings.key.backend}"
    key = open_keyring(directory, read_passphrase(settings.key)).key(settings.key.name)
    chain = ChainClient(
        GrpcNode(asked.grpc, asked.tls),
        Rpc(asked.rpc),
        key,
        Expectations(asked.chain_id, since=since),
        Policy(limits.gas_adjustment, limits.gas_price_max, limits.timeout_blocks),
    )
    stack.callback(chain.close)
    heights = HeightWatch(Rpc(asked.rpc), clock.wake, settings.poll_seconds)
    heights.start()
    stack.callback(heights.close)
    return chain, key.address


def place_of(settings: Settings) -> Place:
    """Where the state repository is."""
    repository = settings.repository
    return Place(
        url=repository.url,
        branch=repository.branch,
        path=repository.path,
        allowed_signers=repository.allowed_signers,
        credentials=repository.credentials,
        author=Author(repository.author_name, repository.author_email),
    )


def _adapters(settings: Settings, clock: HostClock, stack: ExitStack) -> Mapping[str, Adapter]:
    access = settings.kubernetes
    if access.kubeconfig is None:
        return {}
    adapter = KubernetesAdapter(Cluster(Kubeconfig(access.kubeconfig, access.context or "")), clock.wake)
    adapter.start()
    stack.callback(adapter.close)
    return {"kubernetes": adapter}


def _watched(settings: Settings) -> Iterator[Path]:
    """What wakes the loop: a local repository, the credentials, and the state directory's stop file."""
    if settings.repository.is_local:
        yield from watched_in(Path(settings.repository.url))
    for path in (
        settings.kubernetes.kubeconfig,
        settings.key.passphrase_file,
        settings.key.keyring,
        settings.repository.credentials,
        settings.repository.allowed_signers,
    ):
        if path is not None:
            yield path

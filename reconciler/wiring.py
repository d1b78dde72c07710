"""The composition root: the only module that imports adapters, chain, git, journal and cycle together."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from reconciler.adapters.adapter_set import AdapterSet, StartedAdapter
from reconciler.adapters.ansible.adapter import AnsibleAdapter, AnsibleEnvironment
from reconciler.adapters.ansible.credentials import HostCredentials
from reconciler.adapters.kubernetes.adapter import KubernetesAdapter
from reconciler.adapters.kubernetes.cluster_observer import ClusterTarget
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.adapters.webhook import Receiver, Webhook
from reconciler.api.api import Sources
from reconciler.api.auth.tls import RemoteAccess
from reconciler.api.startup import Serving, start_servers
from reconciler.chain.call_deadline import CallDeadline
from reconciler.chain.client import ChainClient, ClientOptions
from reconciler.chain.heights import HeightWatch, SeenHeight, seen_height
from reconciler.chain.keyring import open_keyring
from reconciler.chain.leased_deployments import leased_deployment
from reconciler.chain.tx_builder import FeePolicy
from reconciler.chain.witness import witness_at
from reconciler.cycle.clock import HostClock
from reconciler.cycle.environment import Environment, Store
from reconciler.cycle.exceptions import FailedThreads
from reconciler.cycle.loop import Loop, Pace
from reconciler.cycle.run import Runner
from reconciler.forge.status_sender import StatusSender, status_sender
from reconciler.gateway.chain_lookup import ChainLookup
from reconciler.gateway.lease_directory import LeaseDirectory
from reconciler.gateway.listener import GatewayListen
from reconciler.gateway.manifest_intake import IntakeSettings, ManifestIntake
from reconciler.gateway.sources import GatewaySources
from reconciler.gateway.startup import RunningGateway, start_gateway
from reconciler.gateway.submissions import Submissions
from reconciler.git.backoff import Backoff, credentials_version
from reconciler.git.file_watcher import FileWatcher, watched_paths
from reconciler.git.manifest_branch import ManifestBranch
from reconciler.git.remote import remote_host
from reconciler.git.repository import GitRepository
from reconciler.journal.opening import copy_journal, open_journal, open_records
from reconciler.journal.state_directory import make_state_directory
from reconciler.planning.revisions.adapter_grants import denial
from reconciler.ports import Inspector, Wake, WorkQueues
from reconciler.runtime.accepted_manifests import AcceptedManifests, is_newer
from reconciler.runtime.call_timings import CallTimings, TimedChain, TimedRepo
from reconciler.runtime.sealing import Identities
from reconciler.runtime.secret_files import SecretFile, read_token
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.runtime.throttled_wake import ThrottledWake
from reconciler.runtime.work_queue import QueueBounds
from reconciler.runtime.work_queues import InlineQueues, ThreadedQueues
from reconciler.settings import ListenSettings, Settings, SettingsError, read_passphrase
from reconciler.values.clusters import KubernetesSettings
from reconciler.values.desired import Config, Desired, UsageMeter
from reconciler.values.hosts import AnsibleSettings
from reconciler.values.records import Request
from reconciler.values.snapshot import Snapshot

ADAPTER_STATE, ADAPTER_RUNS = "adapters", "adapter-runs"
"""Folders of the state directory, with a folder for each adapter; the second holds nothing that lasts."""
log = logging.getLogger(__name__)

LOOK_UP_SECONDS = 5.0
"""How long a query for a tenant's submission may take."""

FETCH_WAIT_SECONDS = 0.25
"""How long a cycle of the loop waits for a read of the repository, which goes on beside it."""

FIRST_ADAPTERS_SECONDS = 2.0
"""How long the first cycle waits for the first observations of all adapters."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """An assembled daemon: loop, runner, and the sources of its servers."""

    settings: Settings
    environment: Environment
    runner: Runner
    loop: Loop
    snapshots: SnapshotStore
    clock: HostClock
    inspectors: Mapping[str, Inspector]
    calls: CallTimings
    submissions: Submissions | None = None

    def stop(self) -> None:
        """Stop after the current cycle; may be called from a signal handler."""
        self.loop.stop()
        self.clock.wake()

    @contextmanager
    def serve(self) -> Iterator[tuple[str, str]]:
        """Serve tenants, the HTTP API and the metrics; yields the actual addresses of the last two."""
        with ExitStack() as stack:
            history = open_records(self.settings.state)
            stack.callback(history.close)
            sources = Sources(
                self.snapshots,
                self.inspectors,
                history,
                self.wake_by_request,
                self.clock.now,
                queues=self.environment.queues.statistics,
            )
            if (gateway := self._start_gateway(stack)) is not None:
                sources = replace(
                    sources,
                    collectors=gateway.collectors(),
                    troubles=gateway.troubles,
                    certificates=gateway.certificates,
                )
            servers = start_servers(sources, server_settings(self.settings.listen), self.calls)
            stack.callback(servers.stop)
            yield str(servers.ports.api), str(servers.ports.metrics)

    def _start_gateway(self, stack: ExitStack) -> RunningGateway | None:
        """The servers for tenants, if the host file has them; with a connection of their own to the node, as
        tenants cause the queries.
        """
        wanted, chain = self.settings.gateway, self.settings.chain
        if wanted is None or self.submissions is None:
            return None
        leases = LeaseDirectory(self.snapshots, self.snapshots.snapshot.address)
        lookup = ChainLookup(chain.node.grpc_node(LOOK_UP_SECONDS), leases.is_tenant)
        stack.callback(lookup.close)
        gateway = start_gateway(
            GatewaySources(leases, lookup, self.submissions, self.inspectors, chain.chain_id, self.clock.now),
            GatewayListen(
                wanted.address,
                wanted.hostname,
                wanted.connections,
                wanted.connections_per_client,
                wanted.requests_per_minute,
            ),
            (wanted.certificate, wanted.key),
            wanted.grpc,
        )
        stack.callback(gateway.stop)
        return gateway

    def wake_by_request(self) -> None:
        """Request a read of the repository and a cycle; JournalError if the request cannot be stored."""
        self.environment.store.inbox.enqueue(Request.RECONCILE, self.clock.now())
        self.clock.wake()


def server_settings(listen: ListenSettings) -> Serving:
    """Listen addresses and authentication of the servers."""
    return Serving(
        api=listen.api,
        metrics=listen.metrics,
        outside=listen.outside,
        remote_access=RemoteAccess(listen.tls_certificate, listen.tls_key, listen.client_ca, listen.tokens),
        webhook_secret=listen.webhook_secret,
    )


@contextmanager
def open_planner(settings: Settings) -> Iterator[Runner]:
    """A runner on a copy of the journal, which also works beside a running daemon."""
    with TemporaryDirectory(prefix="provider-daemon-") as scratch:
        copy_journal(settings.state, Path(scratch))
        with open_daemon(settings, Path(scratch)) as daemon:
            yield daemon.runner


@contextmanager
def open_daemon(
    settings: Settings, journal_in: Path | None = None, *, background: bool = False
) -> Iterator[Daemon]:
    """A daemon with its journal locked and its watches running; everything is closed at the end.

    `background`: effects on targets and reads of the repository run in threads beside the loop; otherwise
    each cycle waits for them.
    Raises SettingsError, JournalError, BadRemoteError or a keyring's error, with operator-readable messages.
    """
    with ExitStack() as stack:
        make_state_directory(settings.state)
        journal = open_journal(journal_in or settings.state)
        stack.callback(journal.close)
        clock = HostClock()
        chain, address = _chain(settings, clock, stack, seen_height(journal.journal.memory()))
        backoff = Backoff()
        repo = GitRepository(settings.repository, settings.state, backoff)
        stack.callback(repo.close)
        wait_seconds = FIRST_ADAPTERS_SECONDS if background else None
        for_bursts = ThrottledWake(clock.wake)
        adapters = _adapters(settings, address, for_bursts, wait_seconds)
        stack.callback(adapters.close)
        calls = CallTimings()
        tenants = _tenants(settings, clock, stack, in_background=background)
        in_force: deque[Desired] = deque(maxlen=1)

        def configure(desired: Desired) -> None:
            if desired.commit:  # before the first revision no adapter is known
                adapters.configure(adapter_targets(desired, settings, address))
                in_force.append(desired)

        environment = Environment(
            provider=settings.provider,
            repo=TimedRepo(repo, calls),
            chain=TimedChain(chain, calls),
            adapters=adapters,
            store=Store(journal.journal, journal.intents, journal.outbox, journal.inbox, journal.records),
            queues=_queues(settings, clock, for_bursts) if background else InlineQueues(clock.now),
            clock=clock,
            configure=configure,
            notifier=_notifier(settings),
            forge=_forge(settings, backoff),
            manifests=tenants.accepted if tenants else None,
            limits=settings.limits_now,
            publishes_status=settings.repository.publish,
            publishes_snapshot=settings.repository.snapshot,
            repository_folder=settings.repository.path,
            poll_seconds=settings.repository.poll_seconds,
            fetch_wait_seconds=FETCH_WAIT_SECONDS if background else None,
            wake=clock.wake,
        )
        runner = Runner(environment, address)
        snapshots = SnapshotStore(runner.snapshot)
        show = _publish_with_threads(snapshots, stack)
        loop = Loop(environment, runner, Pace(settings.cycle_at_most_seconds), show)
        watcher = FileWatcher(_watched(settings), clock.wake)
        watcher.start()
        stack.callback(watcher.close)
        submissions = None
        if tenants and settings.sealing:
            rules = IntakeSettings(
                settings.sealing.recipient, lambda: in_force[0] if in_force else None, clock.wake, clock.now
            )
            node = settings.chain.node.grpc_node(LOOK_UP_SECONDS)
            stack.callback(node.close)
            submissions = ManifestIntake(
                lambda deployment: leased_deployment(node, deployment, address),
                tenants.branch,
                tenants.accepted,
                rules,
            )
        yield Daemon(
            settings, environment, runner, loop, snapshots, clock, adapters, calls, submissions=submissions
        )


@dataclass(frozen=True, slots=True)
class TenantManifestStore:
    """The branch of accepted manifests, and its reader."""

    branch: ManifestBranch
    accepted: AcceptedManifests


def _tenants(
    settings: Settings, clock: HostClock, stack: ExitStack, *, in_background: bool
) -> TenantManifestStore | None:
    if settings.sealing is None:
        return None
    identities, name = Identities(settings.sealing.identity), f"tenants/{settings.provider}"
    newer = partial(is_newer, identities)
    branch = ManifestBranch(settings.repository, settings.state, name, Backoff(), newer)
    stack.callback(branch.close)
    accepted = AcceptedManifests(branch, identities, clock.wake, in_background=in_background)
    if settings.gateway is not None:
        accepted.take_more()
    return TenantManifestStore(branch, accepted)


def _queues(settings: Settings, clock: HostClock, wake: Wake) -> WorkQueues:
    limits = settings.limits
    return ThreadedQueues(clock.now, wake, QueueBounds(limits.concurrent_effects, limits.queued_effects))


def _publish_with_threads(snapshots: SnapshotStore, stack: ExitStack) -> Callable[[Snapshot], None]:
    """Install a `threading.excepthook` that records failed threads; publishes snapshots with them."""
    failed = FailedThreads()
    stack.callback(setattr, threading, "excepthook", threading.excepthook)
    threading.excepthook = failed.note
    return lambda snapshot: snapshots.publish(replace(snapshot, failed_threads=failed.found))


def _chain(
    settings: Settings, clock: HostClock, stack: ExitStack, last_height: SeenHeight | None
) -> tuple[ChainClient, str]:
    """The chain client with the signing key, and its address; starts the height watcher, which wakes the
    loop.
    """
    chain_settings, limits = settings.chain, settings.limits
    directory = settings.key.keyring / f"keyring-{settings.key.backend}"
    key = open_keyring(directory, read_passphrase(settings.key)).key(settings.key.name)
    deadline, second = CallDeadline(), chain_settings.witness
    witness = witness_at(second, chain_settings.chain_id, deadline) if second else None
    chain = ChainClient(
        chain_settings.node.grpc_node(deadline=deadline),
        chain_settings.node.rpc_client(deadline=deadline),
        key,
        ClientOptions(chain_settings.chain_id, last_height=last_height, witness=witness, deadline=deadline),
        FeePolicy(limits.gas_price_max, limits.timeout_blocks),
    )
    stack.callback(chain.close)
    heights = HeightWatch(chain_settings.node.rpc_client(), clock.wake, settings.poll_seconds)
    heights.start()
    stack.callback(heights.close)
    return chain, key.address


def _forge(settings: Settings, backoff: Backoff) -> StatusSender | None:
    if (forge := settings.forge) is None:
        return None
    is_one_host = urlsplit(forge.repository.api).hostname == remote_host(settings.repository.url)
    return StatusSender(
        status_sender(forge, lambda: SecretFile(forge.token_file, read_token).content),
        shared=backoff if is_one_host else None,
        credential=lambda: credentials_version(forge.token_file),
    )


def _notifier(settings: Settings) -> Webhook | None:
    if settings.notices is None:
        return None
    try:
        return Webhook(Receiver(settings.notices.url, settings.notices.secret_file))
    except ValueError as error:
        raise SettingsError(f"{settings.host_file}: notices.url: {error}") from None


AdapterTarget = ClusterTarget | AnsibleEnvironment


def adapter_targets(desired: Desired, settings: Settings, address: str) -> Mapping[str, AdapterTarget]:
    """The adapters of a revision that the host file allows and names credentials for, disabled ones included:
    these only observe.
    """
    found: dict[str, AdapterTarget] = {}
    meters_use = (desired.config or Config()).usage.meter is UsageMeter.METRICS
    for name, wanted in desired.adapters.items():
        access = settings.adapters.get(name)
        if denial(desired, name, settings.limits.grants):
            continue
        match wanted, access:
            case KubernetesSettings(), Kubeconfig():
                found[name] = ClusterTarget(access, wanted, address, meters_use=meters_use)
            case AnsibleSettings(), HostCredentials() if wanted.groups:
                state, runs = (settings.state / folder / name for folder in (ADAPTER_STATE, ADAPTER_RUNS))
                found[name] = AnsibleEnvironment(
                    replace(wanted, enabled=True), access, state, runs, provider=address
                )
    return found


def _adapters(
    settings: Settings, address: str, wake: Wake, first_wait_seconds: float | None
) -> AdapterSet[AdapterTarget]:
    def create(target: AdapterTarget) -> StartedAdapter:
        if isinstance(target, ClusterTarget):
            return KubernetesAdapter(target, wake)
        return AnsibleAdapter(target, wake)

    return AdapterSet(create, wake, first_wait_seconds)


def _watched(settings: Settings) -> Iterator[Path]:
    """Paths whose changes wake the loop: a local repository, credentials, keys and allowed signers."""
    if settings.repository.is_local:
        yield from watched_paths(Path(settings.repository.url))
    yield from (access.path for access in settings.adapters.values() if isinstance(access, Kubeconfig))
    for path in (
        settings.key.passphrase_file,
        settings.key.keyring,
        settings.repository.credentials,
        settings.repository.allowed_signers,
    ):
        if path is not None:
            yield path

"""The desired state at one commit, parsed and validated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from reconciler.values.clusters import KubernetesSettings
from reconciler.values.gpus import GpuModel
from reconciler.values.hosts import AnsibleSettings
from reconciler.values.ids import LeaseId, WorkloadId
from reconciler.values.money import DENOM
from reconciler.values.repository import CommitHeader
from reconciler.values.resources import Attribute, Resources, total
from reconciler.values.specification import (
    DEFAULT_HTTP,
    DEFAULT_ROLLOUT,
    GRACE_SECONDS,
    HTTP_PORT,
    ContainerProbe,
    HttpOptions,
    ImageCredentials,
    Rollout,
    ServiceVolume,
)
from reconciler.values.text import clean_fields


class Rounding(StrEnum):
    """How the fraction of a uve in a price is handled: rounded up once, last, or kept."""

    UP = "up"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Multiplier:
    """A factor on the price for one tenant ("": all) whose order requires an attribute (None: any order)."""

    factor: Decimal
    tenant: str = ""
    attribute: Attribute | None = None


@dataclass(frozen=True, slots=True)
class Pricing:
    """Prices a unit and block (MB is 2^20 bytes), and the margin on their sum (0.15 is 15 %).

    `gpu_models` and `storage_classes` are the prices of these kinds; others cost `gpu` and `storage_mb`.
    `endpoint` and `leased_ip` are the prices of a public port and of an address, `minimum` that of a lease.
    The product of all multipliers of a lease is at least `factor_min`, which the host file sets.
    `rounding_step` is the multiple of uve that prices are rounded up to. Prices are in `currency`; those in
    force are in uve.
    """

    cpu_millicores: Decimal
    memory_mb: Decimal
    storage_mb: Decimal
    gpu: Decimal
    profit_margin: Decimal
    rounding: Rounding = Rounding.UP
    rounding_step: int = 1
    gpu_models: tuple[tuple[GpuModel, Decimal], ...] = ()
    storage_classes: tuple[tuple[str, Decimal], ...] = ()
    endpoint: Decimal = Decimal(0)
    leased_ip: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)
    multipliers: tuple[Multiplier, ...] = ()
    factor_min: Decimal = Decimal(1)
    currency: str = DENOM


MANIFEST_TIMEOUT_SECONDS = 300
"""As other providers of this protocol wait (tenant 3.2)."""


class BidStrategy(StrEnum):
    """How the price of a bid follows from our price: equal to it, a part of the tenant's highest price, or
    below other providers' bids.
    """

    COST_PLUS = "cost-plus"
    PERCENT_OF_MAXIMUM = "percent-of-maximum"
    UNDERCUT = "undercut"


@dataclass(frozen=True, slots=True)
class Bidding:
    """Which tenants to bid for, and at what price; within how many seconds a lease must earn back its fees,
    and after how many a bid without a lease is closed; so is one whose price is more than `outpriced_percent`
    below today's. `maximum_percent` of the tenant's highest price is bid, or `undercut_percent` less than the
    lowest other bid, as the strategy says. A lease whose tenant sends no manifest for
    `manifest_timeout_seconds` is closed (None: MANIFEST_TIMEOUT_SECONDS on hosts that take manifests).
    """

    enabled: bool = True
    strategy: BidStrategy = BidStrategy.COST_PLUS
    maximum_percent: int = 95
    undercut_percent: int = 1
    break_even_seconds: int = 86_400
    bid_lifetime_seconds: int = 1_800
    manifest_timeout_seconds: int | None = None
    outpriced_percent: int = 20
    owners_allowed: frozenset[str] = frozenset()
    owners_denied: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Withdrawals:
    """When a lease's earnings are withdrawn: at least `every_seconds` after the last withdrawal, at least
    `min_gain` uve over the fee, and with a fee of at most `fee_percent_max` percent of them.
    """

    every_seconds: int = 86_400
    min_gain: int = 1
    fee_percent_max: int = 2


class UsageMeter(StrEnum):
    """What is billed by usage: what the ready replicas request, or what is measured of it."""

    REQUESTS = "requests"
    METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class Usage:
    """When usage is recorded: every so many seconds, and settled when it brings `min_gain` uve over its fees
    or its escrow nears expiry. A lease that no escrow pays for is served for `unfunded_grace_seconds`.
    """

    every_seconds: int = 86_400
    min_gain: int = 1
    expiry_margin_seconds: int = 3_600
    unfunded_grace_seconds: int = 900
    meter: UsageMeter = UsageMeter.REQUESTS


class OnCritical(StrEnum):
    """The action on a workload whose funds are critical."""

    NOTHING = "nothing"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True)
class Escrow:
    """The remaining funds, in seconds, below which a lease counts as low and as critical."""

    low_seconds: int = 86_400
    critical_seconds: int = 7_200
    on_critical: OnCritical = OnCritical.NOTHING


@dataclass(frozen=True, slots=True)
class Publishing:
    """How long status changes are gathered before a commit, in seconds."""

    quiet_seconds: int = 5
    at_most_seconds: int = 30


@dataclass(frozen=True, slots=True)
class Config:
    """`config.yaml`; `suspended` is the reason of the suspension ("": none)."""

    bidding: Bidding = Bidding()
    withdrawals: Withdrawals = Withdrawals()
    usage: Usage = Usage()
    publishing: Publishing = Publishing()
    escrow: Escrow = Escrow()
    suspended: str = ""
    images_denied: tuple[str, ...] = ()
    hosts_denied: tuple[str, ...] = ()
    capacity_reserve_percent: int = 0


class CloseReason(StrEnum):
    """The close reasons that the chain accepts from a provider (semantics 3.4)."""

    UNSTABLE = "unstable"
    DECOMMISSION = "decommission"
    UNSPECIFIED = "unspecified"
    MANIFEST_TIMEOUT = "manifest_timeout"


IN_MANIFEST = "manifest"
"""In place of a sealed value: it is sealed together with its manifest."""


@dataclass(frozen=True, slots=True)
class Env:
    """One environment variable: a plain value, the name of a secret that holds it (`secret/key`), or a sealed
    value. An adapter gets a sealed one with its plain value, which it keeps in a secret.
    """

    name: str
    value: str | None = None
    secret: str | None = None
    sealed: str | None = None


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a service: `port` inside, `exposed_as` outside (0: the same); `public` reaches beyond the
    workload. An inner port is for one service of the workload ("": all). `ip` is the name of a leased
    address, `hosts` are names under which HTTP reaches it.
    """

    port: int
    exposed_as: int = 0
    protocol: str = "TCP"
    public: bool = False
    service: str = ""
    ip: str = ""
    hosts: tuple[str, ...] = ()
    http: HttpOptions = DEFAULT_HTTP

    @property
    def is_ingress(self) -> bool:
        """Whether it is reached by HTTP (semantics 6.6)."""
        return self.public and self.protocol == "TCP" and (self.exposed_as or self.port) == HTTP_PORT


@dataclass(frozen=True, slots=True)
class Service:
    """One kind of container of a workload, `count` times; `resources` are those of one, with its volumes.
    `image` is in its normal form (`values/images.py`), so that the image checked is the image applied.
    Its GPUs may be of any of the `gpu_models` (empty: of all). `dependencies` are services that it needs; all
    start together.
    """

    name: str
    image: str
    resources: Resources
    count: int = 1
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[Env, ...] = ()
    ports: tuple[Port, ...] = ()
    arch: str = ""
    gpu_models: tuple[GpuModel, ...] = ()
    volumes: tuple[ServiceVolume, ...] = ()
    credentials: ImageCredentials | None = None
    dependencies: tuple[str, ...] = ()
    liveness: ContainerProbe | None = None
    readiness: ContainerProbe | None = None
    rollout: Rollout = DEFAULT_ROLLOUT
    grace_seconds: int = GRACE_SECONDS

    @property
    def persistent_volumes(self) -> tuple[ServiceVolume, ...]:
        """The volumes whose data outlives a container."""
        return tuple(volume for volume in self.volumes if volume.is_persistent)

    @property
    def ephemeral_bytes(self) -> int:
        """Storage of one container that is neither persistent nor memory."""
        return self.resources.storage_bytes - sum(v.size_bytes for v in self.volumes if v.storage_class)


@dataclass(frozen=True, slots=True)
class Workload:
    """One workload file: the services of a lease, and their adapter ("": chosen by the planner); `attributes`
    are those of its order, `machine` is that which was promised, where workloads are whole ("": any),
    `rendering` the settings of its adapter that its containers depend on.

    `services` are empty in a file that keeps those of the tenant's manifest; `manifest_hash` is that of the
    manifest that they come from ("": from the file).
    """

    id: WorkloadId
    lease: LeaseId
    services: tuple[Service, ...]
    adapter: str = ""
    paused: bool = False
    close: CloseReason | None = None
    close_words: str = ""
    path: str = field(default="", compare=False)
    attributes: tuple[Attribute, ...] = field(default=(), compare=False)
    machine: str = field(default="", compare=False)
    rendering: str = ""
    manifest_hash: str = ""

    @property
    def has_sealed_values(self) -> bool:
        """Whether it must be unsealed before an adapter can run it."""
        return bool(self.manifest_hash) or any(
            (service.credentials and service.credentials.sealed)
            or any(env.sealed is not None for env in service.env)
            for service in self.services
        )

    @property
    def resources(self) -> Resources:
        """The total of all its containers."""
        return total([s.resources.times(s.count) for s in self.services])


AdapterSettings = KubernetesSettings | AnsibleSettings
"""`adapters/<name>.yaml`."""


class Fix(NamedTuple):
    """The only right text in place of a wrong one, which begins at a fault's position ("": it is inserted
    there); of a fault without a position, the file's right path.
    """

    wrong: str
    right: str


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """An error or warning at a position of a file; line and column count from 1, 0 means the file as a whole;
    `rule` is the kind of fault.
    """

    path: str
    line: int
    column: int
    message: str
    advice: str = ""
    warning: bool = False
    rule: str = field(default="content", compare=False)
    fix: Fix | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Bound and clean text that quotes the file."""
        clean_fields(self, "message", "advice")

    def describe(self) -> str:
        """`pricing.yaml:4:3: message (advice)`."""
        place = f"{self.path}:{self.line}:{self.column}" if self.line else self.path
        word = "warning: " if self.warning else ""
        return f"{place}: {word}{self.message}" + (f" ({self.advice})" if self.advice else "")


@dataclass(frozen=True, slots=True)
class Desired:
    """One commit's desired state.

    `config` and `pricing` are None, and an adapter is absent, where the file is missing or faulty and no good
    version is known. `stale` are the paths whose last valid version replaces a faulty one; `valid_blobs` is
    the blob id in use for each readable path.
    """

    commit: str
    config: Config | None
    pricing: Pricing | None
    adapters: Mapping[str, AdapterSettings]
    workloads: Mapping[WorkloadId, Workload]
    faults: tuple[Fault, ...] = ()
    stale: frozenset[str] = frozenset()
    valid_blobs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit of the desired branch and its place in history; `reverts` is the commit that it reverts,
    `superseded` are the commits between the applied one and this one, oldest first.
    """

    desired: Desired
    author: str = ""
    subject: str = ""
    committed_at: int = 0
    descends: bool = True
    signer: str | None = None
    reverts: str = ""
    superseded: tuple[CommitHeader, ...] = ()


@dataclass(frozen=True, slots=True)
class Revisions:
    """The newest commit, and the last applied one if it differs and is still known.

    `stale` is why the last fetch failed ("": it did not); until it succeeds the revisions are those read
    before. `fetched_at` is when they were fetched (unix seconds of the host; 0: before the daemon started).
    """

    newest: Revision
    applied: Revision | None = None
    stale: str = ""
    fetched_at: int = 0

"""The demo: its steps' form, the objects that they share, and the loop that runs them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from reconciler.chain.grpc_node import GrpcNode
from reconciler.devnet.accounts import PROVIDER, key_of
from reconciler.devnet.errors import DevnetError
from reconciler.devnet.home import Home
from reconciler.devnet.operator_git import Operator
from reconciler.devnet.probe import PROBE_ERRORS, Probe
from reconciler.devnet.trading import OrderRequest, Trader, TransactionClient, pause
from reconciler.documents.model import API_VERSION
from reconciler.values.ids import BidId, OrderId, workload_id
from reconciler.values.resources import USAGE_BILLED

WEB = "docker.io/library/nginx:1.27"

ORDERS = {
    "web": ("alice", OrderRequest(Decimal(4000))),
    "cheap": ("alice", OrderRequest(Decimal(100))),
    "metered": ("alice", OrderRequest(Decimal(4000), attributes=(USAGE_BILLED,))),
    "huge": ("bob", OrderRequest(Decimal(200_000), cpu_milli=128_000)),
    "contested": ("bob", OrderRequest(Decimal(4000))),
    "second": ("alice", OrderRequest(Decimal(4000))),
}
"""The orders by their names in the demo, each with its tenant."""

NO_BLOCK_SECONDS = 30
"""After so long without a block the chain counts as stopped."""

_WORKLOAD = """\
# The workload of the demo's order `{name}`.
apiVersion: {version}
kind: Workload
lease:
  owner: {order.owner}
  dseq: {order.dseq}
  gseq: {order.gseq}
  oseq: {order.oseq}
adapter: kubernetes
paused: false
services:
  - name: web
    image: {image}
    resources: {{cpu: 1000m, memory: 1024Mi, storage: 1024Mi}}
    expose:
      - {{port: 80, as: 80}}
"""


class DemoDaemon(Protocol):
    """The daemon as the demo starts and ends it."""

    def start(self) -> None:
        """Start it; returns at once."""

    def kill(self) -> None:
        """End it as a power cut would."""

    def stop(self) -> None:
        """Stop it, and wait until it has ended."""

    def is_alive(self) -> bool:
        """Whether it runs."""

    def once(self) -> tuple[int, str]:
        """`run --once`: its exit code, and its output."""


@dataclass(slots=True)
class Demo:
    """A devnet with a daemon, and the facts that one step leaves for a later one."""

    home: Home
    probe: Probe
    operator: Operator
    daemon: DemoDaemon
    orders: dict[str, OrderId] = field(default_factory=dict)
    contested_height: int = 0
    price_commit: str = ""
    traces: tuple[object, ...] = ()
    once: tuple[int, str] = (-1, "")
    step_seconds: float = 15.0
    """The least time that a step may take, however fast blocks are."""

    @property
    def provider(self) -> str:
        """Our provider's address."""
        return key_of(PROVIDER).address

    def trader(self, name: str) -> Trader:
        """A tenant or a rival."""
        return Trader(self.probe.client, key_of(name))

    def post(self, *names: str) -> None:
        """Post orders of one tenant."""
        owner = ORDERS[names[0]][0]
        posted = self.trader(owner).order(*(ORDERS[n][1] for n in names))
        self.orders.update(zip(names, posted, strict=True))

    def order(self, name: str) -> OrderId:
        """An order that was posted; DevnetError if it was not."""
        if name not in self.orders:
            raise DevnetError(f"the order `{name}` was not posted")
        return self.orders[name]

    def bid(self, name: str, provider: str = PROVIDER) -> BidId:
        """A provider's bid on an order, and the lease that it becomes."""
        return BidId(self.order(name), key_of(provider).address)

    def workload(self, name: str) -> str:
        """The id of an order's workload."""
        return workload_id(self.bid(name))

    def workload_path(self, name: str) -> str:
        """The workload's file in the repository."""
        return f"workloads/{self.workload(name)}.yaml"

    def workload_file(self, name: str) -> str:
        """The file's content."""
        return _WORKLOAD.format(version=API_VERSION, order=self.order(name), name=name, image=WEB)


def open_demo(home: Home, daemon: DemoDaemon, wait: Callable[[], None] = pause) -> Demo:
    """A demo on a running devnet, with the operator's clone in the devnet's directory."""
    client = TransactionClient(GrpcNode(f"127.0.0.1:{home.facts().ports.grpc}"), wait)
    operator = Operator(home.repository, home.directory / "operator")
    return Demo(home, Probe(home, client), operator, daemon)


class StepError(DevnetError):
    """A step without its effect; `step` is its name."""

    def __init__(self, step: str, why: str) -> None:
        super().__init__(f"step `{step}`: {why}")
        self.step = step


def no_action(_: Demo) -> None:
    """The step only waits."""


@dataclass(frozen=True, slots=True)
class Step:
    """Prints `title`, runs `act` and waits for `check`, which describes the effect once there is one and is
    "" before; without it the demo fails after `blocks` blocks with `failure`.
    """

    name: str
    title: str
    check: Callable[[Demo], str]
    failure: str
    act: Callable[[Demo], object] = no_action
    blocks: int = 20


def run_steps(
    demo: Demo, steps: Sequence[Step], wait: Callable[[], None], show: Callable[[str], None]
) -> None:
    """Run the steps; StepError names the first that fails."""
    for step in steps:
        show(step.title)
        try:
            step.act(demo)
        except PROBE_ERRORS as error:
            raise StepError(step.name, f"{step.failure}: {error}") from None
        show(f"  -> {_effect(demo, step, wait)}")


def _effect(demo: Demo, step: Step, wait: Callable[[], None]) -> str:
    """The effect once there is one; a query that fails counts as none, the last failure is reported."""
    first, began, reason = demo.probe.client.height(), time.monotonic(), ""
    while True:
        try:
            if effect := step.check(demo):
                return effect
            reason = ""
        except StepError:
            raise
        except PROBE_ERRORS as error:
            reason = f" ({error})"
        blocks, seconds = demo.probe.client.height() - first, time.monotonic() - began
        if blocks > step.blocks and seconds > demo.step_seconds:
            raise StepError(step.name, f"{step.failure}, {blocks} blocks later{reason}")
        if seconds > NO_BLOCK_SECONDS and blocks == 0:
            raise StepError(step.name, f"{step.failure}; the chain makes no blocks{reason}")
        wait()

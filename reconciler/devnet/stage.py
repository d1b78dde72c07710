"""Where the story plays: its people, what they look at, and what it has to remember."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from reconciler.chain.proto.market_v1_pb2 import BidID, OrderID
from reconciler.devnet.accounts import PROVIDER, RIVALS, TENANTS, key_of
from reconciler.devnet.faults import DevnetError
from reconciler.devnet.home import Home
from reconciler.devnet.node import TenantNode, pause
from reconciler.devnet.probe_api import ApiProbe
from reconciler.devnet.probe_chain import ChainProbe
from reconciler.devnet.probe_cluster import ClusterProbe
from reconciler.devnet.probe_git import GitProbe, Operator
from reconciler.devnet.tenant import OrderRequest, Tenant, bid_id
from reconciler.devnet.trading import show
from reconciler.documents.model import API_VERSION

WEB = "docker.io/library/nginx:1.27"

WISHES = {
    "web": ("alice", OrderRequest(Decimal(4000))),
    "cheap": ("alice", OrderRequest(Decimal(100))),
    "metered": ("alice", OrderRequest(Decimal(4000), attributes=(("billing", "usage"),))),
    "huge": ("bob", OrderRequest(Decimal(200_000), cpu_milli=128_000)),
    "contested": ("bob", OrderRequest(Decimal(4000))),
    "second": ("alice", OrderRequest(Decimal(4000))),
}
"""The orders by the names that the story calls them, and whose they are."""


class StagedDaemon(Protocol):
    """The program under way, as its owner starts and ends it."""

    def start(self) -> None:
        """Start it; returns at once."""

    def kill(self) -> None:
        """End it without a word, as a power cut would."""

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""

    def is_alive(self) -> bool:
        """Whether it runs."""

    def once(self) -> tuple[int, str]:
        """`run --once`: its exit code, and what it printed."""


@dataclass(slots=True)
class Stage:
    """The world of one telling."""

    home: Home
    chain: ChainProbe
    cluster: ClusterProbe
    git: GitProbe
    api: ApiProbe
    operator: Operator
    daemon: StagedDaemon
    orders: dict[str, OrderID] = field(default_factory=dict)
    heights: dict[str, int] = field(default_factory=dict)
    commits: dict[str, str] = field(default_factory=dict)
    before: tuple[object, ...] = ()
    once: tuple[int, str] = (-1, "")
    patience_seconds: float = 15.0

    def close(self) -> None:
        """Let every connection go."""
        self.node.close()
        self.cluster.close()

    @property
    def node(self) -> TenantNode:
        """The chain's node."""
        return self.chain.node

    @property
    def provider(self) -> str:
        """Our provider's address."""
        return key_of(PROVIDER).address

    def person(self, name: str) -> Tenant:
        """A tenant or a rival."""
        assert name in TENANTS + RIVALS, f"{name} plays no part"
        return Tenant(self.node, key_of(name))

    def post(self, *names: str) -> None:
        """Post orders by their names; all must be of one tenant."""
        owner = WISHES[names[0]][0]
        made = self.person(owner).order(*(WISHES[n][1] for n in names))
        self.orders.update(zip(names, made, strict=True))

    def order(self, name: str) -> OrderID:
        """An order that was posted; DevnetError where it was not."""
        if name not in self.orders:
            raise DevnetError(f"the order `{name}` was never posted")
        return self.orders[name]

    def subject(self, name: str) -> str:
        """`owner/dseq/gseq/oseq` of an order."""
        return show(self.order(name))

    def bid(self, name: str, provider: str = PROVIDER) -> BidID:
        """Somebody's bid on an order."""
        return bid_id(self.order(name), key_of(provider).address)

    def workload(self, name: str) -> str:
        """The id that our lease of an order gives its workload."""
        order = self.order(name)
        lease = f"{show(order)}/{self.provider}"
        mark = base64.b32encode(hashlib.sha256(lease.encode()).digest()).decode().lower()[:10]
        return f"{order.dseq}-{order.gseq}-{order.oseq}-{mark}"

    def workload_path(self, name: str) -> str:
        """The workload's file in the repository."""
        return f"workloads/{self.workload(name)}.yaml"

    def workload_file(self, name: str) -> str:
        """What the operator writes into it."""
        order = self.order(name)
        return _FILE.format(version=API_VERSION, order=order, name=name, image=WEB)


_FILE = """\
# What runs for the order that the story calls `{name}`.
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


def open_stage(home: Home, daemon: StagedDaemon, wait: Callable[[], None] = pause) -> Stage:
    """A stage on a devnet that runs; the operator's clone lies beside the rest."""
    facts = home.facts()
    node = TenantNode(f"127.0.0.1:{facts.ports.grpc}", wait)
    return Stage(
        home=home,
        chain=ChainProbe(node, f"http://127.0.0.1:{facts.ports.rpc}"),
        cluster=ClusterProbe(Path(facts.kubeconfig or home.kubeconfig)),
        git=GitProbe(home.repository),
        api=ApiProbe(f"http://127.0.0.1:{facts.ports.api}"),
        operator=Operator(home.repository, home.directory / "operator"),
        daemon=daemon,
    )

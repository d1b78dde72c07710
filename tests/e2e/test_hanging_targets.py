"""Targets that accept and never answer, one after the other and together: each order gets its bid in the next
block, and workloads on the other targets are repaired.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import cast
from urllib.parse import urlsplit

import pytest
import yaml

from reconciler.adapters.kubernetes.client import ApiClient
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.adapters.kubernetes.naming import WORKLOAD
from reconciler.chain.proto import deployment_v1beta4_pb2, market_v1beta5_pb2
from reconciler.chain.rpc import Rpc
from reconciler.chain.transactions import decode_tx
from reconciler.chain.wire_market import deployment_id_to
from reconciler.devnet.demo import Demo, DemoDaemon, open_demo
from reconciler.devnet.home import Home
from reconciler.devnet.probe import NAMESPACE
from reconciler.devnet.trading import OrderRequest
from reconciler.documents.model import API_VERSION
from tests.e2e.processes import RunningCommand, daemon, devnet
from tests.git.http_forge import PASSWORD, USER, backend, served
from tests.silent_proxy import SilentProxy
from tests.waiting import wait_until

BLOCK_SECONDS = os.environ.get("HANGING_BLOCK_SECONDS", "1")
ORDERS = int(os.environ.get("HANGING_ORDERS", "5"))
"""Per phase, one a block; HANGING_ORDERS=60 for a measurement."""

SPARE_BLOCKS = 2
"""In a test beside others on a busy machine a bid may be so much later; a target's time-out is ten blocks."""

REPAIR_SECONDS = 15.0
"""A repair takes a second; a time-out of another target takes longer than this."""

LOW = "escrow: {low: 5000d, critical: 1s}"

HOSTS = """\
apiVersion: {version}
kind: AnsibleAdapter
enabled: true
groups:
  - name: racks
    hosts:
      - {{name: silent, address: 127.0.0.1, port: {port}, capacity: {{cpu: 2, memory: 4Gi, storage: 8Gi}}}}
"""


@dataclass
class World:
    """A devnet whose targets stand behind proxies, its tenant, and the daemon."""

    demo: Demo
    proxies: dict[str, SilentProxy]
    rpc: Rpc
    cluster: ApiClient
    host_file: Path
    process: RunningCommand = field(init=False)
    delays: dict[str, list[int]] = field(default_factory=dict)
    repairs: dict[str, float] = field(default_factory=dict)

    def wait_until(self, condition: Callable[[], object], what: str) -> None:
        """Wait; a failure shows the daemon's log."""
        wait_until(condition, what, is_running=self.process.is_running, log=lambda: self.process.stderr)

    @contextmanager
    def daemon(self) -> Iterator[None]:
        """The daemon, for as long as the block takes."""
        with daemon(self.host_file) as self.process:
            yield

    def run_web(self) -> None:
        """A workload whose funds are low, so that its tenant gets a notice."""
        demo = self.demo
        self.lease("web")
        files = {
            demo.workload_path("web"): demo.workload_file("web"),
            "adapters/ansible.yaml": HOSTS.format(version=API_VERSION, port=self.proxies["host"].port),
        }
        demo.operator.write("Run web, and add a host", files)
        demo.operator.edit("Call funds low early", "config.yaml", ("images_denied", f"{LOW}\nimages_denied"))
        self.wait_until(lambda: self._deployments("web"), "`web` is deployed")
        self.wait_until(lambda: "notify the tenant" in self.process.stderr, "a notice")

    def lease(self, name: str) -> None:
        """A lease on an order of the demo; its tenant gets a notice, as funds count as low early."""
        demo = self.demo
        demo.post(name)
        self.wait_until(
            lambda: demo.trader("alice").trade(demo.order(name).dseq).offers, f"a bid on `{name}`"
        )
        demo.trader("alice").accept(demo.bid(name))

    def wait_for_a_bid(self) -> None:
        """The daemon has started and bids."""
        tenant = self.demo.trader("bob")
        [order] = tenant.order(OrderRequest(Decimal(5_000), cpu_milli=10))
        self.wait_until(lambda: tenant.trade(order.dseq).offers, "a bid after the start")

    def order_in_every_block(self, phase: str) -> None:
        """Post an order in each of some blocks, and note after how many blocks each got its bid."""
        tenant = self.demo.trader("bob")
        first = tenant.client.height()
        orders = [tenant.order(OrderRequest(Decimal(5_000), cpu_milli=10))[0] for _ in range(ORDERS)]
        wanted = {order.dseq for order in orders}
        self.wait_until(
            lambda: wanted <= self._blocks(first, market_v1beta5_pb2.MsgCreateBid).keys(),
            f"bids on all orders of the phase {phase}",
        )
        bids = self._blocks(first, market_v1beta5_pb2.MsgCreateBid)
        made = self._blocks(first, deployment_v1beta4_pb2.MsgCreateDeployment)
        self.delays[phase] = [bids[each] - made[each] for each in sorted(wanted)]
        closings = [
            deployment_v1beta4_pb2.MsgCloseDeployment(id=deployment_id_to(order.deployment))
            for order in orders
        ]
        tenant.execute(*closings)  # their deposits are free again

    def repair_web(self, phase: str) -> None:
        """Delete the workload's Deployment behind the daemon's back, and note how long it is gone."""
        [(path, uid)] = self._deployments("web")
        began = time.monotonic()
        self.cluster.delete(path, uid)
        self.wait_until(
            lambda: any(found != uid for _, found in self._deployments("web")), f"a repair in phase {phase}"
        )
        self.repairs[phase] = time.monotonic() - began

    def _deployments(self, name: str) -> list[tuple[str, str]]:
        path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
        found = json.loads(
            self.cluster.get(path, {"labelSelector": f"{WORKLOAD}={self.demo.workload(name)}"})
        )
        each = [item["metadata"] for item in found["items"]]
        return [(f"{path}/{metadata['name']}", metadata["uid"]) for metadata in each]

    def _blocks(self, first: int, kind: type) -> dict[int, int]:
        """The heights of messages of a kind, by their deployment's number."""
        heights: dict[int, int] = {}
        for height in range(first, self.demo.probe.client.height() + 1):
            for tx in self.rpc.block(height).txs:
                for message in decode_tx(tx).messages:
                    if isinstance(message, kind):
                        heights[message.id.dseq] = height  # type: ignore[attr-defined]  # both kinds have it
        return heights


@contextmanager
def receiver() -> Iterator[int]:
    """A receiver of notices; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def host_file(home: Path, proxies: dict[str, SilentProxy]) -> Path:
    """The devnet's host file, with each target behind its proxy."""
    kubeconfig = yaml.safe_load((home / "kubeconfig").read_text())
    kubeconfig["clusters"][0]["cluster"]["server"] = f"http://127.0.0.1:{proxies['cluster'].port}"
    (home / "proxied-kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    credentials = home / "credentials"
    url = f"http://127.0.0.1:{proxies['repository'].port}/state.git"
    credentials.write_text(f"http://{USER}:{PASSWORD}@127.0.0.1:{proxies['repository'].port}\n")
    credentials.chmod(0o600)
    host = yaml.safe_load((home / "host.yaml").read_text())
    host["repository"] |= {"url": url, "credentials": str(credentials), "poll": "2s"}
    host["adapters"]["kubernetes"]["kubeconfig"] = "proxied-kubeconfig"
    for name in ("id", "hosts"):
        (home / name).write_text("")
        (home / name).chmod(0o600)
    host["adapters"]["ansible"] = {
        "enabled": True,
        "hosts": ["127.0.0.1"],
        "this_machine": True,
        "private_key": "id",
        "known_hosts": "hosts",
    }
    host["limits"] = {"spend_per_hour": "1000000000uve"}
    host["notices"] = {"url": f"http://127.0.0.1:{proxies['webhook'].port}/"}
    made = home / "proxied.yaml"
    made.write_text(yaml.safe_dump(host))
    return made


@contextmanager
def proxied_world(home: Path) -> Iterator[World]:
    with ExitStack() as stack:
        facts = stack.enter_context(devnet(home, "--block-seconds", BLOCK_SECONDS))
        cluster = yaml.safe_load((home / "kubeconfig").read_text())["clusters"][0]["cluster"]["server"]
        ports = {
            "cluster": urlsplit(cluster).port or 0,
            "repository": stack.enter_context(served(home)),
            "webhook": stack.enter_context(receiver()),
            "host": 9,
        }
        proxies = {name: stack.enter_context(SilentProxy("127.0.0.1", port)) for name, port in ports.items()}
        client = ApiClient(Kubeconfig(home / "kubeconfig"))
        stack.callback(client.close)
        demo = open_demo(Home(home), cast("DemoDaemon", None))  # the test runs its own
        stack.callback(demo.probe.client.node.close)
        yield World(demo, proxies, Rpc(facts["rpc"]), client, host_file(home, proxies))


@pytest.mark.skipif(not backend().exists(), reason="this git was installed without http-backend")
@pytest.mark.timeout(600)
def test_no_target_delays_a_bid_or_another_target(tmp_path: Path) -> None:
    with proxied_world(tmp_path / "world") as world:
        with world.daemon():
            world.run_web()
            world.order_in_every_block("all well")
            world.repair_web("all well")
            for name, proxy in world.proxies.items():
                proxy.hang()
                if name == "webhook":
                    world.lease("second")
                world.order_in_every_block(name)
                if name != "cluster":
                    world.repair_web(name)
                proxy.resume()
            for name, proxy in world.proxies.items():
                if name != "cluster":
                    proxy.hang()
            world.repair_web("all others")
            world.proxies["cluster"].hang()
            world.order_in_every_block("together")
        world.proxies["cluster"].resume()  # whose capacity bids need
        with world.daemon():
            world.wait_for_a_bid()
            world.order_in_every_block("from its start")
    bids = {
        phase: f"{sum(each == 1 for each in delays)}/{len(delays)} in the next block, at most {max(delays)}"
        for phase, delays in world.delays.items()
    }
    repairs = {phase: f"{seconds:.1f} s" for phase, seconds in world.repairs.items()}
    print(json.dumps({"bids": bids, "repairs": repairs}, indent=1))
    assert {phase for phase, delays in world.delays.items() if max(delays) > SPARE_BLOCKS} == set(), bids
    assert max(world.repairs.values()) < REPAIR_SECONDS, repairs

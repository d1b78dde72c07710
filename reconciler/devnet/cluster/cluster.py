"""SIMULATOR: a Kubernetes cluster inside this program, for kubectl too; no container runs."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from aiohttp import web

from reconciler.devnet.cluster.controllers import Controllers
from reconciler.devnet.cluster.faults import ClusterFaults
from reconciler.devnet.cluster.kinds import BY_PLURAL, Object, Target
from reconciler.devnet.cluster.metrics import PodMetricsApi
from reconciler.devnet.cluster.nodes import Nodes, NodeSize, new_node
from reconciler.devnet.cluster.reads import ClusterReads
from reconciler.devnet.cluster.server import Server
from reconciler.devnet.cluster.store import ObjectKey, ObjectStore
from reconciler.devnet.cluster.streams import ChangeSignal, Streams, wait
from reconciler.devnet.cluster.writes import Clock, WriteRequest, Writes, stamp

STATE_FILE = "cluster.json"
START_MAX_SECONDS = 10
TWO_NODES = (NodeSize(gpu=4), NodeSize())
_KUBECONFIG = """\
# A SIMULATED cluster: no container runs.
apiVersion: v1
kind: Config
clusters: [{{name: simulated, cluster: {{server: "{url}"}}}}]
users: [{{name: provider, user: {{}}}}]
contexts: [{{name: simulated, context: {{cluster: simulated, user: provider}}}}]
current-context: simulated
"""


class SimulatedCluster:
    """Objects, simulated controllers and an API server; its version marks it as a simulator.

    The server and the controllers run on a thread of their own; `store` and `faults` may be used from any.
    """

    def __init__(
        self, nodes: Sequence[NodeSize] = TWO_NODES, clock: Clock = time.time, ending_seconds: float = 0.0
    ) -> None:
        self.store = ObjectStore()
        self.faults = ClusterFaults()
        self.url = ""
        self.writes = Writes(self.store, clock)
        self._nodes = Nodes(self.writes, ending_seconds)
        self._controllers = Controllers(self.writes, self._nodes)
        self._reads = ClusterReads(self.store, clock)
        self._streams = Streams(self.store, self._reads, self._nodes, clock)
        self._server = Server(self.writes, self._reads, self._streams, self.faults)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._create_base_objects(nodes, stamp(clock()))

    def _create_base_objects(self, nodes: Sequence[NodeSize], now: str) -> None:
        for name in ("default", "kube-system"):
            self.writes.create(
                Target(BY_PLURAL["namespaces"], "", name),
                {"metadata": {"name": name}},
                WriteRequest("simulator"),
            )
        ingress_class = {"metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}}
        target = Target(BY_PLURAL["ingressclasses"], "", "nginx")
        self.writes.create(target, ingress_class, WriteRequest("simulator"))
        standard = {"metadata": {"name": "standard"}, "provisioner": "simulated"}
        self.writes.create(
            Target(BY_PLURAL["storageclasses"], "", "standard"), standard, WriteRequest("simulator")
        )
        for at, size in enumerate(nodes):
            node = new_node(f"node-{at}", size, now)
            self.writes.create(Target(BY_PLURAL["nodes"], "", f"node-{at}"), node, WriteRequest("kubelet"))

    @property
    def metrics(self) -> PodMetricsApi:
        """What its metrics API measures."""
        return self._server.metrics

    @property
    def request_counts(self) -> Mapping[tuple[str, str], int]:
        """The number of requests by verb (list, watch, get, patch, ...) and plural ("" for others)."""
        return self._server.request_counts

    @property
    def created(self) -> Sequence[str]:
        """The objects that clients created, as `Kind/name`, without those of the controllers."""
        return self._server.created

    def serve(self, port: int = 0) -> str:
        """Start the API server on 127.0.0.1 and return its URL; OSError if the port is taken."""
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(port, ready), name="simulated-cluster", daemon=True
        )
        self._thread.start()
        if not ready.wait(START_MAX_SECONDS):
            raise OSError(f"the simulated cluster did not start within {START_MAX_SECONDS} s")
        if self._failure is not None:
            raise OSError(f"the simulated cluster cannot listen on 127.0.0.1:{port}: {self._failure}")
        return self.url

    def close(self) -> None:
        """Stop the server and the controllers; the objects stay readable."""
        self._stop.set()
        self._streams.drop()
        if self._thread is not None:
            self._thread.join(START_MAX_SECONDS)
            self._thread = None

    def kubeconfig(self) -> str:
        """The text of its kubeconfig."""
        return _KUBECONFIG.format(url=self.url)

    def write_kubeconfig(self, path: Path) -> Path:
        """Write the kubeconfig, readable by its owner only."""
        path.write_text(self.kubeconfig(), encoding="utf-8")
        path.chmod(0o600)
        return path

    def objects(self, plural: str, namespace: str = "") -> list[Object]:
        """The objects of a kind."""
        return self.store.all(plural, namespace)

    def get(self, plural: str, namespace: str, name: str) -> Object | None:
        """One object, or None."""
        return self.store.get(ObjectKey(plural, namespace, name))

    def step(self) -> None:
        """Run the controllers until nothing changes; for a cluster that is not served."""
        self._controllers.run()

    def drop_watches(self) -> None:
        """End every watch and followed log, as a restart of the API server does."""
        self._streams.drop()

    def forget_history(self) -> None:
        """Answer older watches and continue tokens with 410, and end the running watches."""
        self.store.forget()
        self._reads.forget_pages()
        self._streams.drop()

    def save(self, directory: Path) -> None:
        """Write the state into a directory atomically."""
        directory.mkdir(parents=True, exist_ok=True)
        draft = directory / f"{STATE_FILE}.new"
        draft.write_text(json.dumps(self.store.dump()), encoding="utf-8")
        draft.replace(directory / STATE_FILE)

    def load(self, directory: Path) -> bool:
        """Restore a saved state; False if there is none."""
        path = directory / STATE_FILE
        if not path.exists():
            return False
        self.store.restore(json.loads(path.read_text(encoding="utf-8")))
        return True

    def _run(self, port: int, ready: threading.Event) -> None:
        try:
            asyncio.run(self._main(port, ready))
        except OSError as error:
            self._failure = error
        finally:
            ready.set()

    async def _main(self, port: int, ready: threading.Event) -> None:
        signal = self._streams.signal = ChangeSignal(asyncio.get_running_loop())
        self.store.subscribe(signal.notify)
        runner = web.AppRunner(
            self._server.app(), access_log=None, shutdown_timeout=0.1, handler_cancellation=True
        )
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        try:
            await site.start()
            host, bound = runner.addresses[0][:2]
            self.url = f"http://{host}:{bound}"
            ready.set()
            await self._play(signal)
        finally:
            self.store.unsubscribe(signal.notify)
            await runner.cleanup()

    async def _play(self, signal: ChangeSignal) -> None:
        while not self._stop.is_set():
            change = signal.next_change()
            await wait(change, self._controllers.run())

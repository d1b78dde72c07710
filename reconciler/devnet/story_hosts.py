"""The story on plain hosts: a lease becomes a container on this very machine."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field

from reconciler.devnet.plain_images import PORT, build, fit
from reconciler.devnet.probe_host import HostProbe
from reconciler.devnet.stage import Stage
from reconciler.devnet.steps import Step
from reconciler.devnet.story_market import started
from reconciler.devnet.story_workloads import told
from reconciler.documents.model import API_VERSION

IMAGE = "localhost/provider-demo:1"
ORDER = "web"
LOOK_EVERY_SECONDS = 2

_HOSTS = """\
# This very machine runs containers; the address localhost needs no SSH.
apiVersion: {version}
kind: AnsibleAdapter
enabled: true
groups:
  - name: demo
    hosts:
      - {{name: this-machine, address: localhost, capacity: {{cpu: 2, memory: 4Gi, storage: 8Gi}}}}
network: {{address: 127.0.0.1}}
storage: {{path: {storage}}}
look_every: {every}s
timeouts: {{stop: 1s}}
"""

_FILE = """\
apiVersion: {version}
kind: Workload
lease: {{owner: {order.owner}, dseq: {order.dseq}, gseq: {order.gseq}, oseq: {order.oseq}}}
adapter: ansible
paused: false
services:
  - name: web
    image: {image}
    resources: {{cpu: 500m, memory: 64Mi, storage: 64Mi}}
    expose:
      - {{port: {inside}, as: {outside}, global: true}}
"""


@dataclass
class HostStory:
    """What the steps on hosts remember: the port that tenants' users reach, and when something began."""

    eyes: HostProbe = field(default_factory=lambda: HostProbe(_free_port()))
    began: float = 0.0

    def begin(self) -> None:
        """From now on it is timed."""
        self.began = time.monotonic()

    def took(self) -> str:
        """So long."""
        return f"{time.monotonic() - self.began:.1f} s"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Hosts:
    """The steps, around one scene."""

    def __init__(self) -> None:
        self.scene = HostStory()

    def steps(self) -> tuple[Step, ...]:
        """In their order."""
        return (
            Step(
                "started",
                "The operator commits adapters/ansible.yaml with this machine; the daemon is started",
                started,
                "the daemon does not see chain, repository, cluster and hosts",
                self.begin,
                blocks=60,
            ),
            Step(
                "bid",
                "Alice posts `web`",
                self.bid,
                "the chain does not show our bid on `web`",
                lambda stage: stage.post(ORDER),
            ),
            Step(
                "deployed",
                "She accepts, and the operator commits a workload file that says adapter: ansible",
                self.answers,
                "no container of `web` answers HTTP on this machine",
                self.lease,
                blocks=60,
            ),
            Step(
                "repaired",
                "Somebody kills its container (podman kill)",
                self.answers_again,
                "the container does not come back",
                self.kill,
                blocks=60,
            ),
            Step(
                "paused",
                "The operator pauses it with a commit",
                self.paused,
                "it still runs, or is not called paused",
                lambda stage: self.edit(stage, "Pause `web`", ("paused: false", "paused: true")),
                blocks=60,
            ),
            Step(
                "resumed",
                "and resumes it",
                self.answers,
                "it does not answer again",
                lambda stage: self.edit(stage, "Resume `web`", ("paused: true", "paused: false")),
                blocks=60,
            ),
            Step(
                "removed",
                "Alice closes her deployment",
                self.gone,
                "something of it is left on this machine",
                self.close,
                blocks=60,
            ),
            Step(
                "told",
                "The daemon publishes its end",
                lambda stage: told(stage, ORDER, "Stopping -> Stopped", "Stopped -> Terminated"),
                "the status branch does not tell its end",
            ),
        )

    def sweep(self, stage: Stage) -> None:
        """Leave nothing on this machine, however the story ended."""
        if ORDER in stage.orders:
            self.scene.eyes.sweep(stage.workload(ORDER))

    def begin(self, stage: Stage) -> None:
        fit(stage.home.directory)
        build(IMAGE)
        text = _HOSTS.format(version=API_VERSION, storage=stage.home.records, every=LOOK_EVERY_SECONDS)
        stage.operator.write("This machine runs containers", {"adapters/ansible.yaml": text})
        stage.daemon.start()

    def bid(self, stage: Stage) -> str:
        found = stage.chain.bid(stage.order(ORDER), stage.provider)
        return f"our bid is {found.price.normalize():f}uve a block" if found and found.state == "open" else ""

    def lease(self, stage: Stage) -> None:
        stage.person("alice").accept(stage.bid(ORDER))
        self.scene.begin()
        text = _FILE.format(
            version=API_VERSION,
            order=stage.order(ORDER),
            image=IMAGE,
            inside=PORT,
            outside=self.scene.eyes.port,
        )
        stage.operator.write("Run `web` on a plain host", {stage.workload_path(ORDER): text})

    def answers(self, stage: Stage) -> str:
        page = self.scene.eyes.page()
        if not page or stage.api.state(stage.workload(ORDER)) != "running":
            return ""
        address = f"http://127.0.0.1:{self.scene.eyes.port}/"
        [name] = self.scene.eyes.containers(stage.workload(ORDER))
        return f'{self.scene.took()} after the commit {address} says "{page}"; container {name}'

    def kill(self, stage: Stage) -> None:
        self.scene.eyes.kill(stage.workload(ORDER))
        self.scene.begin()

    def answers_again(self, stage: Stage) -> str:
        if not self.scene.eyes.page() or stage.api.state(stage.workload(ORDER)) != "running":
            return ""
        return f"{self.scene.took()} after the kill it answers again"

    def edit(self, stage: Stage, message: str, change: tuple[str, str]) -> None:
        stage.operator.edit(message, stage.workload_path(ORDER), change)
        self.scene.begin()

    def paused(self, stage: Stage) -> str:
        workload = stage.workload(ORDER)
        states = set(self.scene.eyes.containers(workload).values())
        if self.scene.eyes.page() or states != {"exited"} or stage.api.state(workload) != "paused":
            return ""
        return f"{self.scene.took()} after the commit it is stopped, and kept"

    def close(self, stage: Stage) -> None:
        stage.person("alice").close(stage.order(ORDER).dseq)
        self.scene.begin()

    def gone(self, stage: Stage) -> str:
        if self.scene.eyes.page() or self.scene.eyes.left(stage.workload(ORDER)):
            return ""
        return f"{self.scene.took()} after the lease ended no container, network or volume of it is left"

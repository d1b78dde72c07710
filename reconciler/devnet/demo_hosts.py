"""The demo on hosts without Kubernetes: a lease becomes a container on this machine."""

from __future__ import annotations

import socket
import time

from reconciler.devnet.demo import Demo, Step
from reconciler.devnet.demo_market import started
from reconciler.devnet.demo_workloads import PAUSE, RESUME, transitions_published
from reconciler.devnet.podman import PORT, WorkloadContainers, build, prepare_podman
from reconciler.documents.model import API_VERSION
from reconciler.values.observed import State

IMAGE = "localhost/provider-demo:1"
ORDER = "web"
LOOK_EVERY_SECONDS = 2

_HOSTS = """\
# This machine runs containers; the address localhost needs no SSH.
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

_WORKLOAD = """\
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


class HostDemo:
    """The demo's steps on hosts; keeps the port that users reach, and the time of the last change."""

    def __init__(self) -> None:
        self._containers = WorkloadContainers(_free_port())
        self._changed_at = 0.0

    def steps(self) -> tuple[Step, ...]:
        """The steps in their order."""
        return (
            Step(
                "started",
                "The operator commits adapters/ansible.yaml with this machine; the daemon is started",
                started,
                "the daemon does not see chain, repository, cluster and hosts",
                _start,
                blocks=60,
            ),
            Step(
                "bid",
                "Alice posts `web`",
                _bid,
                "the chain does not show our bid on `web`",
                lambda demo: demo.post(ORDER),
            ),
            Step(
                "deployed",
                "She accepts, and the operator commits a workload file with adapter: ansible",
                self._answers,
                "no container of `web` answers HTTP on this machine",
                self._lease,
                blocks=60,
            ),
            Step(
                "repaired",
                "Its container is killed (podman kill)",
                self._answers_again,
                "the container is not started again",
                self._kill,
                blocks=60,
            ),
            Step(
                "paused",
                "The operator pauses it with a commit",
                self._paused,
                "it still runs, or its state is not paused",
                lambda demo: self._edit(demo, "Pause `web`", PAUSE),
                blocks=60,
            ),
            Step(
                "resumed",
                "and resumes it",
                self._answers,
                "it does not answer again",
                lambda demo: self._edit(demo, "Resume `web`", RESUME),
                blocks=60,
            ),
            Step(
                "removed",
                "Alice closes her deployment",
                self._removed,
                "an object of it is left on this machine",
                self._close,
                blocks=60,
            ),
            Step(
                "published",
                "The daemon publishes its end",
                lambda demo: transitions_published(
                    demo, ORDER, "Stopping -> Stopped", "Stopped -> Terminated"
                ),
                "the status branch does not have its end",
            ),
        )

    def clean_up(self, demo: Demo) -> None:
        """Remove what a failed demo leaves on this machine."""
        if ORDER in demo.orders:
            self._containers.remove(demo.workload(ORDER))

    def _seconds(self) -> str:
        return f"{time.monotonic() - self._changed_at:.1f} s"

    def _lease(self, demo: Demo) -> None:
        demo.trader("alice").accept(demo.bid(ORDER))
        self._changed_at = time.monotonic()
        text = _WORKLOAD.format(
            version=API_VERSION,
            order=demo.order(ORDER),
            image=IMAGE,
            inside=PORT,
            outside=self._containers.port,
        )
        demo.operator.write("Run `web` on a host", {demo.workload_path(ORDER): text})

    def _answers(self, demo: Demo) -> str:
        page = self._containers.page()
        if not page or demo.probe.workload_state(demo.workload(ORDER)) != "running":
            return ""
        [name] = self._containers.states(demo.workload(ORDER))
        url = f"http://127.0.0.1:{self._containers.port}/"
        return f'{self._seconds()} after the commit {url} serves "{page}"; container {name}'

    def _kill(self, demo: Demo) -> None:
        self._containers.kill(demo.workload(ORDER))
        self._changed_at = time.monotonic()

    def _answers_again(self, demo: Demo) -> str:
        if not self._containers.page() or demo.probe.workload_state(demo.workload(ORDER)) != "running":
            return ""
        return f"{self._seconds()} after the kill it answers again"

    def _edit(self, demo: Demo, message: str, change: tuple[str, str]) -> None:
        demo.operator.edit(message, demo.workload_path(ORDER), change)
        self._changed_at = time.monotonic()

    def _paused(self, demo: Demo) -> str:
        workload = demo.workload(ORDER)
        states = set(self._containers.states(workload).values())
        if self._containers.page() or states != {"exited"} or demo.probe.workload_state(workload) != "paused":
            return ""
        return f"{self._seconds()} after the commit it is stopped, and kept"

    def _close(self, demo: Demo) -> None:
        demo.trader("alice").close(demo.order(ORDER).dseq)
        self._changed_at = time.monotonic()

    def _removed(self, demo: Demo) -> str:
        if self._containers.page() or self._containers.objects(demo.workload(ORDER)):
            return ""
        return f"{self._seconds()} after the lease ended no container, network or volume of it is left"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _start(demo: Demo) -> None:
    prepare_podman(demo.home.directory)
    build(IMAGE)
    text = _HOSTS.format(version=API_VERSION, storage=demo.home.records, every=LOOK_EVERY_SECONDS)
    demo.operator.write("This machine runs containers", {"adapters/ansible.yaml": text})
    demo.daemon.start()


def _bid(demo: Demo) -> str:
    bid = demo.probe.bid(demo.bid(ORDER))
    return f"our bid is {bid.price.normalize():f}uve a block" if bid and bid.state is State.OPEN else ""

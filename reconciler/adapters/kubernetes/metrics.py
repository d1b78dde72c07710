"""Polls the metrics API: what our pods use, as the cluster measures it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping

import msgspec

from reconciler.adapters.kubernetes import naming
from reconciler.adapters.kubernetes.api_errors import ApiError
from reconciler.adapters.kubernetes.client import ApiClient
from reconciler.adapters.kubernetes.cluster_queries import UNMEASURED, PodMetrics, PodMetricsList
from reconciler.adapters.kubernetes.quantities import milli, whole
from reconciler.adapters.kubernetes.views import PodView
from reconciler.documents.typed_json import decode_json
from reconciler.values.ids import WorkloadId
from reconciler.values.inspection import ServiceUse
from reconciler.values.readings import Reading, Seen, Unseen

METRICS_PATH = "/apis/metrics.k8s.io/v1beta1"
POLL_SECONDS = 15.0
"""The metrics-server measures every 15 seconds by default."""

STALE_SECONDS = 90.0
"""How old a measurement may be."""

PODS_MAX = 20_000

Measured = Mapping[str, tuple[int, int]]
"""Millicores and bytes of a pod, by `namespace/name`."""


class MetricsPoller:
    """Lists the metrics of our pods in a thread of its own. Unseen while the last list is too old; a pod
    whose measurement is too old is left out.
    """

    def __init__(self, client: ApiClient, path: str) -> None:
        self._client = client
        self._path = path
        self._reading: Reading[Measured] = Unseen("the metrics API has not answered yet")
        self._listed_at = 0.0
        self._changed_at: dict[str, tuple[str, float]] = {}
        """The time of each pod's measurement as the API writes it, and since when it is the same here."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"poll {path}", daemon=True)

    def start(self) -> None:
        """Start its thread."""
        self._thread.start()

    def close(self) -> None:
        """End its thread, without waiting for a running request."""
        self._stop.set()

    def read(self) -> Reading[Measured]:
        """What the pods use."""
        if isinstance(self._reading, Seen) and time.monotonic() - self._listed_at > STALE_SECONDS:
            return Unseen(f"the cluster's metrics API has not answered for {STALE_SECONDS:.0f} seconds")
        return self._reading

    def poll(self) -> None:
        """One request."""
        try:
            raw = self._client.get(self._path, {"labelSelector": naming.OURS})
            listed = decode_json(raw, PodMetricsList).items or []
            if len(listed) > PODS_MAX:
                raise ValueError(f"it lists more than {PODS_MAX} pods of workloads")
            found = self._fresh(listed)
        except ApiError as error:
            why = UNMEASURED.get(error.status, error.sentence(self._client.server))
            self._reading = Unseen(why)
            return
        except (msgspec.MsgspecError, ValueError) as error:
            self._reading = Unseen(f"the cluster's metrics API sent an unusable answer: {error}")
            return
        self._reading, self._listed_at = Seen(found), time.monotonic()

    def _fresh(self, listed: Iterable[PodMetrics]) -> Measured:
        now, changed_at = time.monotonic(), self._changed_at
        self._changed_at, found = {}, {}
        for pod in listed:
            key = f"{pod.metadata.namespace}/{pod.metadata.name}"
            timestamp, since = changed_at.get(key, ("", now))
            since = since if timestamp == pod.timestamp else now
            self._changed_at[key] = pod.timestamp, since
            if now - since <= STALE_SECONDS:
                found[key] = _sum(pod)
        return found

    def _run(self) -> None:
        while not self._stop.is_set():
            self.poll()
            self._stop.wait(POLL_SECONDS)


def _sum(pod: PodMetrics) -> tuple[int, int]:
    """ValueError for a quantity that cannot be read, or is negative."""
    uses = [each.usage for each in pod.containers or ()]
    cpu = sum(milli(use.get("cpu", "0")) for use in uses)
    memory = sum(whole(use.get("memory", "0")) for use in uses)
    if cpu < 0 or memory < 0:
        raise ValueError(f"pod {pod.metadata.name} uses less than nothing")
    return cpu, memory


def use_by_workload(
    pods: Mapping[str, PodView], measured: Measured
) -> Mapping[WorkloadId, tuple[ServiceUse, ...]]:
    """What the measured ready pods of each service use together."""
    sums: dict[WorkloadId, dict[str, ServiceUse]] = {}
    for key, pod in pods.items():
        if key in measured and pod.ready and not pod.finished:
            cpu, memory = measured[key]
            services = sums.setdefault(pod.meta.workload, {})
            old = services.get(pod.meta.service, ServiceUse(pod.meta.service))
            services[pod.meta.service] = ServiceUse(
                old.service, old.cpu_milli + cpu, old.memory_bytes + memory, old.pods + 1
            )
    return {workload: tuple(services.values()) for workload, services in sums.items()}

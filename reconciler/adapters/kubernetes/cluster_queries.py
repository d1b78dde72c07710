"""Queries about one workload to the API server: logs, resource usage, events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.adapters.kubernetes import naming, objects
from reconciler.adapters.kubernetes.api_errors import ApiError
from reconciler.adapters.kubernetes.client import METADATA_ONLY, ApiClient
from reconciler.adapters.kubernetes.namespaces import Namespaces
from reconciler.adapters.kubernetes.quantities import milli, whole
from reconciler.adapters.kubernetes.views import PodView, clean_name, resources_of
from reconciler.documents.typed_json import decode_json
from reconciler.values.clusters import KubernetesSettings
from reconciler.values.ids import WorkloadId
from reconciler.values.inspection import (
    LOG_MAX_BYTES,
    ContainerUse,
    UseSource,
    WorkloadEvent,
    WorkloadEvents,
    WorkloadUse,
    log_lines,
)
from reconciler.values.resources import Resources
from reconciler.values.times import Timestamp, parsed_unix_seconds

TAIL_MAX_LINES = 10_000
PAGE_SIZE = 500
OBJECTS_MAX = 24
EVENTS_MAX = 200
RUNTIME_CLASSES = "/apis/node.k8s.io/v1/runtimeclasses"
SERVICE_RANGES = "/apis/networking.k8s.io/v1/servicecidrs"
UNMEASURED = {
    403: "the cluster denies access to its metrics API: grant list of pods.metrics.k8s.io",
    404: "the cluster has no metrics API: install its metrics-server",
    503: "the cluster's metrics API is unavailable: check its metrics-server",
}


def service_ranges(client: ApiClient) -> list[str]:
    """The addresses of Services; empty if the cluster does not say or not permit it. ApiError otherwise."""
    try:
        listed = decode_json(client.get(SERVICE_RANGES, {}), objects.ObjectList)
    except ApiError as error:
        if error.status in (403, 404):
            return []
        raise
    found = (decode_json(item, objects.ServiceRange) for item in listed.items or ())
    return [cidr for each in found for cidr in each.spec.cidrs or ()]


def overheads(client: ApiClient, settings: KubernetesSettings) -> Iterator[tuple[str, Resources]]:
    """What each RuntimeClass of the settings takes for a pod; without those that may not be read. ApiError
    otherwise.
    """
    for name in sorted({settings.runtime_class, settings.gpu_runtime_class} - {""}):
        try:
            raw = client.get(f"{RUNTIME_CLASSES}/{name}", {})
        except ApiError as error:
            if error.status not in (403, 404):
                raise
            continue
        overhead = decode_json(raw, objects.RuntimeClass).overhead
        yield name, resources_of(overhead.pod_fixed if overhead else None)


class ClusterQueries:
    """One or a few requests for each query; OSError with a sentence if one fails."""

    def __init__(self, client: ApiClient, namespaces: Namespaces) -> None:
        self._client = client
        self._namespaces = namespaces

    def logs(self, workload: WorkloadId, pods: Sequence[PodView], lines: int) -> Iterator[bytes]:
        """As `ports.Adapter`; one request for each pod, as its lines are consumed."""
        if not pods:
            raise OSError(f"workload {workload} has no pods: it is paused or not deployed; see its status")
        tail = max(0, min(lines, TAIL_MAX_LINES))
        listed = sorted(pods, key=lambda pod: pod.meta.name)
        return log_lines((pod.meta.service, pod.meta.name, self._log(pod, tail)) for pod in listed)

    def _log(self, pod: PodView, lines: int) -> list[bytes]:
        limits = {"tailLines": str(lines), "limitBytes": str(LOG_MAX_BYTES)}
        path = f"{naming.object_path('pods', pod.meta.namespace, pod.meta.name)}/log"
        try:
            raw = self._client.get(
                path, limits | {"container": pod.meta.service}, "text/plain,application/json,*/*"
            )
            return raw.splitlines()
        except ApiError as error:
            if error.status in (400, 404):
                return [f"(no log: {error})".encode()]
            raise OSError(error.sentence(self._client.server)) from error

    def use(self, workload: WorkloadId, pods: Sequence[PodView]) -> WorkloadUse:
        """As the metrics API measures it; without one, what the containers request."""
        path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{self._namespaces.home(workload)}/pods"
        try:
            raw = self._client.get(path, {"labelSelector": naming.workload_selector(workload)})
        except ApiError as error:
            if error.status not in UNMEASURED:
                raise OSError(error.sentence(self._client.server)) from error
            return _requested(pods, UNMEASURED[error.status])
        measured = decode_json(raw, PodMetricsList).items or []
        if not measured:
            return _requested(pods, "its pods are not measured yet" if pods else "it has no pods")
        uses = tuple(_use(pod.metadata.name, each) for pod in measured for each in pod.containers or ())
        return WorkloadUse(UseSource.METRICS, uses, at=max(_unix(pod.timestamp) for pod in measured))

    def events(self, workload: WorkloadId) -> WorkloadEvents:
        """Events of its objects, newest first; includes deleted objects if all events fit on one page."""
        try:
            page = self._events(workload, {"limit": str(PAGE_SIZE)})
            if not page.metadata.continue_:
                found = [each for each in _decoded(page) if workload in each.involved_object.name]
                return _newest(found, complete=True)
            names = list(dict.fromkeys(self._names(workload)))
            limit = {"limit": str(EVENTS_MAX)}
            pages = (
                self._events(workload, {"fieldSelector": f"involvedObject.name={name}"} | limit)
                for name in names[:OBJECTS_MAX]
            )
            found = [each for page in pages for each in _decoded(page)]
            return _newest(found, complete=len(names) <= OBJECTS_MAX)
        except ApiError as error:
            raise OSError(error.sentence(self._client.server)) from error

    def _events(self, workload: WorkloadId, query: dict[str, str]) -> objects.ObjectList:
        raw = self._client.get(f"/api/v1/namespaces/{self._namespaces.home(workload)}/events", query)
        return decode_json(raw, objects.ObjectList)

    def _names(self, workload: WorkloadId) -> Iterator[str]:
        for plural in ("deployments", "replicasets", "pods"):
            path = naming.object_path(plural, self._namespaces.home(workload), "")
            raw = self._client.get(path, {"labelSelector": naming.workload_selector(workload)}, METADATA_ONLY)
            for item in decode_json(raw, objects.ObjectList).items or ():
                yield decode_json(item, objects.PartialObject).metadata.name


class ContainerMetrics(objects.ObjectStruct, frozen=True):
    """Of metrics.k8s.io."""

    name: str
    usage: dict[str, str]


class PodMetrics(objects.ObjectStruct, frozen=True):
    """Of metrics.k8s.io."""

    metadata: objects.Metadata
    timestamp: str = ""
    containers: list[ContainerMetrics] | None = None


class PodMetricsList(objects.ObjectStruct, frozen=True):
    """Of metrics.k8s.io."""

    items: list[PodMetrics] | None = None


class ObjectReference(objects.ObjectStruct, frozen=True):
    """The object of an event."""

    kind: str = ""
    name: str = ""


class EventSeries(objects.ObjectStruct, frozen=True):
    """A repeated event, as newer reporters write it."""

    count: int = 0
    last_observed_time: str | None = None


class EventObject(objects.ObjectStruct, frozen=True):
    """An Event of the core group."""

    involved_object: ObjectReference
    type: str = ""
    reason: str = ""
    message: str = ""
    count: int | None = None
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    event_time: str | None = None
    series: EventSeries | None = None


def _requested(pods: Sequence[PodView], why: str) -> WorkloadUse:
    living = [pod for pod in pods if not pod.finished and not pod.meta.deleting]
    uses = tuple(
        ContainerUse(pod.meta.name, pod.meta.service, pod.requests.cpu_milli, pod.requests.memory_bytes)
        for pod in sorted(living, key=lambda pod: pod.meta.name)
    )
    return WorkloadUse(UseSource.REQUESTS, uses, why)


def _use(pod: str, measured: ContainerMetrics) -> ContainerUse:
    cpu, memory = measured.usage.get("cpu", "0"), measured.usage.get("memory", "0")
    return ContainerUse(clean_name(pod), clean_name(measured.name), milli(cpu), whole(memory))


def _decoded(page: objects.ObjectList) -> list[EventObject]:
    return [decode_json(item, EventObject) for item in page.items or ()]


def _newest(events: Sequence[EventObject], *, complete: bool) -> WorkloadEvents:
    found = sorted(map(_event, events), key=lambda event: event.last_at, reverse=True)
    return WorkloadEvents(tuple(found[:EVENTS_MAX]), complete and len(found) <= EVENTS_MAX)


def _event(event: EventObject) -> WorkloadEvent:
    series = event.series or EventSeries()
    first = _unix(event.first_timestamp or event.event_time)
    return WorkloadEvent(
        last_at=_unix(series.last_observed_time or event.last_timestamp or event.event_time) or first,
        first_at=first,
        warning=event.type == "Warning",
        reason=event.reason,
        about=f"{event.involved_object.kind.lower()}/{event.involved_object.name}",
        message=event.message,
        count=series.count or event.count or 1,
    )


def _unix(text: str | None) -> Timestamp:
    """A timestamp of the API server in unix seconds; 0 if it is missing or unreadable."""
    return parsed_unix_seconds(text or "")

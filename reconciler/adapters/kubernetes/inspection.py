"""What the cluster tells of one workload when asked: what its containers use, and its events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.adapters.kubernetes import naming, objects
from reconciler.adapters.kubernetes.client import ApiClient
from reconciler.adapters.kubernetes.quantities import milli, whole
from reconciler.adapters.kubernetes.refusals import ApiError
from reconciler.adapters.kubernetes.views import PodView, name_of
from reconciler.documents.typed_json import decode_json
from reconciler.values.ids import WorkloadId
from reconciler.values.inspection import ContainerUse, UseSource, WorkloadEvent, WorkloadEvents, WorkloadUse
from reconciler.values.times import Timestamp, parsed_unix_seconds

PAGE_SIZE = 500
OBJECTS_MAX = 24
LISTED_MAX = 200
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

UNMEASURED = {
    403: "the cluster does not let us read its metrics API: grant list of pods.metrics.k8s.io",
    404: "the cluster has no metrics API: install its metrics-server",
    503: "the cluster's metrics API does not answer: see to its metrics-server",
}


class Inspection:
    """Asks through the API server; a request or a few for each question."""

    def __init__(self, client: ApiClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    def use(self, workload: WorkloadId, pods: Sequence[PodView]) -> WorkloadUse:
        """As the metrics API measured it; what the containers requested where nothing measures them."""
        path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{self._namespace}/pods"
        try:
            raw = self._client.get(path, {"labelSelector": naming.ours(workload)})
        except ApiError as why:
            if why.status not in UNMEASURED:
                raise OSError(why.sentence(self._client.server)) from why
            return _requested(pods, UNMEASURED[why.status])
        measured = decode_json(raw, PodMetricsList).items or []
        if not measured:
            return _requested(pods, "its pods are not measured yet" if pods else "it has no pods")
        uses = tuple(_use(pod.metadata.name, each) for pod in measured for each in pod.containers or ())
        return WorkloadUse(UseSource.METRICS, uses, at=max(_unix(pod.timestamp) for pod in measured))

    def happenings(self, workload: WorkloadId) -> WorkloadEvents:
        """Events of its objects, of those that are gone too while the namespace has few, newest first."""
        try:
            page = self._events({"limit": str(PAGE_SIZE)})
            if not page.metadata.continue_:
                told = [e for e in _decoded(page) if workload in e.involved_object.name]
                return _newest(told, complete=True)
            names = list(dict.fromkeys(self._names(workload)))
            told = [e for name in names[:OBJECTS_MAX] for e in self._events_of(name)]
            return _newest(told, complete=len(names) <= OBJECTS_MAX)
        except ApiError as why:
            raise OSError(why.sentence(self._client.server)) from why

    def _events(self, query: dict[str, str]) -> objects.ObjectList:
        raw = self._client.get(f"/api/v1/namespaces/{self._namespace}/events", query)
        return decode_json(raw, objects.ObjectList)

    def _events_of(self, name: str) -> list[EventObject]:
        query = {"fieldSelector": f"involvedObject.name={name}", "limit": str(LISTED_MAX)}
        return _decoded(self._events(query))

    def _names(self, workload: WorkloadId) -> Iterator[str]:
        for plural in ("apis/apps/v1/{}/deployments", "apis/apps/v1/{}/replicasets", "api/v1/{}/pods"):
            path = "/" + plural.format(f"namespaces/{self._namespace}")
            raw = self._client.get(path, {"labelSelector": naming.ours(workload)}, METADATA_ONLY)
            for item in decode_json(raw, objects.ObjectList).items or ():
                yield decode_json(item, objects.Bare).metadata.name


class Measured(objects.ObjectStruct, frozen=True):
    """One container's metrics."""

    name: str
    usage: dict[str, str]


class PodMetrics(objects.ObjectStruct, frozen=True):
    """Of metrics.k8s.io."""

    metadata: objects.Metadata
    timestamp: str = ""
    containers: list[Measured] | None = None


class PodMetricsList(objects.ObjectStruct, frozen=True):
    """Of metrics.k8s.io."""

    items: list[PodMetrics] | None = None


class Involved(objects.ObjectStruct, frozen=True):
    """What an event is about."""

    kind: str = ""
    name: str = ""


class Series(objects.ObjectStruct, frozen=True):
    """An event that came again, as newer reporters write it."""

    count: int = 0
    last_observed_time: str | None = None


class EventObject(objects.ObjectStruct, frozen=True):
    """An event of the core group."""

    involved_object: Involved
    type: str = ""
    reason: str = ""
    message: str = ""
    count: int | None = None
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    event_time: str | None = None
    series: Series | None = None


def _requested(pods: Sequence[PodView], why: str) -> WorkloadUse:
    living = [pod for pod in pods if not pod.over and not pod.marks.deleting]
    uses = tuple(
        ContainerUse(pod.marks.name, pod.marks.service, pod.uses.cpu_milli, pod.uses.memory_bytes)
        for pod in sorted(living, key=lambda pod: pod.marks.name)
    )
    return WorkloadUse(UseSource.REQUESTS, uses, why)


def _use(pod: str, measured: Measured) -> ContainerUse:
    cpu, memory = measured.usage.get("cpu", "0"), measured.usage.get("memory", "0")
    return ContainerUse(name_of(pod), name_of(measured.name), milli(cpu), whole(memory))


def _decoded(page: objects.ObjectList) -> list[EventObject]:
    return [decode_json(item, EventObject) for item in page.items or ()]


def _newest(events: Sequence[EventObject], *, complete: bool) -> WorkloadEvents:
    found = sorted(map(_happening, events), key=lambda h: h.last_at, reverse=True)
    return WorkloadEvents(tuple(found[:LISTED_MAX]), complete and len(found) <= LISTED_MAX)


def _happening(event: EventObject) -> WorkloadEvent:
    series = event.series or Series()
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
    """An API server's time in unix seconds; 0 for none, or one that cannot be read."""
    return parsed_unix_seconds(text or "")

"""Queries about a workload to the cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler import ports
from reconciler.adapters.kubernetes import cluster_queries
from reconciler.adapters.kubernetes.api_errors import ApiError
from reconciler.adapters.kubernetes.client import ApiClient
from reconciler.adapters.kubernetes.cluster_queries import ClusterQueries
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.adapters.kubernetes.namespaces import Namespaces
from reconciler.adapters.kubernetes.views import PodView, pod_view
from reconciler.devnet.cluster.faults import ClusterFault
from reconciler.values.inspection import ContainerUse, UseSource, WorkloadEvents, WorkloadUse
from reconciler.values.resources import MB, Resources
from reconciler.values.times import Timestamp
from tests.adapters.kubernetes.makers import deployments, pod, raw
from tests.contracts.adapter_backends import (
    ClusterBackend,
    close_cluster,
    eventually,
    service,
    simulated_cluster,
    workload,
)

WANTED = workload(1)
POD: PodView = pod_view(raw(pod(deployments(WANTED)[0], name="web-a")))
MEASURED = {
    "kind": "PodMetricsList",
    "items": [
        {
            "metadata": {"name": "web-a"},
            "timestamp": "2026-11-24T12:00:00Z",
            "window": "10s",
            "containers": [{"name": "web", "usage": {"cpu": "12345678n", "memory": "34Mi"}}],
        },
        {
            "metadata": {"name": "web-b"},
            "timestamp": "2026-11-24T12:00:05Z",
            "containers": [
                {"name": "web", "usage": {"cpu": "3m", "memory": "1Ki"}},
                {"name": "side", "usage": {}},
            ],
        },
    ],
}


class Scripted(ApiClient):
    """Responds by a part of the path, and records the requests."""

    def __init__(self, tmp_path: Path, answers: Mapping[str, Any]) -> None:
        super().__init__(Kubeconfig(tmp_path / "none"))
        self.answers = answers
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    def get(self, path: str, query: Mapping[str, str], accept: str = "") -> bytes:
        self.asked.append((path, query))
        found = next(answer for part, answer in self.answers.items() if part in path)
        if isinstance(found, ApiError):
            raise found
        made: bytes = json.dumps(found(query) if callable(found) else found).encode()
        return made


def test_usage_comes_from_the_metrics_api(tmp_path: Path) -> None:
    client = Scripted(tmp_path, {"metrics.k8s.io": MEASURED})
    found = ClusterQueries(client, Namespaces("space")).use(WANTED.id, [POD])
    assert found == WorkloadUse(
        UseSource.METRICS,
        (
            ContainerUse("web-a", "web", 13, 34 * MB),
            ContainerUse("web-b", "web", 3, 1024),
            ContainerUse("web-b", "side", 0, 0),
        ),
        at=Timestamp(1_795_521_605),
    )
    [(path, query)] = client.asked
    assert path == "/apis/metrics.k8s.io/v1beta1/namespaces/space/pods"
    assert WANTED.id in query["labelSelector"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (ApiError(404, "not found"), "the cluster has no metrics API: install its metrics-server"),
        (
            ApiError(503, "unavailable"),
            "the cluster's metrics API is unavailable: check its metrics-server",
        ),
        (
            ApiError(403, "forbidden"),
            "the cluster denies access to its metrics API: grant list of pods.metrics.k8s.io",
        ),
        ({"items": []}, "its pods are not measured yet"),
        ({"items": None}, "its pods are not measured yet"),
    ],
)
def test_without_metrics_usage_is_what_pods_request(tmp_path: Path, answer: object, why: str) -> None:
    found = ClusterQueries(Scripted(tmp_path, {"metrics": answer}), Namespaces("space")).use(WANTED.id, [POD])
    assert found == WorkloadUse(UseSource.REQUESTS, (ContainerUse("web-a", "web", 100, 64 * MB),), why)


def test_an_unreachable_cluster_is_an_error(tmp_path: Path) -> None:
    client = Scripted(tmp_path, {"metrics": ApiError(0, "no answer")})
    with pytest.raises(OSError, match="no answer; see that its API server runs"):
        ClusterQueries(client, Namespaces("space")).use(WANTED.id, [])


def event(name: str, number: int, **more: Any) -> dict[str, Any]:
    """An Event of the core group."""
    when = f"2026-11-24T12:00:{number:02}Z"
    return {
        "metadata": {"name": f"{name}.{number}"},
        "involvedObject": {"kind": "Pod", "name": name},
        "type": "Warning",
        "reason": f"R{number}",
        "message": "m",
        "count": number,
        "firstTimestamp": when,
        "lastTimestamp": when,
    } | more


def test_events_of_a_small_namespace_include_deleted_objects(tmp_path: Path) -> None:
    listed = {
        "metadata": {"resourceVersion": "1"},
        "items": [event(f"web-{WANTED.id}-gone", 3), event("other", 4), event(f"web-{WANTED.id}", 9)],
    }
    found = ClusterQueries(Scripted(tmp_path, {"events": listed}), Namespaces("space")).events(WANTED.id)
    assert [(h.reason, h.count, h.warning) for h in found.listed] == [("R9", 9, True), ("R3", 3, True)]
    assert found.listed[0].about == f"pod/web-{WANTED.id}"
    assert found.complete


def test_events_of_a_large_namespace_are_queried_by_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_queries, "OBJECTS_MAX", 2)
    named = {"metadata": {"resourceVersion": "1"}, "items": [{"metadata": {"name": f"web-{WANTED.id}"}}]}
    pods = {"metadata": {"resourceVersion": "1"}, "items": [{"metadata": {"name": n}} for n in ("a", "b")]}

    def events(query: Mapping[str, str]) -> dict[str, Any]:
        of = query.get("fieldSelector", "").removeprefix("involvedObject.name=")
        token = {} if of else {"continue": "more"}
        return {"metadata": {"resourceVersion": "1"} | token, "items": [event(of, 5)] if of else []}

    client = Scripted(tmp_path, {"events": events, "deployments": named, "replicasets": named, "pods": pods})
    found = ClusterQueries(client, Namespaces("space")).events(WANTED.id)
    assert [h.about for h in found.listed] == [f"pod/web-{WANTED.id}", "pod/a"]
    assert not found.complete, "one object was not asked about"


def test_incomplete_events_are_shown(tmp_path: Path) -> None:
    name = f"web-{WANTED.id}"
    newer: dict[str, Any] = {"count": None, "firstTimestamp": None, "lastTimestamp": None}
    newer |= {
        "eventTime": "2026-11-24T12:00:01.5Z",
        "series": {"count": 8, "lastObservedTime": "2026-11-24T13:00:00Z"},
    }
    items = [event(name, 1, **newer), event(name, 2, firstTimestamp="soon", lastTimestamp=None)]
    items.append(
        event(name, 3, firstTimestamp="0001-01-01T00:00:00Z", lastTimestamp="9999-12-31T23:59:59-09:00")
    )
    listed = {"metadata": {"resourceVersion": "1"}, "items": items}
    found = ClusterQueries(Scripted(tmp_path, {"events": listed}), Namespaces("space")).events(WANTED.id)
    assert [(h.count, h.first_at, h.last_at) for h in found.listed] == [
        (8, 1_795_521_601, 1_795_525_200),
        (2, 0, 0),
        (3, 0, 0),
    ]


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[ClusterBackend]:
    made = simulated_cluster(tmp_path)
    made.adapter.prepare(Resources(16_000, 32 << 30, 64 << 30, 0))
    yield made
    close_cluster(made)


def test_the_adapter_answers_queries_about_its_workloads(backend: ClusterBackend) -> None:
    inspector: ports.Inspector = backend.adapter
    wanted = workload(7, service(count=2))
    backend.adapter.apply(wanted, "d")
    backend.until(wanted.id, lambda r: r.ready, "ready")
    used = inspector.use(wanted.id)
    assert (used.source, used.why) == (UseSource.METRICS, "")
    assert [c.container for c in used.containers] == ["web"] * 2
    assert all(0 < c.cpu_milli <= 100 for c in used.containers)

    def started() -> WorkloadEvents | None:
        told = inspector.events(wanted.id)
        return told if "Started" in {each.reason for each in told.listed} else None

    told = eventually(started, "a Started event")
    assert all(wanted.id in each.about for each in told.listed)
    assert told.listed[0].last_at >= told.listed[-1].last_at > 0
    assert inspector.events(workload(8).id).listed == ()

    assert backend.cluster is not None
    backend.cluster.faults.add(ClusterFault(status=500, plurals=frozenset({"events"})))
    with pytest.raises(OSError, match="answered 500"):
        inspector.events(wanted.id)

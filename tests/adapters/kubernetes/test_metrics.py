"""Measured use: bounded, fresh, and by workload; anything else is unseen with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.kubernetes import metrics as module
from reconciler.adapters.kubernetes.adapter import KubernetesAdapter
from reconciler.adapters.kubernetes.api_errors import ApiError
from reconciler.adapters.kubernetes.cluster_observer import ClusterTarget
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.adapters.kubernetes.metrics import MetricsPoller
from reconciler.values.clusters import KubernetesSettings
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.resources import MB, Resources
from tests.adapters.kubernetes.test_cluster_queries import Scripted
from tests.contracts.adapter_backends import close_cluster, simulated_cluster, workload


def listed(cpu: str = "13500000n", memory: str = "34816Ki", timestamp: str = "t1") -> dict[str, Any]:
    usage = {"cpu": cpu, "memory": memory}
    meta = {"name": "web-a", "namespace": "space"}
    return {
        "items": [{"metadata": meta, "timestamp": timestamp, "containers": [{"name": "c", "usage": usage}]}]
    }


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (ApiError(404, "x"), "the cluster has no metrics API: install its metrics-server"),
        (ApiError(403, "x"), "the cluster denies access to its metrics API"),
        (ApiError(503, "x"), "the cluster's metrics API is unavailable"),
        (ApiError(0, "no answer"), "no answer"),
        (listed(cpu="much"), "unusable answer"),
        (listed(memory="-5"), "unusable answer"),
        ({"items": [{"metadata": 7}]}, "unusable answer"),
    ],
)
def test_what_is_not_measured_is_unseen(tmp_path: Path, answer: object, why: str) -> None:
    poller = MetricsPoller(Scripted(tmp_path, {"metrics": answer}), "/apis/metrics.k8s.io/x")
    poller.poll()
    reading = poller.read()
    assert isinstance(reading, Unseen)
    assert why in reading.why


def test_a_list_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PODS_MAX", 0)
    poller = MetricsPoller(Scripted(tmp_path, {"metrics": listed()}), "/metrics")
    poller.poll()
    assert "it lists more than 0 pods of workloads" in str(poller.read())


def test_a_measurement_that_does_not_change_is_old_and_so_is_a_list_without_a_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr(f"{module.__name__}.time.monotonic", lambda: now)
    client = Scripted(tmp_path, {"metrics": listed()})
    poller = MetricsPoller(client, "/metrics")
    assert isinstance(poller.read(), Unseen)
    poller.poll()
    fresh: Reading[Any] = Seen({"space/web-a": (14, 34 * MB)})
    assert poller.read() == fresh
    now += module.STALE_SECONDS + 1
    assert isinstance(silent := poller.read(), Unseen)
    assert "has not answered for 90 seconds" in silent.why
    poller.poll()
    assert poller.read() == Seen({})
    client.answers = {"metrics": listed(timestamp="t2")}
    poller.poll()
    assert poller.read() == fresh


def test_the_use_of_a_workload_on_a_cluster_is_that_of_its_ready_pods(tmp_path: Path) -> None:
    cluster = simulated_cluster(tmp_path)
    wanted = workload(1)
    cluster.adapter.prepare(Resources(8_000, 8 << 30, 8 << 30))
    cluster.adapter.apply(wanted, "d")
    cluster.until(wanted.id, lambda r: r.ready, "ready")
    assert cluster.adapter.observe().use is None, "nothing asks for it"
    settings = KubernetesSettings(namespace=cluster.namespace)
    adapter = KubernetesAdapter(
        ClusterTarget(Kubeconfig(cluster.kubeconfig), settings, meters_use=True), lambda: None
    )
    poller = adapter._observer._metrics
    assert poller is not None
    try:
        for informer in adapter._observer.informers:
            informer.start()
        poller.poll()
        use = adapter.observe().use
    finally:
        adapter.close()
        close_cluster(cluster)
    assert isinstance(use, Seen)
    [service] = use.view[wanted.id]
    asked = wanted.services[0].resources
    assert (service.cpu_milli, service.pods) == (asked.cpu_milli * 40 // 100, wanted.services[0].count)

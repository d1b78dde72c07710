"""The simulated cluster's metrics API: running pods use a share of what they request."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from reconciler.devnet.cluster.kinds import BY_PLURAL, Object, Target
from reconciler.devnet.cluster.reads import ClusterReads, ReadForm
from reconciler.devnet.cluster.refusals import RefusalError
from reconciler.devnet.cluster.resource_totals import pod_amounts

PREFIX = "/apis/metrics.k8s.io/v1beta1"


class PodMetricsApi:
    """`percent` is the share of cpu and memory that is used; None: the cluster has no metrics-server."""

    def __init__(self, reads: ClusterReads) -> None:
        self._reads = reads
        self.percent: int | None = 40

    def list(self, path: str, query: Mapping[str, str], now: str) -> Object:
        """The answer to a list of pods, in all namespaces or in one."""
        parts = path.removeprefix(PREFIX).strip("/").split("/")
        if self.percent is None or parts[-1] != "pods" or len(parts) not in (1, 3):
            raise RefusalError(404, "the server could not find the requested resource")
        target = Target(BY_PLURAL["pods"], parts[1] if len(parts) == 3 else "")
        pods = self._reads.page(target, query, ReadForm())["items"]
        return {
            "apiVersion": "metrics.k8s.io/v1beta1",
            "kind": "PodMetricsList",
            "metadata": {},
            "items": [self._measured(pod, now) for pod in pods if pod["status"].get("phase") == "Running"],
        }

    def _measured(self, pod: Object, now: str) -> Object:
        share = Decimal(self.percent or 0) / 100
        amounts = pod_amounts(pod)
        cpu = amounts.get("requests.cpu", Decimal(0)) * share
        memory = amounts.get("requests.memory", Decimal(0)) * share
        usage = {"cpu": f"{int(cpu * 10**9)}n", "memory": f"{int(memory) // 1024}Ki"}
        meta = {key: pod["metadata"][key] for key in ("name", "namespace", "labels")}
        containers = [{"name": pod["spec"]["containers"][0]["name"], "usage": usage}]
        return {"metadata": meta, "timestamp": now, "window": "15s", "containers": containers}

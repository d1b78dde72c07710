"""A simulated cluster with real kubectl at hand."""

from __future__ import annotations

from pathlib import Path

from reconciler.devnet.cluster.cluster import SimulatedCluster
from tests.contracts.adapter_backends import kubectl

SPACE = "provider-workloads"
MANIFEST = """
apiVersion: v1
kind: Namespace
metadata: {name: provider-workloads}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: provider-capacity, namespace: provider-workloads}
spec: {hard: {requests.cpu: "8", limits.cpu: "8", requests.memory: 8Gi, limits.memory: 8Gi, pods: "20"}}
---
apiVersion: v1
kind: Secret
metadata: {name: keys, namespace: provider-workloads}
stringData: {user: admin}
data: {token: czNjcjN0}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: provider-workloads, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx:1
        resources: {limits: {cpu: 500m, memory: 256Mi}}
        ports: [{containerPort: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: provider-workloads}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""


class Cluster:
    """A simulated cluster with kubectl at hand."""

    def __init__(self, scratch: Path) -> None:
        self.inner = SimulatedCluster()
        self.inner.serve()
        self.kubeconfig = self.inner.write_kubeconfig(scratch / "kubeconfig")
        self.file = scratch / "manifest.yaml"
        self.file.write_text(MANIFEST)

    def k(self, line: str, *words: str, fails: bool = False, stdin: str = "") -> str:
        return kubectl(self.kubeconfig, *line.split(), *words, fails=fails, stdin=stdin)

    def pods(self) -> list[str]:
        return [pod["metadata"]["name"] for pod in self.inner.objects("pods", SPACE)]

"""How the story looks at the cluster: lists by label, as kubectl would ask for them."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import config

from reconciler.devnet.faults import DevnetError

NAMESPACE = "provider-workloads"
LABEL = "virtengine.com/workload"
ANSWER_SECONDS = 10
KINDS = {
    "deployments": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "services": "/api/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "pods": "/api/v1",
}
"""What a workload may consist of."""
APPLIED = ("deployments", "services", "networkpolicies")


class ClusterProbe:
    """Looks only, but for `sweep`."""

    def __init__(self, kubeconfig: Path) -> None:
        try:
            self._api = config.new_client_from_config(str(kubeconfig))  # type: ignore[no-untyped-call]  # no types
        except Exception as error:  # the library fails in many ways on a file that is no kubeconfig
            raise DevnetError(f"the kubeconfig {kubeconfig} cannot be used: {error}") from None

    def close(self) -> None:
        """Let the connections go."""
        self._api.close()

    def pods_ready(self, workload: str) -> tuple[int, int]:
        """Pods of a workload that are ready, and all of them."""
        pods = [p for p in self._list("pods", workload) if not p["metadata"].get("deletionTimestamp")]
        ready = [p for p in pods if _is_ready(p)]
        return len(ready), len(pods)

    def objects(self, workload: str = "") -> tuple[str, ...]:
        """`kind/name` of everything that is there for a workload, or for any."""
        return tuple(
            f"{kind}/{found['metadata']['name']}" for kind in KINDS for found in self._list(kind, workload)
        )

    def versions(self) -> tuple[str, ...]:
        """What changes when anybody writes what is applied for a workload."""
        return tuple(
            f"{found['metadata']['name']} {found['metadata'].get('generation', 0)} {found['metadata']['uid']}"
            for kind in APPLIED
            for found in self._list(kind, "")
        )

    def sweep(self) -> None:
        """Remove every workload's objects; for a cluster that outlives the story."""
        for kind in APPLIED:
            for found in self._list(kind, ""):
                name = found["metadata"]["name"]
                self._ask("DELETE", f"{KINDS[kind]}/namespaces/{NAMESPACE}/{kind}/{name}", {})

    def _list(self, kind: str, workload: str) -> list[dict[str, Any]]:
        selector = f"{LABEL}={workload}" if workload else LABEL
        found = self._ask("GET", f"{KINDS[kind]}/namespaces/{NAMESPACE}/{kind}", {"labelSelector": selector})
        items: list[dict[str, Any]] = found.get("items") or []
        return items

    def _ask(self, method: str, path: str, query: dict[str, str]) -> dict[str, Any]:
        asked = self._api.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params={"Accept": "application/json"},
            auth_settings=["BearerToken"],
        )
        try:
            answer = self._api.rest_client.pool_manager.request(
                method, asked[1], headers=asked[2], timeout=ANSWER_SECONDS, retries=False
            )
            told: dict[str, Any] = json.loads(answer.data)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise DevnetError(f"the cluster does not answer {method} {path}: {error}") from None
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise DevnetError(f"the cluster refuses {method} {path}: {told.get('message')}")
        return told


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

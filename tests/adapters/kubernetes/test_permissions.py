"""Access reviews by an API server that grants some permissions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from reconciler.adapters.kubernetes.api_errors import ApiError
from reconciler.adapters.kubernetes.client import ApiClient
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.adapters.kubernetes.permissions import (
    Permission,
    denied_permissions,
    optional_permissions,
    required_permissions,
)
from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.values.clusters import LeaseIsolation

ASKED: list[dict[str, Any]] = []


class Reviews(BaseHTTPRequestHandler):
    """Grants everything but delete, and get of pods/log."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        wanted = asked["spec"]["resourceAttributes"]
        ASKED.append(wanted)
        allowed = wanted["verb"] != "delete" and "subresource" not in wanted
        body = json.dumps({**asked, "status": {"allowed": allowed}}).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def granting(tmp_path: Path) -> Iterator[ApiClient]:
    server = HTTPServer(("127.0.0.1", 0), Reviews)
    Thread(target=server.serve_forever, daemon=True).start()
    kubeconfig = {
        "kind": "Config",
        "current-context": "a",
        "clusters": [{"name": "a", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "users": [{"name": "a", "user": {"token": "t"}}],
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(kubeconfig))
    client = ApiClient(Kubeconfig(tmp_path / "kubeconfig"))
    yield client
    client.close()
    server.shutdown()
    server.server_close()


def test_denied_permissions_are_named(granting: ApiClient) -> None:
    lacking = denied_permissions(granting, "provider-workloads", required_permissions(LeaseIsolation.SHARED))
    assert [right.describe() for right in lacking] == [
        "delete deployments.apps",
        "delete statefulsets.apps",
        "delete persistentvolumeclaims",
        "delete services",
        "delete networkpolicies.networking.k8s.io",
        "delete replicasets.apps",
        "get pods/log",
        "delete pods",
    ]
    assert {"verb": "list", "resource": "nodes", "group": ""} in ASKED
    logs = {"verb": "get", "resource": "pods", "group": "", "subresource": "log"}
    assert logs | {"namespace": "provider-workloads"} in ASKED


def test_an_unanswered_review_is_an_error(client: ApiClient, cluster: SimulatedCluster) -> None:
    with pytest.raises(ApiError) as why:
        denied_permissions(client, "a", (Permission("get", "pods"),))
    assert why.value.status == 404


@pytest.mark.parametrize("isolation", LeaseIsolation)
def test_no_permission_is_listed_twice(isolation: LeaseIsolation) -> None:
    found = (*required_permissions(isolation), *optional_permissions(isolation))
    assert len(set(found)) == len(found)

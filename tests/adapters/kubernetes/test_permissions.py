"""Rights, asked of an API server that grants some."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from reconciler.adapters.kubernetes.client import ApiClient
from reconciler.adapters.kubernetes.connection import Kubeconfig
from reconciler.adapters.kubernetes.permissions import RIGHTS, Right, refused
from reconciler.adapters.kubernetes.refusals import ApiError
from reconciler.devnet.cluster.cluster import SimulatedCluster

ASKED: list[dict[str, Any]] = []


class Reviews(BaseHTTPRequestHandler):
    """Grants all but deleting, and the logs of pods."""

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


def test_what_is_refused_is_named(granting: ApiClient) -> None:
    lacking = refused(granting, "provider-workloads")
    assert [right.show() for right in lacking] == [
        "delete deployments.apps",
        "delete services",
        "delete networkpolicies.networking.k8s.io",
        "delete replicasets.apps",
        "delete pods",
        "get pods/log",
    ]
    assert {"verb": "list", "resource": "nodes", "group": ""} in ASKED
    logs = {"verb": "get", "resource": "pods", "group": "", "subresource": "log"}
    assert logs | {"namespace": "provider-workloads"} in ASKED


def test_a_cluster_that_does_not_say(client: ApiClient, cluster: SimulatedCluster) -> None:
    with pytest.raises(ApiError) as why:
        refused(client, "a", (Right("get", "pods"),))
    assert why.value.status == 404


def test_no_right_is_named_twice() -> None:
    assert len(set(RIGHTS)) == len(RIGHTS)

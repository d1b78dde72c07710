"""The contract of clusters for image credentials: a Secret for the pods of one service, while it exists."""

from __future__ import annotations

import base64
import json

from reconciler.values.outcomes import Done
from reconciler.values.specification import ImageCredentials
from tests.contracts.adapter_backends import ClusterBackend, eventually, service, workload

GIVEN = ImageCredentials("registry.example.com", "alice", sealed="age1:x", password="only-for-pods")


def test_credentials_are_a_secret_of_their_workload(cluster: ClusterBackend) -> None:
    wanted = workload(193, service(credentials=GIVEN))
    space, selector = cluster.home(wanted.id), f"virtengine.com/workload={wanted.id}"
    assert cluster.adapter.apply(wanted, "1") == Done()
    cluster.until(wanted.id, lambda r: r.ready and not r.drifted, "ready")

    (secret,) = cluster.get("secret", "-l", selector, space=space)["items"]
    entry = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"][GIVEN.host]
    assert (entry["username"], entry["password"]) == ("alice", "only-for-pods")
    assert base64.b64decode(entry["auth"]) == b"alice:only-for-pods"
    (pod,) = cluster.get("pod", "-l", selector, space=space)["items"]
    assert pod["spec"]["imagePullSecrets"] == [{"name": secret["metadata"]["name"]}]
    assert "only-for-pods" not in json.dumps(pod)
    cluster.adapter.apply(wanted, "2")
    cluster.until(wanted.id, lambda r: r.digest == "2", "applied again")

    cluster.adapter.remove(wanted.id)
    cluster.until_gone(wanted.id)
    eventually(lambda: not cluster.get("secret", "-l", selector, space=space)["items"], "no secret is left")

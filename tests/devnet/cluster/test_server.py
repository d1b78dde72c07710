"""The API server's HTTP side, through a client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.devnet.cluster.faults import ClusterFault

POOL = urllib3.PoolManager(retries=False)


class Client:
    """HTTP to a simulated cluster."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        self.cluster = cluster

    def ask(
        self, method: str, path: str, body: Any = None, content: str = "application/json"
    ) -> tuple[int, Any]:
        raw = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = POOL.request(
            method, self.cluster.url + path, body=raw, headers={"Content-Type": content}, timeout=5
        )
        return answer.status, json.loads(answer.data) if answer.data[:1] == b"{" else answer.data

    def watch(self, path: str) -> list[dict[str, Any]]:
        answer = POOL.request("GET", self.cluster.url + path, timeout=5)
        return [json.loads(line) for line in answer.data.splitlines()]


@pytest.fixture
def client() -> Iterator[Client]:
    cluster = SimulatedCluster()
    cluster.serve()
    yield Client(cluster)
    cluster.close()


CONFIGS = "/api/v1/namespaces/default/configmaps"


def config(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


@pytest.mark.parametrize(
    "path",
    [
        "/version",
        "/healthz",
        "/readyz",
        "/api",
        "/apis",
        "/api/v1",
        "/apis/apps",
        "/apis/apps/v1",
        "/openapi/v3",
    ],
)
def test_discovery_documents_are_served(client: Client, path: str) -> None:
    assert client.ask("GET", path)[0] == 200


def test_an_object_is_created_read_and_deleted(client: Client) -> None:
    assert client.ask("POST", CONFIGS, config("a", k="1"))[0] == 201
    code, found = client.ask("GET", f"{CONFIGS}/a")
    assert (code, found["data"]) == (200, {"k": "1"})
    assert client.ask("PUT", f"{CONFIGS}/a", found | {"data": {"k": "2"}})[1]["data"] == {"k": "2"}
    assert client.ask("DELETE", f"{CONFIGS}/a")[0] == 200
    assert client.ask("GET", f"{CONFIGS}/a")[0] == 404


def test_requests_and_creations_are_counted(client: Client) -> None:
    client.ask("POST", CONFIGS, config("a"))
    client.ask("POST", CONFIGS, config("a"))

    assert client.cluster.request_counts["create", "configmaps"] == 2
    assert list(client.cluster.created) == ["ConfigMap/a"]


def test_a_collection_is_deleted_by_label(client: Client) -> None:
    for name in "ab":
        body = config(name)
        body["metadata"]["labels"] = {"name": name}
        client.ask("POST", CONFIGS, body)

    client.ask("DELETE", f"{CONFIGS}?labelSelector=name=a")

    assert [x["metadata"]["name"] for x in client.ask("GET", CONFIGS)[1]["items"]] == ["b"]


def test_pages_are_of_one_version(client: Client) -> None:
    for name in "abc":
        client.ask("POST", CONFIGS, config(name))
    first = client.ask("GET", f"{CONFIGS}?limit=2")[1]
    client.ask("DELETE", f"{CONFIGS}/c")

    second = client.ask("GET", f"{CONFIGS}?limit=2&continue={first['metadata']['continue']}")[1]

    assert first["metadata"]["remainingItemCount"] == 1
    assert [x["metadata"]["name"] for x in second["items"]] == ["c"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_a_continue_token_expires(client: Client) -> None:
    for name in "abc":
        client.ask("POST", CONFIGS, config(name))
    token = client.ask("GET", f"{CONFIGS}?limit=2")[1]["metadata"]["continue"]
    client.cluster.forget_history()

    assert client.ask("GET", f"{CONFIGS}?limit=2&continue={token}")[0] == 410


@pytest.mark.parametrize(
    ("method", "path", "body", "content", "code"),
    [
        ("GET", "/apis/batch/v1/jobs", None, "application/json", 404),
        ("POST", CONFIGS, b"\x00k8s", "application/vnd.kubernetes.protobuf", 415),
        ("POST", CONFIGS, b"{", "application/json", 400),
        ("POST", CONFIGS, [1], "application/json", 400),
        ("POST", CONFIGS, {"kind": "Secret", "metadata": {"name": "a"}}, "application/json", 400),
        ("PATCH", f"{CONFIGS}/a", {"metadata": {"name": "b"}}, "application/apply-patch+yaml", 400),
        ("PATCH", f"{CONFIGS}/a", {}, "text/plain", 415),
        ("PUT", f"{CONFIGS}/a", {"metadata": {}}, "application/json", 404),
        ("PROPFIND", f"{CONFIGS}/a", None, "application/json", 405),
    ],
)
def test_unsupported_requests_are_refused_with_a_message(
    client: Client, method: str, path: str, body: Any, content: str, code: int
) -> None:
    status, answer = client.ask(method, path, body, content)

    assert status == code
    assert answer["kind"] == "Status"
    assert answer["message"]


def test_apply_reads_yaml(client: Client) -> None:
    path = f"{CONFIGS}/a?fieldManager=us"
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n"

    assert client.ask("PATCH", path, body, "application/apply-patch+yaml")[0] == 201
    status, found = client.ask("PATCH", path, body, "application/apply-patch+yaml")

    assert (status, found["metadata"]["managedFields"][0]["manager"]) == (200, "us")


def test_a_watch_sends_changes_since_its_version(client: Client) -> None:
    version = client.ask("GET", CONFIGS)[1]["metadata"]["resourceVersion"]
    client.ask("POST", CONFIGS, config("a"))
    client.ask("PATCH", f"{CONFIGS}/a", {"data": {"k": "v"}}, "application/merge-patch+json")
    client.ask("DELETE", f"{CONFIGS}/a")

    events = client.watch(f"{CONFIGS}?watch=1&resourceVersion={version}&timeoutSeconds=1")

    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(set(versions))


def test_an_object_that_leaves_a_selection_is_a_deleted_event(client: Client) -> None:
    body = config("a")
    body["metadata"]["labels"] = {"on": "yes"}
    client.ask("POST", CONFIGS, body)
    version = client.ask("GET", CONFIGS)[1]["metadata"]["resourceVersion"]
    off, on = {"metadata": {"labels": {"on": "no"}}}, {"metadata": {"labels": {"on": "yes"}}}
    client.ask("PATCH", f"{CONFIGS}/a", off, "application/merge-patch+json")
    client.ask("PATCH", f"{CONFIGS}/a", on, "application/merge-patch+json")

    query = f"watch=1&labelSelector=on=yes&resourceVersion={version}&timeoutSeconds=1"

    assert [event["type"] for event in client.watch(f"{CONFIGS}?{query}")] == ["DELETED", "ADDED"]


def test_bookmarks_carry_the_version_of_a_quiet_watch(client: Client) -> None:
    version = client.ask("GET", CONFIGS)[1]["metadata"]["resourceVersion"]
    client.ask("POST", "/api/v1/namespaces/default/secrets", {"metadata": {"name": "s"}})

    query = f"watch=1&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds=2"
    events = client.watch(f"{CONFIGS}?{query}")

    assert events[0]["type"] == "BOOKMARK"
    assert int(events[0]["object"]["metadata"]["resourceVersion"]) > int(version)


def test_a_watch_can_begin_with_the_existing_objects(client: Client) -> None:
    client.ask("POST", CONFIGS, config("a"))

    query = "watch=1&sendInitialEvents=true&allowWatchBookmarks=true&timeoutSeconds=1"
    first, second = client.watch(f"{CONFIGS}?{query}")[:2]

    assert (first["type"], first["object"]["metadata"]["name"]) == ("ADDED", "a")
    assert second["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_a_watch_from_an_expired_version_is_410(client: Client) -> None:
    version = client.ask("GET", CONFIGS)[1]["metadata"]["resourceVersion"]
    client.cluster.forget_history()

    (event,) = client.watch(f"{CONFIGS}?watch=1&resourceVersion={version}")

    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_a_fault_refuses_a_request(client: Client, status: int) -> None:
    client.cluster.faults.add(ClusterFault(status=status))

    assert client.ask("GET", CONFIGS)[0] == status
    client.cluster.faults.clear()
    assert client.ask("GET", CONFIGS)[0] == 200


def test_a_fault_hangs_a_request(client: Client) -> None:
    client.cluster.faults.add(ClusterFault("hang", plurals=frozenset({"configmaps"})))

    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        POOL.request("GET", client.cluster.url + CONFIGS, timeout=0.2)


def test_a_fault_cuts_an_answer(client: Client) -> None:
    client.cluster.faults.add(ClusterFault("cut"))

    with pytest.raises(urllib3.exceptions.HTTPError):
        client.ask("GET", CONFIGS)


def test_a_list_can_be_metadata_only(client: Client) -> None:
    client.ask("POST", CONFIGS, config("a", k="1"))
    accept = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}

    found = POOL.request("GET", client.cluster.url + CONFIGS, headers=accept, timeout=5).json()

    assert found["kind"] == "PartialObjectMetadataList"
    assert [sorted(item) for item in found["items"]] == [["apiVersion", "kind", "metadata"]]

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.devnet.cluster.fields import Owners, from_fields, leaves, to_fields

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "uid": "u", "labels": {"app": "web"}},
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "containers": [{"name": "c", "ports": [{"containerPort": 80}], "args": ["a", "b"]}],
    },
    "status": {"replicas": 1},
}
CONTAINER = ("f:spec", "f:containers", 'k:{"name":"c"}')


def test_leaves_are_the_ownable_fields() -> None:
    assert leaves(DEPLOYMENT) == {
        ("f:metadata", "f:labels", "f:app"): "web",
        ("f:spec", "f:selector"): {"matchLabels": {"app": "web"}},
        (*CONTAINER, "."): True,
        (*CONTAINER, "f:name"): "c",
        (*CONTAINER, "f:args"): ["a", "b"],
        (*CONTAINER, "f:ports", 'k:{"containerPort":80,"protocol":"TCP"}', "."): True,
        (*CONTAINER, "f:ports", 'k:{"containerPort":80,"protocol":"TCP"}', "f:containerPort"): 80,
    }
    assert leaves(DEPLOYMENT, status=True) == {("f:status", "f:replicas"): 1}


PATHS = st.frozensets(
    st.tuples(st.sampled_from("abc"), st.sampled_from("def"), st.sampled_from("gh.")), max_size=9
)


@given(PATHS)
def test_a_tree_of_fields_holds_the_paths(paths: frozenset[tuple[str, str, str]]) -> None:
    assert from_fields(to_fields(paths)) == set(paths)


def test_an_update_becomes_the_owner_of_changed_fields() -> None:
    owners = Owners(None)
    owners.apply("us", {("f:a",), ("f:b",)}, "t1")
    owners.write("them", "", {("f:b",)}, "t2")

    assert owners.applied("us") == {("f:a",)}
    assert owners.others("us") == {"them/Update": {("f:b",)}}


def test_managed_fields_are_read_as_they_were_written() -> None:
    owners = Owners(None)
    owners.apply("us", {("f:a", "f:x")}, "t1")
    owners.write("them", "scale", {("f:b",)}, "t2")
    entries = owners.entries("v1")

    assert [(entry["manager"], entry["operation"], entry.get("subresource")) for entry in entries] == [
        ("them", "Update", "scale"),
        ("us", "Apply", None),
    ]
    assert Owners({"metadata": {"managedFields": entries}}).entries("v1") == entries


def test_applying_the_same_fields_keeps_their_time() -> None:
    owners = Owners(None)
    owners.apply("us", {("f:a",)}, "t1")
    owners.apply("us", {("f:a",)}, "t2")

    assert owners.entries("v1")[0]["time"] == "t1"

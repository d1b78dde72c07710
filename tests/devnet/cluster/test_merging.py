from __future__ import annotations

from typing import Any

import pytest

from reconciler.devnet.cluster.fields import Owners, leaves
from reconciler.devnet.cluster.kinds import Object
from reconciler.devnet.cluster.merging import (
    conflicts,
    json_patch,
    merge_patch,
    server_side_apply,
    strategic_patch,
)
from reconciler.devnet.cluster.refusals import RefusalError


def owned(manager: str, found: Object) -> Owners:
    owners = Owners(None)
    owners.apply(manager, set(leaves(found)), "t")
    return owners


def test_apply_sets_its_fields_and_keeps_others() -> None:
    live = {"spec": {"replicas": 1, "containers": [{"name": "a", "image": "1", "tty": True}]}}
    wanted = {"spec": {"containers": [{"name": "a", "image": "2"}, {"name": "b", "image": "1"}]}}

    merged = server_side_apply(live, wanted, "us", Owners(None))

    assert merged["spec"]["replicas"] == 1
    assert merged["spec"]["containers"] == [
        {"name": "a", "image": "2", "tty": True},
        {"name": "b", "image": "1"},
    ]


def test_apply_removes_fields_that_are_no_longer_applied() -> None:
    before = {
        "spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}], "x": {"y": 1}}
    }
    wanted = {"spec": {"containers": [{"name": "a", "image": "1"}]}}

    assert server_side_apply(before, wanted, "us", owned("us", before)) == wanted


def test_apply_keeps_fields_with_several_owners() -> None:
    before = {"metadata": {"labels": {"a": "1", "b": "2"}}}
    owners = owned("us", before)
    owners.apply("them", {("f:metadata", "f:labels", "f:b")}, "t")

    merged = server_side_apply(before, {"metadata": {"labels": {"a": "1"}}}, "us", owners)

    assert merged == before


def test_a_conflict_is_a_changed_value_of_another_managers_field() -> None:
    live = {"spec": {"replicas": 3, "paused": True}}
    owners = owned("them", live)

    assert conflicts(live, {"spec": {"replicas": 2, "paused": True}}, "us", owners) == {
        ("f:spec", "f:replicas"): "them"
    }


@pytest.mark.parametrize(
    ("found", "patch", "expected"),
    [
        ({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}}, {"b": {"c": 2, "d": 3}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": 1}, [1], [1]),
    ],
)
def test_a_merge_patch_is_rfc_7396(found: Any, patch: Any, expected: Any) -> None:
    assert merge_patch(found, patch) == expected


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"env": [{"name": "A", "value": "2"}]}, [{"name": "A", "value": "2"}, {"name": "B", "value": "1"}]),
        ({"env": [{"name": "A", "$patch": "delete"}]}, [{"name": "B", "value": "1"}]),
        ({"env": [{"name": "C"}], "$setElementOrder/env": []}, ["A", "B", "C"]),
        ({"env": [{"$patch": "replace"}, {"name": "Z"}]}, [{"name": "Z"}]),
        ({"env": None}, None),
    ],
)
def test_a_strategic_patch_merges_lists_by_key(patch: Any, expected: Any) -> None:
    found = {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]}

    env = strategic_patch(found, patch).get("env")

    assert env == expected or [each["name"] for each in env] == expected


def test_a_strategic_patch_deletes_from_plain_lists() -> None:
    found = {"finalizers": ["a", "b"]}

    assert strategic_patch(found, {"$deleteFromPrimitiveList/finalizers": ["a"]}) == {"finalizers": ["b"]}


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"op": "add", "path": "/a/-", "value": 3}, {"a": [1, 2, 3]}),
        ({"op": "add", "path": "/a/0", "value": 0}, {"a": [0, 1, 2]}),
        ({"op": "remove", "path": "/a/0"}, {"a": [2]}),
        ({"op": "replace", "path": "/a", "value": 1}, {"a": 1}),
        ({"op": "add", "path": "/x~1y", "value": 1}, {"a": [1, 2], "x/y": 1}),
        ({"op": "test", "path": "/a/1", "value": 2}, {"a": [1, 2]}),
    ],
)
def test_a_json_patch_is_rfc_6902(step: Object, expected: Any) -> None:
    assert json_patch({"a": [1, 2]}, [step]) == expected


@pytest.mark.parametrize(
    "step",
    [
        {"op": "test", "path": "/a/1", "value": 9},
        {"op": "remove", "path": "/b"},
        {"op": "replace", "path": "/b", "value": 1},
        {"op": "remove", "path": "/a/7"},
    ],
)
def test_an_inapplicable_json_patch_is_refused(step: Object) -> None:
    with pytest.raises(RefusalError) as refused:
        json_patch({"a": [1, 2]}, [step])
    assert refused.value.code == 422

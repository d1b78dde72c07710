from __future__ import annotations

from typing import Any

import pytest

from reconciler.adapters.kubernetes.drift import differences, live_values

APPLIED = {
    "replicas": 2,
    "strategy": {"type": "RollingUpdate"},
    "containers": [{"name": "c", "image": "a:1", "resources": {"limits": {"cpu": "500m"}}, "args": ["x"]}],
}


def live(**changes: Any) -> dict[str, Any]:
    container = {
        "name": "c",
        "image": "a:1",
        "resources": {"limits": {"cpu": "0.5"}},
        "args": ["x"],
        "tty": False,
    }
    added = {"name": "sidecar", "image": "s:1"}
    return (
        APPLIED
        | {"strategy": {"type": "RollingUpdate", "more": 1}, "containers": [added, container]}
        | changes
    )


def test_added_fields_and_other_spellings_are_no_drift() -> None:
    assert differences(APPLIED, live()) == []
    assert differences({"a": {}, "b": [], "c": ""}, {}) == []


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"replicas": 3}, ".replicas"),
        ({"replicas": None}, ".replicas"),
        ({"strategy": {"type": "Recreate"}}, ".strategy.type"),
        ({"containers": [{"name": "d", "image": "a:1"}]}, ".containers[c]"),
    ],
)
def test_a_changed_field_is_named(changes: dict[str, Any], where: str) -> None:
    assert differences(APPLIED, live(**changes)) == [where]


def test_nested_differences_are_found() -> None:
    container = {"name": "c", "image": "evil", "resources": {"limits": {"cpu": "2"}}, "args": ["y"]}

    assert differences(APPLIED, live(containers=[container])) == [
        ".containers[c].image",
        ".containers[c].resources.limits.cpu",
        ".containers[c].args",
    ]


def test_live_values_distinguish_drifts() -> None:
    assert live_values(APPLIED, live(replicas=3)) != live_values(APPLIED, live(replicas=4))
    assert live_values(APPLIED, live(replicas=3)) == live_values(APPLIED, live(replicas=3))

from __future__ import annotations

import pytest

from reconciler.devnet.cluster.kinds import BY_PLURAL, Target, parse_path


@pytest.mark.parametrize(
    ("path", "plural", "rest"),
    [
        ("/api/v1/pods", "pods", ("", "", "")),
        ("/api/v1/namespaces", "namespaces", ("", "", "")),
        ("/api/v1/namespaces/x", "namespaces", ("", "x", "")),
        ("/api/v1/namespaces/x/status", "namespaces", ("", "x", "status")),
        ("/api/v1/namespaces/x/pods", "pods", ("x", "", "")),
        ("/api/v1/namespaces/x/pods/p/log", "pods", ("x", "p", "log")),
        ("/apis/apps/v1/namespaces/x/deployments/d/scale", "deployments", ("x", "d", "scale")),
    ],
)
def test_a_path_names_its_target(path: str, plural: str, rest: tuple[str, str, str]) -> None:
    assert parse_path(path) == Target(BY_PLURAL[plural], *rest)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/deployments",
        "/apis/apps/v1/pods",
        "/api/v1/namespaces/x/nodes",
        "/api/v1/namespaces/x/pods/p/exec",
        "/api/v1/namespaces/x/pods/p/log/more",
        "/apis/batch/v1/jobs",
        "/api/v1",
    ],
)
def test_an_unknown_path_has_no_target(path: str) -> None:
    assert parse_path(path) is None

"""Checks of manifests beside the recorded ones: what a tenant could use against the provider."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.manifest import DeploymentManifest, read_manifest
from reconciler.manifests.manifest_checks import check_manifest


def manifest(*exposes: dict[str, Any]) -> DeploymentManifest:
    """One service with these global exposes, of port 80 by default."""
    size = {"size": {"val": "536870912"}}
    resources = {
        "id": 1,
        "cpu": {"units": {"val": "100"}},
        "gpu": {"units": {"val": "0"}},
        "memory": size,
        "storage": [{"name": "default"} | size],
        "endpoints": [],
    }
    listed = [{"port": 80, "proto": "TCP", "global": True} | expose for expose in exposes]
    service = {"name": "web", "image": "nginx", "count": 1, "resources": resources, "expose": listed}
    return read_manifest(json.dumps([{"name": "g", "services": [service]}]).encode())


def fault(made: DeploymentManifest) -> str:
    """Why it is refused; "" if it is not."""
    try:
        check_manifest(made)
    except ManifestError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"nextCases": ["error timeout;\n} location /x {"]}, "next case is unknown"),
        ({"nextCases": ["error", ""]}, "next case is unknown"),
        ({"nextCases": ["off", "error"]}, "no other cases may be specified"),
        ({"maxBodySize": (100 << 20) + 1}, "body size cannot be greater than 104857600 bytes"),
        ({"readTimeout": 60_001}, "read timeout cannot be greater than 60000 ms"),
        ({"sendTimeout": 60_001}, "send timeout cannot be greater than 60000 ms"),
        ({"nextTimeout": 2**32 - 1}, "next timeout cannot be greater than 60000 ms"),
        ({"nextTries": 101}, "next tries cannot be greater than 100 containers"),
        ({"nextCases": ["off"], "maxBodySize": 100 << 20, "readTimeout": 60_000, "nextTries": 100}, ""),
        ({"nextCases": ["error", "429"]}, ""),
        ({}, ""),
    ],
)
def test_http_options_have_the_limits_of_an_sdl_file(options: dict[str, Any], error: str) -> None:
    found = fault(manifest({"httpOptions": options}))
    assert error in found
    assert bool(error) == bool(found)

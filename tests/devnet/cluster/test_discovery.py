from __future__ import annotations

from typing import Any

from reconciler.devnet.cluster.discovery import document
from reconciler.devnet.cluster.kinds import GROUPS, KINDS


def resources(path: str) -> list[dict[str, Any]]:
    found = document(path)
    assert isinstance(found, dict)
    listed: list[dict[str, Any]] = found["resources"]
    return listed


def test_every_kind_and_subresource_is_discovered() -> None:
    names = {
        each["name"]
        for path in ("/api/v1", *(f"/apis/{group}/v1" for group in GROUPS))
        for each in resources(path)
    }

    for kind in KINDS:
        assert {kind.plural, *(f"{kind.plural}/{part}" for part in kind.subresources)} <= names


def test_openapi_declares_field_validation_of_patches() -> None:
    found = document("/openapi/v3/apis/apps/v1")

    assert isinstance(found, dict)
    patch = found["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert "fieldValidation" in [parameter["name"] for parameter in patch["parameters"]]


def test_other_paths_have_no_document() -> None:
    assert document("/apis/batch/v1") is None

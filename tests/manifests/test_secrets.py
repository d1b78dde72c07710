"""Secrets of manifests leave nothing behind, and give the same hash when they are back."""

from __future__ import annotations

import json

import pytest

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.manifest import DeploymentManifest, read_manifest
from reconciler.manifests.secrets import with_secrets, without_secrets

SERVICE = {
    "name": "web",
    "image": "nginx",
    "command": ["sh", "-c"],
    "args": ["s3cret-arg"],
    "env": ["TOKEN=s3cret=1", "EMPTY=", "NAME"],
    "resources": {"id": 1, "endpoints": []},
    "count": 1,
    "expose": [],
    "params": {
        "storage": [],
        "credentials": {"host": "h", "email": "", "username": "s3cret-u", "password": "p"},
    },
    "credentials": {"host": "h", "email": "s3cret-e", "username": "u", "password": "s3cret-p"},
}


def manifest() -> DeploymentManifest:
    bare = {**SERVICE, "name": "bare", "command": None, "args": None, "env": None, "credentials": None}
    del bare["params"]
    return read_manifest(json.dumps([{"name": "g", "services": [bare, SERVICE]}]).encode())


def test_the_rest_names_no_secret_and_both_make_the_manifest() -> None:
    whole = manifest()
    rest, secrets = without_secrets(whole)
    assert "s3cret" not in rest.sorted_json()
    assert "TOKEN=" in rest.sorted_json()
    assert "NAME" in rest.sorted_json()
    assert len(secrets) == 11
    read_again = read_manifest(rest.sorted_json().encode())
    assert with_secrets(read_again, secrets).hash() == whole.hash()


@pytest.mark.parametrize("change", [-1, 1])
def test_another_number_of_secrets_is_refused(change: int) -> None:
    rest, secrets = without_secrets(manifest())
    with pytest.raises(ManifestError, match="more secrets" if change < 0 else "fewer secrets"):
        with_secrets(rest, secrets[:-1] if change < 0 else (*secrets, "more"))

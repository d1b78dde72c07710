"""A file of the tenants branch: a manifest as it was accepted for one lease, with its secrets sealed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from reconciler.manifests.manifest import DeploymentManifest, read_manifest
from reconciler.values.ids import LeaseId, WorkloadId, workload_id

API_VERSION = "provider.virtengine.dev/v1alpha1"
KIND = "TenantManifest"
_KEYS = {
    "apiVersion": str,
    "kind": str,
    "lease": str,
    "group": str,
    "acceptedAt": int,
    "method": str,
    "manifestHash": str,
    "sealed": str,
}


class ManifestFileError(ValueError):
    """A file that this program does not write, with the reason."""


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """The manifest of a lease's deployment, of which the lease runs the `group`.

    `rest` is the manifest without its secrets, which `sealed` holds as a JSON list; `manifest_hash` is of
    both together. It was accepted at `accepted_at` (unix seconds), by `method`.
    """

    lease: LeaseId
    group: str
    manifest_hash: str
    rest: DeploymentManifest
    sealed: str
    accepted_at: int
    method: str


def manifest_path(id: WorkloadId) -> str:  # noqa: A002  # the values call it id too
    """`leases/3f/<id>.json`: 256 folders, so that a commit of one manifest stays small."""
    return f"leases/{hashlib.sha256(id.encode()).hexdigest()[:2]}/{id}.json"


def write_manifest_file(file: ManifestFile) -> bytes:
    """Its bytes, one value a line, so that git shows which part of a manifest changed."""
    tree: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "lease": str(file.lease),
        "group": file.group,
        "acceptedAt": file.accepted_at,
        "method": file.method,
        "manifestHash": file.manifest_hash,
        "sealed": file.sealed,
        "manifest": file.rest.to_json(),
    }
    return (json.dumps(tree, indent=1, ensure_ascii=False) + "\n").encode()


def read_manifest_file(path: str, content: bytes) -> ManifestFile:
    """The file at this path; ManifestFileError for any other content, ManifestError for its manifest's.

    Nothing of it is trusted before the hash of the manifest with its secrets was compared with the chain's.
    """
    try:
        tree = json.loads(content)
        values = [tree[key] for key in _KEYS]
        rest = json.dumps(tree["manifest"]).encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ManifestFileError(f"{path} is no file of an accepted manifest") from None
    is_typed = all(isinstance(value, kind) for value, kind in zip(values, _KEYS.values(), strict=True))
    if not is_typed or values[:2] != [API_VERSION, KIND]:
        raise ManifestFileError(f"{path} is no {KIND} of {API_VERSION}")
    _, _, lease_text, group, accepted_at, method, digest, sealed = values
    lease = _lease(path, lease_text)
    return ManifestFile(lease, group, digest, read_manifest(rest), sealed, accepted_at, method)


def _lease(path: str, text: str) -> LeaseId:
    try:
        lease = LeaseId.parse(text)
    except ValueError as error:
        raise ManifestFileError(f"{path}: {error}") from None
    if not lease.is_nameable or manifest_path(workload_id(lease)) != path:
        raise ManifestFileError(f"{path} is about another lease: {lease}")
    return lease

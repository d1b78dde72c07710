"""Pull secrets: a Secret with the registry's password for each service that has image credentials. Its
controller owns it, so that the cluster deletes it with the workload."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.adapters.kubernetes import naming, objects
from reconciler.adapters.kubernetes.pods import Rendering
from reconciler.adapters.kubernetes.views import object_meta
from reconciler.documents.typed_json import decode_json
from reconciler.values.specification import ImageCredentials

Manifest = dict[str, Any]


def owners_of(controllers: Sequence[Manifest], applied: Sequence[bytes]) -> dict[str, Manifest]:
    """By the name of the service: an owner reference to its controller, which the API server has applied."""
    found: dict[str, Manifest] = {}
    for controller, raw in zip(controllers, applied, strict=True):
        metadata = decode_json(raw, objects.PartialObject).metadata
        reference = {"apiVersion": controller["apiVersion"], "kind": controller["kind"]}
        found[object_meta(metadata).service] = reference | {"name": metadata.name, "uid": metadata.uid}
    return found


def pull_secrets(rendering: Rendering, owners: Mapping[str, Manifest] | None = None) -> Iterator[Manifest]:
    """The pull secrets; without `owners` before the controllers exist."""
    workload = rendering.workload
    for service in workload.services:
        if service.credentials is None:
            continue
        meta: Manifest = {
            "name": naming.pull_secret_name(workload.id, service.name),
            "namespace": rendering.namespace,
            "labels": naming.workload_labels(workload.id),
        }
        if owner := (owners or {}).get(service.name):
            meta["ownerReferences"] = [owner]
        yield {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": meta,
            "type": "kubernetes.io/dockerconfigjson",
            "data": {".dockerconfigjson": _docker_config(service.credentials)},
        }


def _docker_config(given: ImageCredentials) -> str:
    auth = base64.b64encode(f"{given.username}:{given.password}".encode()).decode()
    entry = {"username": given.username, "password": given.password, "auth": auth}
    if given.email:
        entry["email"] = given.email
    document = json.dumps({"auths": {given.host: entry}})
    return base64.b64encode(document.encode()).decode()

"""Reads recorded SDL files and manifests, and compares the outcome with the reference parser's."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.message import Message

from reconciler.chain.proto import deployment_v1beta4_pb2 as deployment_pb2
from reconciler.chain.wire_values import offer_of
from reconciler.manifests.errors import ManifestError
from reconciler.manifests.go_text import DECIMAL_PLACES, decimal_text
from reconciler.manifests.groups import GroupSpec
from reconciler.manifests.manifest import DeploymentManifest, read_manifest
from reconciler.manifests.manifest_checks import check_against_groups, check_manifest
from reconciler.manifests.sdl_groups import SdlDeployment, read_deployment
from reconciler.values.resources import Attribute, ResourceUnit
from tests.replay.comparing import differences
from tests.replay.replaying import Difference, Report

Vector = dict[str, Any]
PANIC = "panic: "
FEWER_VOLUMES = "fewer volumes than the group has: the reference lets them pass, here they are refused"
"""The one deviation: a manifest must have what was ordered, although only its tenant would be wronged."""


def vectors_of(path: Path) -> list[Vector]:
    """The lines of a file, or the entries of a list."""
    text = path.read_text()
    return json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]


def replay_sdl(path: Path) -> Report:
    """Read each SDL file of a recording."""
    report = Report(path.stem)
    for number, vector in enumerate(vectors_of(path)):
        _count(report, number, vector, _sdl_lines(vector))
    return report


def replay_manifests(path: Path) -> Report:
    """Read each body of a recording; the first line holds the published deployment."""
    head, *vectors = vectors_of(path)
    published = read_deployment(head["published"]["sdl"].encode())
    report = Report(path.stem)
    _count(report, 0, head["published"], _sdl_lines(head["published"]))
    for number, vector in enumerate(vectors, 1):
        _count(report, number, vector, _body_lines(vector, published, report.notes))
    return report


def _count(report: Report, number: int, vector: Vector, lines: Iterator[str]) -> None:
    name = vector.get("name") or vector.get("file") or "published"
    report.compared += 1
    report.differences.extend(Difference(report.file, number, f"{name}: {line}") for line in lines)


def _sdl_lines(vector: Vector) -> Iterator[str]:
    try:
        deployment = read_deployment(vector["sdl"].encode())
    except ManifestError as error:
        yield from _refusal_lines(str(error), vector.get("error", ""), vector)
        yield from _typescript_lines(vector.get("typescript", {}))
        return
    if "error" in vector:
        yield f"accepted here, recorded {vector['error']!r}"
        return
    has_other_order = deployment.manifest.hash() != vector["hash"]
    if has_other_order and deployment.manifest.hash() not in vector.get("varies", ()):
        yield f"hash {deployment.manifest.hash()} here, recorded {vector['hash']}"
    if "manifest" in vector and not has_other_order:
        yield from differences({"v": vector["manifest"]}, {"v": deployment.manifest.to_json()}, "manifest")
    yield from _group_lines(vector, deployment)
    yield from _typescript_lines(vector.get("typescript", {}))


def _refusal_lines(error: str, recorded: str, vector: Vector) -> Iterator[str]:
    """A panic of the reference is any refusal here."""
    if not recorded:
        yield f"refused here: {error}"
    elif error not in (recorded, *vector.get("varies", ())) and not recorded.startswith(PANIC):
        yield f"{error!r} here, recorded {recorded!r}"


def _group_lines(vector: Vector, deployment: SdlDeployment) -> Iterator[str]:
    groups = [_group_json(group) for group in deployment.groups]
    yield from differences({"v": vector["groups"]}, {"v": groups}, "groups")
    for recorded, group in zip(vector.get("groups_hex", ()), deployment.groups, strict=False):
        if recorded != _group_message(group).SerializeToString().hex():
            yield f"group {group.name} has other bytes"
    against = _outcome(lambda: check_against_groups(deployment.manifest, deployment.groups))
    if against != vector.get("manifest_against_groups", "ok"):
        yield f"against the groups: {against}"


def _typescript_lines(vector: Vector) -> Iterator[str]:
    """A manifest that the TypeScript library made, as a provider reads it."""
    if "manifest_sorted_json" not in vector:
        return
    body = vector["manifest_sorted_json"]
    body = body if isinstance(body, str) else json.dumps(body)
    try:
        manifest = read_manifest(body.encode())
    except ManifestError as error:
        if str(error) != vector.get("read_by_go"):
            yield f"of TypeScript: {error}, recorded {vector.get('read_by_go')}"
        return
    found = (manifest.hash(), _outcome(lambda: check_manifest(manifest)))
    if found != (vector.get("hash_after_go_struct"), vector.get("go_validation")):
        yield f"of TypeScript: {found}"


def _body_lines(vector: Vector, published: SdlDeployment, notes: list[str]) -> Iterator[str]:
    body = (
        base64.b64decode(vector["body_base64"])
        if "body_base64" in vector
        else vector.get("body", "").encode()
    )
    try:
        manifest = read_manifest(body)
    except ManifestError as error:
        if vector["decode"] != str(error) and PANIC not in vector["decode"]:
            yield f"decoded: {str(error)!r} here, recorded {vector['decode']!r}"
        return
    if vector["decode"] != "ok" and PANIC not in vector["decode"]:
        yield f"decoded here, recorded {vector['decode']!r}"
        return
    if PANIC in vector["decode"]:
        against = _outcome(lambda: check_against_groups(manifest, published.groups))
        if against == "ok":
            yield f"accepted here, recorded {vector['decode']!r}"
        return
    yield from _manifest_lines(vector, manifest, published)
    against = _outcome(lambda: check_against_groups(manifest, published.groups))
    if against == vector["against_groups"]:
        return
    if vector["against_groups"] == "ok" and _has_fewer_volumes(manifest, published.groups):
        notes.append(f"{vector['name']}: {FEWER_VOLUMES}")
    else:
        yield f"against the groups: {against!r} here, recorded {vector['against_groups']!r}"


def _manifest_lines(vector: Vector, manifest: DeploymentManifest, published: SdlDeployment) -> Iterator[str]:
    if manifest.hash() != vector["hash"]:
        yield f"hash {manifest.hash()} here, recorded {vector['hash']}"
    if (manifest.hash() == published.manifest.hash()) != vector["hash_is_the_published_one"]:
        yield "is the published manifest here or there only"
    if vector.get("sorted_json") and vector["sorted_json"] != manifest.sorted_json():
        yield "has other sorted JSON"
    if (valid := _outcome(lambda: check_manifest(manifest))) != vector["validate"]:
        yield f"validated: {valid!r} here, recorded {vector['validate']!r}"


def _has_fewer_volumes(manifest: DeploymentManifest, groups: tuple[GroupSpec, ...]) -> bool:
    sizes = {(group.name, unit.id): len(unit.storage) for group in groups for unit in group.units}
    return any(
        len(service.resources.storage or ()) < sizes.get((group.name, service.resources.id), 0)
        for group in manifest.groups or ()
        for service in group.services or ()
    )


def _outcome(check: Any) -> str:
    try:
        check()
    except ManifestError as error:
        return str(error)
    return "ok"


def _attributes_json(attributes: tuple[Attribute, ...]) -> list[dict[str, str]] | None:
    return [{"key": key, "value": value} for key, value in attributes] or None


def _with_attributes(fields: Vector, attributes: tuple[Attribute, ...]) -> Vector:
    listed = _attributes_json(attributes)
    return fields | ({"attributes": listed} if listed else {})


def _group_json(group: GroupSpec) -> Vector:
    signed_by = {"all_of": list(group.signed_by_all) or None, "any_of": list(group.signed_by_any) or None}
    return {
        "name": group.name,
        "requirements": {"signed_by": signed_by, "attributes": _attributes_json(group.attributes)},
        "resources": [_unit_json(unit) for unit in group.units],
    }


def _unit_json(unit: ResourceUnit) -> Vector:
    endpoints = [
        ({"kind": each.kind} if each.kind else {}) | {"sequence_number": each.sequence_number}
        for each in unit.endpoints
    ]
    resource = {
        "id": unit.id,
        "cpu": _with_attributes({"units": {"val": str(unit.cpu_milli)}}, unit.cpu_attributes),
        "memory": _with_attributes({"size": {"val": str(unit.memory_bytes)}}, unit.memory_attributes),
        "storage": [
            _with_attributes(
                {"name": volume.name, "size": {"val": str(volume.size_bytes)}}, volume.attributes
            )
            for volume in unit.storage
        ],
        "gpu": _with_attributes({"units": {"val": str(unit.gpu)}}, unit.gpu_attributes),
        "endpoints": endpoints,
    }
    price = {"denom": unit.denom, "amount": decimal_text(unit.price)}
    return {"resource": resource, "count": unit.count, "price": price}


def _group_message(group: GroupSpec) -> Message:
    message = deployment_pb2.GroupSpec(name=group.name)
    message.requirements.signed_by.all_of.extend(group.signed_by_all)
    message.requirements.signed_by.any_of.extend(group.signed_by_any)
    for key, value in group.attributes:
        message.requirements.attributes.add(key=key, value=value)
    for unit in group.units:
        wire = message.resources.add(count=unit.count)
        wire.resource.CopyFrom(offer_of(unit).resources)
        wire.price.denom = unit.denom
        wire.price.amount = str(int(unit.price.scaleb(DECIMAL_PLACES)))
    return message

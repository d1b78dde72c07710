"""The simulated API server's discovery: versions, groups, resources and a stub of OpenAPI."""

from __future__ import annotations

from reconciler.devnet.cluster.kinds import GROUPS, KINDS, Object, ObjectKind

VERSION = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.0-simulated",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "none: this is a simulator",
    "compiler": "none",
    "platform": "simulated/none",
}
_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_APPLY = ("application/json", "application/merge-patch+json", "application/apply-patch+yaml")


def document(path: str) -> Object | str | None:
    """The discovery document at a path; None if there is none."""
    match path.strip("/").split("/"):
        case ["version"]:
            return VERSION
        case ["healthz" | "readyz" | "livez"]:
            return "ok"
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case ["apis"]:
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in GROUPS]}
        case ["apis", group] if group in GROUPS:
            return {"kind": "APIGroup", "apiVersion": "v1"} | _group(group)
        case ["api", "v1"]:
            return _resources("")
        case ["apis", group, "v1"] if group in GROUPS:
            return _resources(group)
        case ["openapi", "v3"]:
            names = ("api/v1", *(f"apis/{group}/v1" for group in GROUPS))
            return {"paths": {at: {"serverRelativeURL": f"/openapi/v3/{at}"} for at in names}}
        case ["openapi", "v3", "api", "v1"]:
            return _openapi("")
        case ["openapi", "v3", "apis", group, "v1"] if group in GROUPS:
            return _openapi(group)
        case _:
            return None


def _group(name: str) -> Object:
    version = {"groupVersion": f"{name}/v1", "version": "v1"}
    return {"name": name, "versions": [version], "preferredVersion": version}


def _resources(group: str) -> Object:
    listed = []
    for kind in KINDS:
        if kind.group == group:
            entry = {
                "name": kind.plural,
                "singularName": kind.name.lower(),
                "namespaced": kind.namespaced,
                "kind": kind.name,
            }
            listed.append(
                entry | {"verbs": _VERBS, "shortNames": list(kind.short), "categories": list(kind.categories)}
            )
            listed += [_part(kind, part) for part in kind.subresources]
    version = f"{group}/v1" if group else "v1"
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": listed}


def _part(kind: ObjectKind, part: str) -> Object:
    entry = {
        "name": f"{kind.plural}/{part}",
        "singularName": "",
        "namespaced": kind.namespaced,
        "kind": kind.name,
    }
    if part == "scale":
        return entry | {
            "group": "autoscaling",
            "version": "v1",
            "kind": "Scale",
            "verbs": ["get", "patch", "update"],
        }
    return entry | {"verbs": ["get"] if part == "log" else ["get", "patch", "update"]}


def _openapi(group: str) -> Object:
    """The part that kubectl reads: a patch has `fieldValidation`, so the server validates."""
    paths = {}
    for kind in KINDS:
        if kind.group == group:
            version = {"group": group, "version": "v1", "kind": kind.name}
            parameters = [
                {"name": name, "in": "query", "schema": {"type": "string"}}
                for name in ("fieldValidation", "dryRun")
            ]
            patch = {
                "x-kubernetes-group-version-kind": version,
                "x-kubernetes-action": "patch",
                "parameters": parameters,
            }
            patch["requestBody"] = {"content": {each: {"schema": {"type": "object"}} for each in _APPLY}}
            prefix = f"/apis/{group}/v1" if group else "/api/v1"
            space = "/namespaces/{namespace}" if kind.namespaced else ""
            paths[f"{prefix}{space}/{kind.plural}/{{name}}"] = {"patch": patch}
    head = {"openapi": "3.0.0", "info": {"title": "Simulated Kubernetes", "version": "v1.36.0"}}
    return head | {"paths": paths, "components": {"schemas": {}}}

"""The permissions that the adapter uses, and which of them the cluster denies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.adapters.kubernetes.client import ApiClient

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, slots=True)
class Permission:
    """A verb on a resource (`pods/log` is a subresource); `everywhere`: in all namespaces, not ours alone."""

    verb: str
    resource: str
    group: str = ""
    everywhere: bool = False

    def describe(self) -> str:
        """Such as `list pods.metrics.k8s.io`."""
        named = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {named}{' in all namespaces' if self.everywhere else ''}"


def _permissions(
    verbs: str, resource: str, group: str = "", everywhere: bool = False
) -> Iterator[Permission]:
    yield from (Permission(verb, resource, group, everywhere) for verb in verbs.split())


REQUIRED_PERMISSIONS: tuple[Permission, ...] = (
    *_permissions("get list watch create patch delete", "deployments", "apps"),
    *_permissions("get list watch create patch delete", "services"),
    *_permissions("get list watch create patch delete", "networkpolicies", "networking.k8s.io"),
    *_permissions("list delete", "replicasets", "apps"),
    *_permissions("get list watch delete", "pods"),
    *_permissions("get", "pods/log"),
    *_permissions("list", "events"),
    *_permissions("get list watch create patch", "resourcequotas"),
    *_permissions("list watch", "pods", everywhere=True),
    *_permissions("list watch", "nodes", everywhere=True),
    *_permissions("get", "namespaces"),
)
"""Server-side apply may create, so it needs create and patch."""

OPTIONAL_PERMISSIONS: tuple[Permission, ...] = (
    *_permissions("patch", "namespaces"),
    *_permissions("create", "namespaces", everywhere=True),
    *_permissions("list", "pods", "metrics.k8s.io"),
)
"""Without these, an administrator creates the namespace, and usage shows what pods request."""


def denied_permissions(
    client: ApiClient, namespace: str, permissions: tuple[Permission, ...] = REQUIRED_PERMISSIONS
) -> tuple[Permission, ...]:
    """The permissions that the cluster denies us; ApiError if it does not answer."""
    return tuple(each for each in permissions if not _is_granted(client, namespace, each))


def _is_granted(client: ApiClient, namespace: str, permission: Permission) -> bool:
    resource, _, subresource = permission.resource.partition("/")
    attributes = {"verb": permission.verb, "resource": resource, "group": permission.group}
    attributes |= {"subresource": subresource} if subresource else {}
    attributes |= {} if permission.everywhere else {"namespace": namespace}
    attributes |= {"name": namespace} if resource == "namespaces" and not permission.everywhere else {}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    status = json.loads(client.create(REVIEWS, review)).get("status") or {}
    return status.get("allowed") is True

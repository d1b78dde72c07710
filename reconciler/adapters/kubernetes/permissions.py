"""The rights that the adapter uses, and which of them the cluster grants us."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.adapters.kubernetes.client import ApiClient

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, slots=True)
class Right:
    """One verb on one resource (`pods/log` is a subresource); `everywhere`: not in our namespace alone."""

    verb: str
    resource: str
    group: str = ""
    everywhere: bool = False

    def show(self) -> str:
        """In an operator's words."""
        named = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {named}{' in all namespaces' if self.everywhere else ''}"


def _rights(verbs: str, resource: str, group: str = "", everywhere: bool = False) -> Iterator[Right]:
    yield from (Right(verb, resource, group, everywhere) for verb in verbs.split())


RIGHTS: tuple[Right, ...] = (
    *_rights("get list watch create patch delete", "deployments", "apps"),
    *_rights("get list watch create patch delete", "services"),
    *_rights("get list watch create patch delete", "networkpolicies", "networking.k8s.io"),
    *_rights("list delete", "replicasets", "apps"),
    *_rights("get list watch delete", "pods"),
    *_rights("get", "pods/log"),
    *_rights("list", "events"),
    *_rights("get list watch create patch", "resourcequotas"),
    *_rights("list watch", "pods", everywhere=True),
    *_rights("list watch", "nodes", everywhere=True),
    *_rights("get", "namespaces"),
)
"""What the daemon cannot do without. Server-side apply creates, so it needs both create and patch."""

WISHES: tuple[Right, ...] = (
    *_rights("patch", "namespaces"),
    *_rights("create", "namespaces", everywhere=True),
    *_rights("list", "pods", "metrics.k8s.io"),
)
"""What it does without: an administrator makes the namespace, metrics are what pods request."""


def refused(client: ApiClient, namespace: str, rights: tuple[Right, ...] = RIGHTS) -> tuple[Right, ...]:
    """The rights that the cluster does not grant us; an ApiError where it does not say."""
    return tuple(right for right in rights if not _is_granted(client, namespace, right))


def _is_granted(client: ApiClient, namespace: str, right: Right) -> bool:
    resource, _, subresource = right.resource.partition("/")
    asked = {"verb": right.verb, "resource": resource, "group": right.group}
    asked |= {"subresource": subresource} if subresource else {}
    asked |= {} if right.everywhere else {"namespace": namespace}
    asked |= {"name": namespace} if resource == "namespaces" and not right.everywhere else {}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    status = json.loads(client.create(REVIEWS, review)).get("status") or {}
    return status.get("allowed") is True

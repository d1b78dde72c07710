"""The permissions that the adapter uses, and which of them the cluster denies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.adapters.kubernetes.client import ApiClient
from reconciler.values.clusters import IngressController, KubernetesSettings, LeaseIsolation

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


INGRESS_RESOURCES = {
    IngressController.NGINX: ("ingresses", "networking.k8s.io"),
    IngressController.GATEWAY: ("httproutes", "gateway.networking.k8s.io"),
}


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


def ingress_permissions(controller: IngressController, isolation: LeaseIsolation) -> tuple[Permission, ...]:
    """What host names need beside all else."""
    resource, group = INGRESS_RESOURCES[controller]
    verbs = "get list watch create patch delete"
    return tuple(_permissions(verbs, resource, group, isolation is LeaseIsolation.NAMESPACE))


def permissions_of(settings: KubernetesSettings) -> tuple[Permission, ...]:
    """What an adapter with these settings needs."""
    found, ingress = required_permissions(settings.isolation), settings.ingress
    return (*found, *(ingress_permissions(ingress.controller, settings.isolation) if ingress else ()))


def required_permissions(isolation: LeaseIsolation) -> tuple[Permission, ...]:
    """What the adapter needs. Server-side apply may create, so it needs create and patch. Workloads with a
    namespace each need them in all namespaces, and namespaces; a Secret is read in the namespace for all.
    """
    everywhere = isolation is LeaseIsolation.NAMESPACE
    found = (
        *_permissions("get list watch create patch delete", "deployments", "apps", everywhere),
        *_permissions("get list watch create patch delete", "statefulsets", "apps", everywhere),
        *_permissions("get list watch patch delete", "persistentvolumeclaims", "", everywhere),
        *_permissions("get list watch create patch delete", "services", "", everywhere),
        *_permissions(
            "get list watch create patch delete", "networkpolicies", "networking.k8s.io", everywhere
        ),
        *_permissions("list delete", "replicasets", "apps", everywhere),
        *_permissions("get", "pods/log", "", everywhere),
        *_permissions("list", "events", "", everywhere),
        *_permissions("get list watch create patch", "resourcequotas", "", everywhere),
        *_permissions("get list watch create patch", "limitranges", "", everywhere),
        *_permissions("list watch", "pods", everywhere=True),
        *_permissions("list watch", "nodes", everywhere=True),
        *_permissions("list watch", "storageclasses", "storage.k8s.io", everywhere=True),
        *_permissions("create patch", "secrets", "", everywhere),
    )
    if everywhere:
        return (
            *found,
            *_permissions("get delete", "pods", everywhere=True),
            *_permissions("get list watch create patch delete", "namespaces", everywhere=True),
            *_permissions("get", "secrets"),
        )
    return (*found, *_permissions("get list watch delete", "pods"), *_permissions("get", "namespaces"))


def optional_permissions(isolation: LeaseIsolation) -> tuple[Permission, ...]:
    """Without these, an administrator creates the namespace, usage shows what pods request, ranges of
    Services are denied only if they are private, and quotas of leases lack the overhead of a RuntimeClass.
    """
    everywhere = isolation is LeaseIsolation.NAMESPACE
    found = (
        *_permissions("list", "pods", "metrics.k8s.io", everywhere),
        *_permissions("list", "servicecidrs", "networking.k8s.io", everywhere=True),
    )
    if everywhere:
        return (*found, *_permissions("get", "runtimeclasses", "node.k8s.io", everywhere=True))
    create = _permissions("create", "namespaces", everywhere=True)
    return (*_permissions("patch", "namespaces"), *create, *found)


def denied_permissions(
    client: ApiClient, namespace: str, permissions: tuple[Permission, ...]
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

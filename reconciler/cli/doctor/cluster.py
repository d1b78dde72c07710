"""`doctor`, checks of a Kubernetes cluster."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.adapters.kubernetes.api_errors import ApiError, advice_of
from reconciler.adapters.kubernetes.client import METADATA_ONLY, ApiClient
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig, KubeconfigError
from reconciler.adapters.kubernetes.objects import ObjectList
from reconciler.adapters.kubernetes.permissions import (
    denied_permissions,
    optional_permissions,
    permissions_of,
)
from reconciler.cli.doctor.checks import CheckResult, ok, warn, wrong
from reconciler.cli.doctor.leftovers import check_leftovers
from reconciler.documents.typed_json import decode_json
from reconciler.planning.revisions.adapter_grants import start_denial
from reconciler.values.adapters import KUBERNETES
from reconciler.values.clusters import (
    IngressController,
    IngressSettings,
    KubernetesSettings,
    NetworkPolicyController,
)

INGRESS_CLASSES = "/apis/networking.k8s.io/v1/ingressclasses"
GATEWAYS = "/apis/gateway.networking.k8s.io/v1"
SHOWN = 5
"""Of permissions in a message."""

CONTROLLER_PODS = {
    NetworkPolicyController.CALICO: "k8s-app in (calico-node,canal)",
    NetworkPolicyController.CILIUM: "k8s-app=cilium",
    NetworkPolicyController.ANTREA: "app=antrea,component=antrea-agent",
    NetworkPolicyController.KUBE_ROUTER: "k8s-app=kube-router",
}
"""The labels of each controller's pods, in its own manifests and charts."""


def check_cluster(
    access: Kubeconfig | None, wanted: KubernetesSettings, *, others: bool = False
) -> Iterator[CheckResult]:
    """Checks that the cluster responds and permits what the adapter does; none is needed beside `others`."""
    if access is None and others:
        yield ok("cluster", "no kubeconfig is named; workloads run on other adapters")
        return
    if access is None:
        why = "no kubeconfig is named, so nothing runs and nothing is bid"
        yield wrong("cluster", why, f"name it in the host file: adapters.{KUBERNETES}.kubeconfig")
        return
    client = ApiClient(access)
    try:
        client.get("/version", {})
        yield ok("cluster", f"{client.server} responds")
        yield from _rights(client, wanted)
        yield _network(client, access.name, wanted)
        if wanted.ingress:
            yield _ingress(client, wanted.ingress)
        yield from check_leftovers(client, wanted)
    except ApiError as error:
        if isinstance(error.__cause__, KubeconfigError):
            yield wrong("cluster", str(error), f"check adapters.{access.name}.kubeconfig in the host file")
            return
        yield wrong("cluster", f"{client.server}: {error}", advice_of(error) or "check the cluster's logs")
    finally:
        client.close()


def _rights(client: ApiClient, wanted: KubernetesSettings) -> Iterator[CheckResult]:
    namespace, needed = wanted.namespace, permissions_of(wanted)
    try:
        lacking = denied_permissions(client, namespace, needed)
        wishes = denied_permissions(client, namespace, optional_permissions(wanted.isolation))
    except ApiError as error:
        if error.status != 404:
            raise
        yield warn("rights", "this cluster cannot list permissions", "the first cycle reports missing ones")
        return
    if lacking:
        shown = ", ".join(right.describe() for right in lacking[:SHOWN])
        more = f" and {len(lacking) - SHOWN} more" if len(lacking) > SHOWN else ""
        why = f"missing permissions in {namespace}: {shown}{more}"
        yield wrong("rights", why, "grant it as docs/service/kubernetes.yaml does")
        return
    yield ok("rights", f"all {len(needed)} that are needed in {namespace}")
    if wishes:
        shown = ", ".join(right.describe() for right in wishes)
        yield warn(
            "rights",
            f"missing optional permissions: {shown}",
            "fine if the namespace already exists",
        )


def _ingress(client: ApiClient, ingress: IngressSettings) -> CheckResult:
    """Whether the IngressClass or Gateway exists that the host names of tenants need."""
    if ingress.controller is IngressController.NGINX:
        path, what = f"{INGRESS_CLASSES}/{ingress.name}", f"IngressClass {ingress.name}"
    else:
        path = f"{GATEWAYS}/namespaces/{ingress.namespace}/gateways/{ingress.name}"
        what = f"Gateway {ingress.namespace}/{ingress.name}"
    try:
        client.get(path, {}, METADATA_ONLY)
    except ApiError as error:
        if error.status == 403:
            why = f"whether {what} exists is not known"
            return warn("ingress", why, "grant it as docs/service/kubernetes-ingress.yaml does")
        if error.status != 404:
            raise
        why = f"{what} does not exist, so no host name is reached"
        return wrong("ingress", why, "install the controller, or correct `ingress` in the adapter's file")
    return ok("ingress", f"{what} exists; host names are generated in {ingress.domain}")


def _network(client: ApiClient, adapter: str, wanted: KubernetesSettings) -> CheckResult:
    """Whether pods of the controller that enforces NetworkPolicies are in the cluster."""
    named = wanted.network_policy
    if named is None:
        why, _, advice = start_denial(adapter, wanted).partition("; ")
        return wrong("network", why, advice)
    if named is NetworkPolicyController.NOT_ENFORCED:
        why = "nothing enforces NetworkPolicies, so tenants reach each other and your network"
        return warn("network", why, "install a controller, and name it in network_policy")
    if named is NetworkPolicyController.OTHER:
        return ok("network", "NetworkPolicies are enforced by a controller that is not checked here")
    selector = CONTROLLER_PODS[named]
    found = client.get("/api/v1/pods", {"labelSelector": selector, "limit": "1"}, METADATA_ONLY)
    if decode_json(found, ObjectList).items:
        return ok("network", f"{named} enforces NetworkPolicies")
    why = f"network_policy is {named}, but the cluster has no pods with {selector}: nothing may enforce them"
    return wrong("network", why, "install it; or write other, if it is built in or labelled otherwise")

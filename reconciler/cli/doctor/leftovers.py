"""`doctor`, objects in a cluster that no adapter of this program manages now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.adapters.kubernetes import naming
from reconciler.adapters.kubernetes.api_errors import ApiError
from reconciler.adapters.kubernetes.client import METADATA_ONLY, ApiClient
from reconciler.adapters.kubernetes.ingress import KIND_OF
from reconciler.adapters.kubernetes.objects import Metadata, ObjectList, PartialObject
from reconciler.adapters.kubernetes.views import clean_name
from reconciler.cli.doctor.checks import CheckResult, ok, warn
from reconciler.documents.typed_json import decode_json
from reconciler.values.clusters import KubernetesSettings, LeaseIsolation

SHOWN = 5
"""Objects in a message."""
PAGE = "500"
FOREIGN = f"{naming.MANAGED_BY}!={naming.MANAGER}"
FOREIGN_KINDS = ("deployment", "service", "networkpolicy")
"""Of these, an object of somebody else in the namespace of workloads may open what is closed."""


def check_leftovers(client: ApiClient, wanted: KubernetesSettings) -> Iterator[CheckResult]:
    """Our objects in places and of kinds that the adapter's file no longer names, and foreign ones in the
    namespace of workloads; what may not be listed is left out.
    """
    former = [*_former_namespaces(client, wanted), *_former_kinds(client, wanted)]
    if former:
        why = f"objects of earlier settings, or of another provider: {_shown(former)}"
        yield warn("leftovers", why, "they go with their leases; or delete them with kubectl")
    foreign = [
        f"{kind}/{each.name}"
        for kind in FOREIGN_KINDS
        for each in _listed(client, naming.object_path(naming.PLURALS[kind], wanted.namespace, ""), FOREIGN)
    ]
    if foreign:
        why = f"objects in {wanted.namespace} that are not ours: {_shown(foreign)}"
        yield warn("leftovers", why, "remove them; the namespace is for workloads alone")
    if not former and not foreign:
        yield ok("leftovers", f"none in {wanted.namespace}, and no pods of workloads elsewhere")


def _former_namespaces(client: ApiClient, wanted: KubernetesSettings) -> Iterator[str]:
    """Namespaces with our pods that this adapter does not use."""
    is_per_lease = wanted.isolation is LeaseIsolation.NAMESPACE
    found = {
        each.namespace
        for each in _listed(client, "/api/v1/pods", naming.OURS)
        if not (is_per_lease and (each.labels or {}).get(naming.WORKLOAD) == each.namespace)
    }
    yield from (f"namespace/{name}" for name in sorted(found - {wanted.namespace}))


def _former_kinds(client: ApiClient, wanted: KubernetesSettings) -> Iterator[str]:
    """Our Ingresses and HTTPRoutes, if the adapter's file has another controller, or none."""
    for controller, kind in KIND_OF.items():
        if wanted.ingress is None or wanted.ingress.controller is not controller:
            path = naming.object_path(naming.PLURALS[kind], wanted.namespace, "")
            yield from (f"{kind}/{each.name}" for each in _listed(client, path, naming.OURS))


def _listed(client: ApiClient, path: str, selector: str) -> Iterator[Metadata]:
    """The first page; nothing if the API or the permission is missing."""
    try:
        raw = client.get(path, {"labelSelector": selector, "limit": PAGE}, METADATA_ONLY)
    except ApiError as error:
        if error.status not in (403, 404):
            raise
        return
    for item in decode_json(raw, ObjectList).items or ():
        yield decode_json(item, PartialObject).metadata


def _shown(names: Iterable[str]) -> str:
    listed = [clean_name(each) for each in names]
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more

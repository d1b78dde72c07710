"""Objects as a cluster returns them."""

from __future__ import annotations

import json
from typing import Any

from reconciler.adapters.kubernetes.manifests import controller_manifests, policy_manifests, service_manifests
from reconciler.adapters.kubernetes.namespaces import Namespaces
from reconciler.adapters.kubernetes.pods import Rendering
from reconciler.values.clusters import KubernetesSettings
from reconciler.values.desired import Workload

SPACE = "provider-workloads"
Object = dict[str, Any]


def rendering(workload: Workload, digest: str = "d", nodes: bool = False, **settings: Any) -> Rendering:
    """As an adapter with these settings renders it; `nodes` have user namespaces."""
    made = KubernetesSettings(**settings)
    handlers = frozenset({made.runtime_class} if nodes else ())
    return Rendering(Namespaces.of_settings(made).home(workload.id), workload, digest, made, handlers)


def raw(found: Object) -> bytes:
    return json.dumps(found).encode()


def deployments(workload: Workload, digest: str = "d", ready: bool = True) -> list[Object]:
    """Rolled out, or (not `ready`) just created."""
    found = controller_manifests(rendering(workload, digest), {})
    for each in found:
        count = each["spec"]["replicas"]
        each["metadata"] |= {"uid": "u", "generation": 1, "resourceVersion": "1"}
        each["status"] = {"observedGeneration": 1}
        if ready:
            each["status"] |= {"readyReplicas": count, "updatedReplicas": count, "replicas": count}
    return found


def services(workload: Workload, digest: str = "d") -> list[Object]:
    return service_manifests(rendering(workload, digest))


def policies(workload: Workload, digest: str = "d") -> list[Object]:
    return policy_manifests(rendering(workload, digest))


def pod(deployment: Object, name: str = "p", ready: bool = True, **state: Any) -> Object:
    """A pod of a Deployment; `state` is its container's waiting state, if any."""
    template = deployment["spec"]["template"]
    container = template["spec"]["containers"][0]
    status = {"name": container["name"], "image": container["image"], "ready": ready, "restartCount": 0}
    status["state"] = {"waiting": state} if state else {"running": {}}
    condition = {"type": "Ready", "status": str(ready)}
    return {
        "metadata": template["metadata"] | {"name": name, "namespace": SPACE, "uid": name},
        "spec": template["spec"] | {"nodeName": "node-0"},
        "status": {"phase": "Running", "conditions": [condition], "containerStatuses": [status]},
    }

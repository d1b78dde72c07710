"""The simulated load balancer, ingress controller and Gateway: the statuses of what they serve."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from reconciler.devnet.cluster.kinds import Object

ROUTED = ("services", "ingresses", "httproutes")
"""What is reached from outside."""
INGRESS_ADDRESS = "198.51.100.255"
SHARED = "metallb.io/allow-shared-ip"
"""Services with one value of this annotation share an address."""


def service_status(service: Object) -> Object:
    """The status of a Service: an address of 198.51.100.0/24 for a load balancer, else none."""
    if service["spec"]["type"] != "LoadBalancer":
        return {"loadBalancer": {}}
    meta = service["metadata"]
    shared = meta.get("annotations", {}).get(SHARED)
    key = shared or f"{meta['namespace']}/{meta['name']}"
    last = hashlib.sha256(key.encode()).digest()[0] % 254 + 1
    return {"loadBalancer": {"ingress": [{"ip": f"198.51.100.{last}"}]}}


def ingress_status(ingress: Object, classes: Sequence[Object]) -> Object:
    """The address of the ingress controller, if its class exists."""
    names = {each["metadata"]["name"] for each in classes}
    served = ingress["spec"].get("ingressClassName") in names
    return {"loadBalancer": {"ingress": [{"ip": INGRESS_ADDRESS}]} if served else {}}


def route_status(route: Object, gateways: Sequence[Object]) -> Object:
    """Whether each parent of an HTTPRoute exists."""
    there = {(each["metadata"]["namespace"], each["metadata"]["name"]) for each in gateways}
    parents = []
    for ref in route["spec"].get("parentRefs", ()):
        is_there = (ref.get("namespace", route["metadata"]["namespace"]), ref["name"]) in there
        reason = "Accepted" if is_there else "NoMatchingParent"
        condition = {"type": "Accepted", "status": str(is_there), "reason": reason, "message": ""}
        parents.append({"parentRef": ref, "conditions": [condition]})
    return {"parents": parents}

"""The simulated load balancer: an address for each Service of that type, as MetalLB assigns it."""

from __future__ import annotations

import hashlib

from reconciler.devnet.cluster.kinds import Object

SHARED = "metallb.io/allow-shared-ip"
"""Services with one value of this annotation share an address."""


def service_status(service: Object) -> Object:
    """The status of a Service: an address of 198.51.100.0/24 for a load balancer, else none."""
    if service["spec"]["type"] != "LoadBalancer":
        return {"loadBalancer": {}}
    meta = service["metadata"]
    shared = meta.get("annotations", {}).get(SHARED, "")
    key = f"{meta['namespace']}/{shared or meta['name']}"
    last = hashlib.sha256(key.encode()).digest()[0] % 254 + 1
    return {"loadBalancer": {"ingress": [{"ip": f"198.51.100.{last}"}]}}

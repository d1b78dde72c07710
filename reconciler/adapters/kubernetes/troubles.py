"""Why a workload is not ready, in words that stay the same while the cause does; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from reconciler.adapters.kubernetes.views import EVICTED, ContainerView, ControllerView, PartView, PodView
from reconciler.values.observed import Trouble

RESTARTS_MAX = 2
EVICTIONS_MIN = 2
"""Evicted pods of a service from which on they are a trouble."""

ACCOUNT_MISSING = "error looking up service account"
"""Of a pod that the cluster creates again: a new namespace has its service account a moment later."""

_PULL = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"}
_CONFIG = "CreateContainerConfigError"
_RUNTIME = {"CreateContainerError": "create", "RunContainerError": "start"}
"""What the container runtime cannot do. Its message quotes the command, which may contain a secret."""


def workload_trouble(controllers: Sequence[ControllerView], pods: Sequence[PodView]) -> Trouble | None:
    """The most important trouble; None if the workload is ready or still starting.

    Failing containers come before missing pods, and missing pods before unschedulable ones, which waiting may
    cure; pods of the current specification come before those that a rollout ends.
    """
    current = {(each.meta.service, each.meta.spec_hash) for each in controllers}
    unready = [pod for pod in pods if not pod.ready and not pod.meta.deleting and not pod.finished]
    unready.sort(key=lambda pod: ((pod.meta.service, pod.meta.spec_hash) not in current, pod.meta.name))
    for pod in unready:
        for container in pod.containers:
            if found := _container_trouble(pod.meta.service, container):
                return found
    for controller in controllers:
        if controller.failure and ACCOUNT_MISSING not in controller.failure:
            return _replica_failure(controller.failure)
    for pod in unready:
        if "volume" in pod.unschedulable.lower():
            advice = "Check its StorageClass and provisioner: kubectl describe pvc in its namespace"
            return Trouble("VolumePending", f"service {pod.meta.service}: {pod.unschedulable}", advice)
        if pod.unschedulable:
            advice = "Free or add capacity: kubectl describe nodes; no node has room for what the lease asks"
            return Trouble("Unschedulable", pod.unschedulable, advice)
    return _eviction_trouble([pod for pod in pods if (pod.meta.service, pod.meta.spec_hash) in current])


def _eviction_trouble(pods: Sequence[PodView]) -> Trouble | None:
    """Evictions of current pods of a service that lacks one: a single pod is replaced, and is no trouble."""
    counts = Counter(pod.meta.service for pod in pods if pod.eviction)
    unready = {pod.meta.service for pod in pods if not pod.ready and not pod.finished}
    for service in sorted(unready):
        if counts[service] >= EVICTIONS_MIN:
            why = min(pod.eviction for pod in pods if pod.eviction and pod.meta.service == service)
            advice = "It writes more than its lease grants, or its node lacks memory or disk"
            return Trouble(EVICTED, f"pods of service {service} are evicted repeatedly: {why}", advice)
    return None


def network_trouble(parts: Iterable[PartView]) -> Trouble | None:
    """The first route that its Gateway does not serve."""
    for part in sorted(parts, key=lambda each: each.part):
        if part.refusal:
            message = f"the Gateway does not serve {part.part}: {part.refusal}"
            advice = "Check `ingress.gateway` in the adapter's file, and which namespaces the Gateway admits"
            return Trouble("NetworkBlocked", message, advice)
    return None


def _container_trouble(service: str, container: ContainerView) -> Trouble | None:
    reason = container.waiting.reason if container.waiting else ""
    if reason in _PULL:
        message = f"the image {container.image} of service {service} cannot be pulled (ImagePullBackOff)"
        return Trouble("ImagePullFailed", message, "Check registry access and the image's name")
    if reason in _RUNTIME:
        message = f"the container runtime cannot {_RUNTIME[reason]} a container of service {service}"
        advice = "Check its command, arguments and mounts; `kubectl describe pod` shows the runtime's message"
        return Trouble(reason, message, advice)
    if reason == _CONFIG and container.waiting:
        advice = "Create what it refers to (a Secret and its key) in the workloads' namespace"
        return Trouble(_CONFIG, f"service {service}: {container.waiting.message}", advice)
    exited = container.exited
    if exited and (reason == "CrashLoopBackOff" or container.restarts >= RESTARTS_MAX):
        why = exited.reason or "no reason given"
        message = f"service {service} exits with {exited.exit_code} ({why}) repeatedly (CrashLoopBackOff)"
        if exited.reason == "OOMKilled":
            advice = "It needs more memory than its lease grants; its tenant must ask for more"
            return Trouble("OutOfMemory", message, advice)
        advice = "Check network policies; read its logs, check its command and environment"
        return Trouble("CrashLoop", message, advice)
    return None


def _replica_failure(message: str) -> Trouble:
    """Pods that the API server rejects; omits the current usage, which changes."""
    stable = message.partition(", used:")[0]
    if "exceeded quota" in message:
        return Trouble("QuotaExceeded", stable, "Increase quotas, or free what other workloads hold")
    return Trouble("FailedCreate", stable, "read the events: `kubectl get events` in its namespace")

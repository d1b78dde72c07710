"""Why a workload is not well, in words that do not change while the trouble stays the same; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.adapters.kubernetes.views import ContainerView, DeploymentView, PodView
from reconciler.values.observed import Trouble

RESTARTS_MAX = 2
_PULL = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"}
_CONFIG = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}


def trouble_of(deployments: Sequence[DeploymentView], pods: Iterable[PodView]) -> Trouble | None:
    """The first trouble: those that no waiting cures first, and of pods of the newest specification before
    pods that are on their way out; None while all is well or still starting.
    """
    newest = {(each.marks.service, each.marks.spec) for each in deployments}
    unwell = [pod for pod in pods if not pod.ready and not pod.marks.deleting and not pod.over]
    living = sorted(
        unwell, key=lambda pod: ((pod.marks.service, pod.marks.spec) not in newest, pod.marks.name)
    )
    for pod in living:
        for container in pod.containers:
            if found := _container_trouble(pod.marks.service, container):
                return found
    for deployment in deployments:
        if deployment.failure:
            return _failure(deployment.failure)
    for pod in living:
        if pod.unschedulable:
            advice = "Free or add capacity: kubectl describe nodes; the lease asks for what no node has left"
            return Trouble("Unschedulable", pod.unschedulable, advice)
    return None


def _container_trouble(service: str, container: ContainerView) -> Trouble | None:
    reason = container.waiting.reason if container.waiting else ""
    if reason in _PULL:
        message = f"the image {container.image} of service {service} cannot be pulled (ImagePullBackOff)"
        return Trouble("ImagePullFailed", message, "Check registry access and the image's name")
    if reason in _CONFIG:
        said = container.waiting.message if container.waiting else ""
        advice = "Create what it refers to (a Secret and its key) in the workloads' namespace"
        return Trouble(reason, f"service {service}: {said}", advice)
    if container.exited and (reason == "CrashLoopBackOff" or container.restarts >= RESTARTS_MAX):
        how = f"exits with {container.exited.exit_code} ({container.exited.reason or 'no reason given'})"
        advice = "Check network policies; read its logs, check its command and environment"
        if container.exited.reason == "OOMKilled":
            advice = "It needs more memory than its lease grants; its tenant must ask for more"
        return Trouble("CrashLoop", f"service {service} {how} again and again (CrashLoopBackOff)", advice)
    return None


def _failure(message: str) -> Trouble:
    """Pods that the API server does not let be made; how much is used just now is left out."""
    stable = message.partition(", used:")[0]
    if "exceeded quota" in message:
        return Trouble("QuotaExceeded", stable, "Increase quotas, or free what other workloads hold")
    return Trouble("FailedCreate", stable, "Read kubectl get events -n provider-workloads")

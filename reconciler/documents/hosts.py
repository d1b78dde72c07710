"""The checked model of `adapters/ansible.yaml` to its value."""

from reconciler.documents.adapter_models import (
    AnsibleFile,
    AnsibleGroupModel,
    AnsibleHostModel,
    HostCapacityModel,
    TimeoutsModel,
)
from reconciler.documents.forms import millicores, seconds, size_bytes
from reconciler.values.hosts import (
    AnsibleGroup,
    AnsibleHost,
    AnsibleSettings,
    ContainerEngine,
    Isolation,
    Timeouts,
)
from reconciler.values.resources import Attribute, Resources


def ansible_of(file: AnsibleFile) -> AnsibleSettings:
    """The Ansible adapter's settings."""
    isolation = file.isolation
    return AnsibleSettings(
        enabled=file.enabled,
        groups=tuple(_group(group) for group in file.groups),
        publish=file.network.address,
        ports=(file.network.ports.lowest, file.network.ports.highest),
        storage=file.storage.path,
        isolation=Isolation(isolation.processes, tuple(isolation.read_only_images), file.storage.quota),
        runs=file.concurrency.runs,
        forks=file.concurrency.forks,
        look_every=seconds(file.look_every),
        patience=_patience(file.timeouts),
    )


def _group(group: AnsibleGroupModel) -> AnsibleGroup:
    return AnsibleGroup(
        name=group.name,
        hosts=tuple(_host(group, host) for host in group.hosts),
        user=group.user or "",
        sudo=group.sudo,
        engine=ContainerEngine(group.engine),
    )


def _host(group: AnsibleGroupModel, host: AnsibleHostModel) -> AnsibleHost:
    """A host's own attributes count before those of its group."""
    capacity = host.capacity or group.capacity
    attributes = dict(map(_attribute, [*group.attributes, *host.attributes]))
    return AnsibleHost(
        name=host.name,
        address=host.address,
        port=host.port,
        capacity=_capacity(capacity) if capacity else None,
        attributes=tuple(sorted(attributes.items())),
    )


def _attribute(text: str) -> Attribute:
    key, _, value = text.partition("=")
    return key, value


def _capacity(model: HostCapacityModel) -> Resources:
    return Resources(millicores(model.cpu), size_bytes(model.memory), size_bytes(model.storage), model.gpu)


def _patience(model: TimeoutsModel) -> Timeouts:
    return Timeouts(
        connect=seconds(model.connect),
        look=seconds(model.look),
        apply=seconds(model.apply),
        stop=seconds(model.stop),
        stale=seconds(model.stale),
    )

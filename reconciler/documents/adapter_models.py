"""`adapters/kubernetes.yaml` and `adapters/ansible.yaml`: where workloads run."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from reconciler.documents.forms import (
    WHOLE,
    AddressRange,
    Attribute,
    Cpu,
    Directory,
    Duration,
    HostAddress,
    ImageRule,
    IpAddress,
    Name,
    Size,
    UserName,
)
from reconciler.documents.model import FileModel, StrictModel

PortNumber = Annotated[int, Field(ge=1, le=65_535), WHOLE]


class KubernetesFile(FileModel):
    """The Kubernetes adapter; the kubeconfig is named in the host file, out of the repository's reach."""

    kind: Literal["KubernetesAdapter"] = "KubernetesAdapter"
    """KubernetesAdapter."""
    enabled: bool = True
    """false: nothing is applied or removed there."""
    namespace: Name = "provider-workloads"
    """The namespace of all workloads."""
    egress_denied: Annotated[list[AddressRange], Field(max_length=100)] = Field(default=[])
    """Address ranges that workloads do not reach, beside private, link-local and carrier ones: public
    addresses of nodes, of the API server, of your own network. (restart)"""


class HostCapacityModel(StrictModel):
    """What workloads may use of a host."""

    cpu: Cpu
    """CPU in millicores ("8000m") or whole cores (8)."""
    memory: Size
    """Memory, such as "16Gi"."""
    storage: Size
    """Storage, such as "200Gi"."""
    gpu: Annotated[int, Field(ge=0, le=64), WHOLE] = 0
    """Number of GPUs."""


class AnsibleHostModel(StrictModel):
    """One host."""

    name: Name
    """What the host is called in conditions and logs; no other has the same."""
    address: HostAddress
    """Its name or IP address for SSH; "localhost" is this machine, without SSH."""
    port: PortNumber = 22
    """The port of its SSH."""
    capacity: HostCapacityModel | None = None
    """What workloads may use of it; without it the group's, else all that the host says it has."""
    attributes: Annotated[list[Attribute], Field(max_length=50)] = Field(default=[])
    """What tells it from others, beside the group's: "region=eu"."""


class AnsibleGroupModel(StrictModel):
    """Hosts that are reached in the same way; one run looks at all of them."""

    name: Name
    """The group's name."""
    user: UserName | None = None
    """The user of SSH; without it the daemon's own name."""
    sudo: bool = False
    """true: that user becomes root by sudo without a password; false: containers are the user's own."""
    engine: Literal["podman", "docker"] = "podman"
    """What runs the containers: podman or docker."""
    capacity: HostCapacityModel | None = None
    """What workloads may use of each host; without it, all that the host says it has."""
    attributes: Annotated[list[Attribute], Field(max_length=50)] = Field(default=[])
    """What each host of the group has: "region=eu"."""
    hosts: Annotated[list[AnsibleHostModel], Field(min_length=1, max_length=500)]
    """The hosts."""


class PortRangeModel(StrictModel):
    """Which ports of a host tenants may take."""

    lowest: PortNumber = 1
    """The lowest."""
    highest: PortNumber = 65_535
    """The highest."""


class AnsibleNetworkModel(StrictModel):
    """How public ports are reached."""

    address: IpAddress = "0.0.0.0"  # noqa: S104  # public ports are for everyone
    """The address of the hosts on which public ports listen."""
    ports: PortRangeModel = PortRangeModel()
    """Which ports tenants may take; keep those of your own programs out."""


class AnsibleStorageModel(StrictModel):
    """Where on the hosts our records lie."""

    path: Directory = "/var/lib/provider-workloads"
    """A directory of our own on each host."""
    quota: bool = False
    """true: the engine's storage enforces sizes (overlay on xfs with project quotas)."""


class IsolationModel(StrictModel):
    """What keeps tenants apart, beside networks of their own and limits."""

    processes: Annotated[int, Field(ge=16, le=1_000_000), WHOLE] = 1_024
    """Processes and threads that one container may have."""
    read_only_images: list[ImageRule] = Field(default=[])
    """Images that write to /tmp, /run and volumes alone: their root is read-only. An image may say so itself
    with the label virtengine.com/read-only-root=true."""


class ConcurrencyModel(StrictModel):
    """How much happens at once."""

    runs: Annotated[int, Field(ge=1, le=64), WHOLE] = 4
    """Runs of Ansible that apply or remove."""
    forks: Annotated[int, Field(ge=1, le=500), WHOLE] = 10
    """Hosts that one run talks to."""


class TimeoutsModel(StrictModel):
    """How long we wait."""

    connect: Duration = "10s"
    """For a connection."""
    look: Duration = "60s"
    """For looking at a group."""
    apply: Duration = "10m"
    """For applying or removing, images pulled included."""
    stop: Duration = "10s"
    """For a container to stop by itself."""
    stale: Duration = "90s"
    """How old a look may be before its host counts as unseen."""


class AnsibleFile(FileModel):
    """The Ansible adapter: hosts that run containers. Keys and passwords are named in the host file."""

    kind: Literal["AnsibleAdapter"] = "AnsibleAdapter"
    """AnsibleAdapter."""
    enabled: bool = False
    """true: workloads run on these hosts."""
    groups: Annotated[list[AnsibleGroupModel], Field(max_length=100)] = Field(default=[])
    """The hosts. (restart)"""
    network: AnsibleNetworkModel = AnsibleNetworkModel()
    """How public ports are reached. (restart)"""
    storage: AnsibleStorageModel = AnsibleStorageModel()
    """Where on the hosts our records lie. (restart)"""
    isolation: IsolationModel = IsolationModel()
    """What keeps tenants apart. (restart)"""
    concurrency: ConcurrencyModel = ConcurrencyModel()
    """How much happens at once. (restart)"""
    look_every: Duration = "10s"
    """How long after the end of one look the next begins. (restart)"""
    timeouts: TimeoutsModel = TimeoutsModel()
    """How long we wait. (restart)"""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [host.name for group in self.groups for host in group.hosts]
        names += [group.name for group in self.groups]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PydanticCustomError("names_twice", "the name {name} stands twice", {"name": twice[0]})
        return self

"""`workloads/<id>.yaml`: the workload of one lease."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from reconciler.documents.forms import WHOLE, Address, Close, Cpu, EnvName, Image, Name, SecretKey, Size, Text
from reconciler.documents.model import FileModel, StrictModel

Sequence64 = Annotated[int, Field(ge=1, le=2**64 - 1), WHOLE]
Sequence32 = Annotated[int, Field(ge=1, le=2**32 - 1), WHOLE]
PortNumber = Annotated[int, Field(ge=1, le=65_535), WHOLE]


class LeaseModel(StrictModel):
    """The lease that pays for the workload; its provider is this one."""

    owner: Address
    """The tenant's address."""
    dseq: Sequence64
    """Deployment sequence number."""
    gseq: Sequence32
    """Group sequence number within the deployment."""
    oseq: Sequence32
    """Order sequence number within the group."""


class EnvModel(StrictModel):
    """One environment variable: either a value or a secret."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["value"]}, {"required": ["secret"]}]}
    )

    name: EnvName
    """Name of the variable."""
    value: Text | None = None
    """Its value, readable by everyone who can read this repository."""
    secret: SecretKey | None = None
    """Source of its value: "secret/key" names a key of a Kubernetes Secret in the workloads' namespace, or of
    the hosts' vault; the host file must grant it."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.value is None) == (self.secret is None):
            raise PydanticCustomError("env_source", "give either a value or a secret")
        return self


class PortModel(StrictModel):
    """One port of a service."""

    port: PortNumber
    """Port on which the container listens."""
    exposed_as: PortNumber | None = Field(default=None, alias="as")
    """Port for clients; default: the same."""
    protocol: Literal["TCP", "UDP"] = "TCP"
    """TCP or UDP."""
    public: bool = Field(default=False, alias="global")
    """true: reachable from outside; false: only by services of this workload."""


class ResourcesModel(StrictModel):
    """Resources of one container; the sum over all containers may not exceed the lease."""

    cpu: Cpu
    """CPU in millicores ("500m") or whole cores (2)."""
    memory: Size
    """Memory in Ki, Mi, Gi or Ti (powers of 1024), or bytes: "512Mi"."""
    storage: Size | None = None
    """Storage in Ki, Mi, Gi or Ti (powers of 1024), or bytes: "1Gi"."""
    gpu: Annotated[int, Field(ge=0, le=24), WHOLE] = 0
    """Number of GPUs."""


class ServiceModel(StrictModel):
    """One service: identical containers."""

    name: Name
    """Name of the service; also its host name for the workload's other services."""
    image: Image
    """Container image: [registry/]name[:tag][@sha256:digest]."""
    command: list[Text] = Field(default=[])
    """Replaces the image's entrypoint."""
    args: list[Text] = Field(default=[])
    """Arguments of the command."""
    env: list[EnvModel] = Field(default=[])
    """Environment variables."""
    resources: ResourcesModel
    """Resources of one container."""
    count: Annotated[int, Field(ge=1, le=50), WHOLE] = 1
    """Number of containers."""
    expose: list[PortModel] = Field(default=[])
    """Exposed ports."""


class WorkloadFile(FileModel):
    """The workload of one lease. The file's name is the workload's ID, which is derived from the lease."""

    kind: Literal["Workload"] = "Workload"
    """Workload."""
    lease: LeaseModel
    """The lease that pays for it."""
    adapter: Name | None = None
    """Adapter that runs it: adapters/<name>.yaml. Default: as the order's attributes say, else the first that
    fits; the choice is kept."""
    paused: bool = False
    """true: no container runs and no usage is billed; the tenant is still charged for the lease."""
    close: Close | None = None
    """Closes the lease permanently: unstable, decommission, unspecified or manifest_timeout, then optionally
    a comma and an explanation: "decommission, the rack moves".
    """
    services: Annotated[list[ServiceModel], Field(min_length=1, max_length=20)]
    """The services, each with a unique name."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [service.name for service in self.services]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PydanticCustomError("services_twice", "duplicate service {name}", {"name": twice[0]})
        return self

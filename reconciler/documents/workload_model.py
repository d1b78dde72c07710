"""`workloads/<id>.yaml`: what runs for one lease."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from reconciler.documents.forms import WHOLE, Address, Close, Cpu, EnvName, Image, Name, SecretKey, Size, Text
from reconciler.documents.model import FileModel, StrictModel

Sequence64 = Annotated[int, Field(ge=1, le=2**64 - 1), WHOLE]
Sequence32 = Annotated[int, Field(ge=1, le=2**32 - 1), WHOLE]
PortNumber = Annotated[int, Field(ge=1, le=65_535), WHOLE]


class LeaseModel(StrictModel):
    """The lease that the workload runs for; its provider is this one."""

    owner: Address
    """The tenant's address."""
    dseq: Sequence64
    """The deployment's number."""
    gseq: Sequence32
    """The group's number within the deployment."""
    oseq: Sequence32
    """The order's number within the group."""


class EnvModel(StrictModel):
    """One environment variable: either a value or a secret, never both."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["value"]}, {"required": ["secret"]}]}
    )

    name: EnvName
    """The variable's name."""
    value: Text | None = None
    """Its value, in plain sight of everyone who reads this repository."""
    secret: SecretKey | None = None
    """Where its value lies: "secret/key" names a key of a Kubernetes Secret in the workloads' namespace,
    or of the hosts' vault; the host file must grant it."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.value is None) == (self.secret is None):
            raise PydanticCustomError("env_source", "give either a value or a secret")
        return self


class PortModel(StrictModel):
    """One port of a service."""

    port: PortNumber
    """The port that the container listens on."""
    exposed_as: PortNumber | None = Field(default=None, alias="as")
    """The port under which others reach it; without it, the same."""
    protocol: Literal["TCP", "UDP"] = "TCP"
    """TCP or UDP."""
    public: bool = Field(default=False, alias="global")
    """true: reached from outside; false: by this workload's own services alone."""


class ResourcesModel(StrictModel):
    """What one container of the service gets; all together may not exceed the lease."""

    cpu: Cpu
    """CPU in millicores ("500m") or whole cores (2)."""
    memory: Size
    """Memory in Ki, Mi, Gi or Ti (powers of 1024), or bytes: "512Mi"."""
    storage: Size | None = None
    """Storage in Ki, Mi, Gi or Ti (powers of 1024), or bytes: "1Gi"."""
    gpu: Annotated[int, Field(ge=0, le=24), WHOLE] = 0
    """Number of GPUs."""


class ServiceModel(StrictModel):
    """One kind of container."""

    name: Name
    """The service's name; others of the workload reach it by this name."""
    image: Image
    """The container's image: [registry/]name[:tag][@sha256:digest]."""
    command: list[Text] = Field(default=[])
    """Replaces the image's entry point."""
    args: list[Text] = Field(default=[])
    """Arguments of the command."""
    env: list[EnvModel] = Field(default=[])
    """Environment variables."""
    resources: ResourcesModel
    """What one container gets."""
    count: Annotated[int, Field(ge=1, le=50), WHOLE] = 1
    """How many containers of this kind run."""
    expose: list[PortModel] = Field(default=[])
    """The ports that others may reach."""


class WorkloadFile(FileModel):
    """What runs for one lease. The file's name is the workload's id, which is derived from the lease."""

    kind: Literal["Workload"] = "Workload"
    """Workload."""
    lease: LeaseModel
    """The lease that pays for it."""
    adapter: Literal["kubernetes", "ansible"] | None = None
    """What runs it: adapters/<this>.yaml. Without it, where its order's attributes say, else where it fits;
    and there it stays."""
    paused: bool = False
    """true: no container runs, nothing is billed by usage; the lease itself goes on paying."""
    close: Close | None = None
    """Closes the lease for good: unstable, decommission, unspecified or manifest_timeout; then, after a
    comma, words of yours: "decommission, the rack moves"."""
    services: Annotated[list[ServiceModel], Field(min_length=1, max_length=20)]
    """The kinds of container that run, each with a name of its own."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [service.name for service in self.services]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PydanticCustomError("services_twice", "the service {name} stands twice", {"name": twice[0]})
        return self

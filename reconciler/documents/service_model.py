"""`services` of a workload file."""

from collections import Counter
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from reconciler.documents.forms import (
    WHOLE,
    Cpu,
    Delay,
    Duration,
    EnvName,
    GpuText,
    HostName,
    Image,
    IpName,
    Line,
    MountPath,
    Name,
    SealedText,
    SecretKey,
    Size,
    Text,
)
from reconciler.documents.model import StrictModel
from reconciler.values.specification import DEFAULT_HTTP, HTTP_PORT

PortNumber = Annotated[int, Field(ge=1, le=65_535), WHOLE]
COUNT_MAX = 1_920_000
"""Containers of a group at most: its total of CPU by the least CPU of one (semantics 6.7)."""


def _one_of(*names: str) -> dict[str, Any]:
    return {"oneOf": [{"required": [name]} for name in names]}


class EnvModel(StrictModel):
    """One environment variable: a value, a secret or a sealed value."""

    model_config = ConfigDict(json_schema_extra=_one_of("value", "secret", "sealed"))

    name: EnvName
    """Name of the variable."""
    value: Text | None = None
    """Its value, readable by everyone who can read this repository."""
    secret: SecretKey | None = None
    """Source of its value: "secret/key" names a key of a Kubernetes Secret in the workloads' namespace, or of
    the hosts' vault; the host file must grant it."""
    sealed: SealedText | None = None
    """Its value, encrypted to this provider."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if [self.value, self.secret, self.sealed].count(None) != 2:
            raise PydanticCustomError("env_source", "give either a value, a secret or a sealed value")
        return self


class CredentialsModel(StrictModel):
    """Who pulls the image from a private registry."""

    model_config = ConfigDict(json_schema_extra=_one_of("secret", "sealed"))

    host: Line
    """The registry: "registry.example.com"."""
    username: Line
    """Name of the user."""
    email: Line | None = None
    """E-mail address of the user."""
    secret: SecretKey | None = None
    """Source of the password, "secret/key"; the host file must grant it."""
    sealed: SealedText | None = None
    """The password, encrypted to this provider."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.secret is None) == (self.sealed is None):
            raise PydanticCustomError("password_source", "give either a secret or a sealed password")
        return self


class HttpOptionsModel(StrictModel):
    """How HTTP requests are passed on."""

    max_body_size: Annotated[int, Field(ge=1, le=100 << 20), WHOLE] = DEFAULT_HTTP.body_bytes_max
    """Largest body of a request, in bytes."""
    read_timeout: Annotated[int, Field(ge=1, le=60_000), WHOLE] = DEFAULT_HTTP.read_timeout_milliseconds
    """Longest wait for the container's next bytes, in milliseconds."""
    send_timeout: Annotated[int, Field(ge=1, le=60_000), WHOLE] = DEFAULT_HTTP.send_timeout_milliseconds
    """Longest wait to send the next bytes to the container, in milliseconds."""
    next_tries: Annotated[int, Field(ge=1, le=2**32 - 1), WHOLE] = DEFAULT_HTTP.next_tries
    """How many containers a request is tried on."""
    next_timeout: Annotated[int, Field(ge=0, le=2**32 - 1), WHOLE] = 0
    """Time for all tries, in milliseconds; 0: no limit."""
    next_cases: Annotated[
        list[Literal["error", "timeout", "500", "502", "503", "504", "403", "404", "429", "off"]],
        Field(min_length=1, max_length=20),
    ] = Field(default=["error", "timeout"])
    """After which answers the next container is tried; "off": none."""


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
    service: Name | None = None
    """Service that may reach an inner port; default: all services of this workload."""
    ip: IpName | None = None
    """Name of the leased IP address that the port is on; ports of one name share an address."""
    hosts: Annotated[list[HostName], Field(max_length=100)] = Field(default=[])
    """Host names under which a global port 80 is reached by HTTP."""
    http_options: HttpOptionsModel | None = None
    """How HTTP requests are passed on."""

    @model_validator(mode="after")
    def _address_is_global(self) -> Self:
        if self.ip and not self.public:
            raise PydanticCustomError("ip_not_global", "a port on a leased address needs global: true")
        is_http = self.public and self.protocol == "TCP" and (self.exposed_as or self.port) == HTTP_PORT
        if (self.hosts or self.http_options) and not is_http:
            raise PydanticCustomError(
                "hosts_not_http", "host names and HTTP options need a global TCP port 80"
            )
        return self


class GpuModelText(StrictModel):
    """A model of GPUs; what is left out may be any."""

    vendor: GpuText = "nvidia"
    """Vendor of the GPU."""
    model: GpuText | None = None
    """Model: a100."""
    ram: Size | None = None
    """Memory of the GPU: 80Gi."""
    interface: Literal["pcie", "sxm"] | None = None
    """pcie or sxm."""


class ResourcesModel(StrictModel):
    """Resources of one container; the sum over all containers may not exceed the lease."""

    cpu: Cpu
    """CPU in millicores ("500m") or whole cores (2)."""
    memory: Size
    """Memory in Ki, Mi, Gi or Ti (powers of 1024), or bytes: "512Mi"."""
    storage: Size | None = None
    """Ephemeral storage in Ki, Mi, Gi or Ti (powers of 1024), or bytes: "1Gi"; volumes come on top."""
    gpu: Annotated[int, Field(ge=0, le=24), WHOLE] = 0
    """Number of GPUs."""
    gpu_models: Annotated[list[GpuModelText], Field(max_length=50)] = Field(default=[])
    """Models that the GPUs may be of; default: any."""
    arch: GpuText | None = None
    """CPU architecture: amd64, arm64."""


class VolumeModel(StrictModel):
    """A volume of each container."""

    name: Name
    """Name of the volume."""
    size: Size
    """Its size: "10Gi"."""
    storage_class: Name | None = Field(default=None, alias="class")
    """default, beta1, beta2 or beta3: persistent storage of this class; ram: shared memory. Default:
    ephemeral."""
    mount: MountPath
    """Where it is mounted: an absolute path."""
    read_only: bool = Field(default=False, alias="readOnly")
    """true: the container cannot write to it."""


class ProbeModel(StrictModel):
    """A check of a container: by HTTP with a path, by TCP with a port alone, or by a command."""

    port: PortNumber | None = None
    """Port of the container."""
    path: Line | None = None
    """Path of an HTTP request, which succeeds with a status from 200 to 399."""
    command: list[Text] = Field(default=[])
    """Command in the container, which succeeds with exit code 0."""
    initial_delay: Delay = "0s"
    """From the container's start to the first check."""
    period: Duration = "10s"
    """Time between checks."""
    timeout: Duration = "1s"
    """Longest time of a check."""
    failures: Annotated[int, Field(ge=1, le=1000), WHOLE] = 3
    """Failed checks in a row until the container counts as failed."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.port is None) != bool(self.command) or (self.path is not None and self.port is None):
            raise PydanticCustomError("probe_kind", "give a port, a port and a path, or a command")
        return self


class RolloutModel(StrictModel):
    """How the containers of a changed service are replaced."""

    strategy: Literal["RollingUpdate", "Recreate"] = "RollingUpdate"
    """RollingUpdate: a few at a time; Recreate: all at once."""
    max_unavailable: Annotated[int, Field(ge=1, le=COUNT_MAX), WHOLE] = 1
    """How many containers may be missing meanwhile."""


class ServiceModel(StrictModel):
    """One service: identical containers."""

    name: Name
    """Name of the service; also its host name for the workload's other services."""
    image: Image
    """Container image: [registry/]name[:tag][@sha256:digest]."""
    credentials: CredentialsModel | None = None
    """Credentials for a private registry."""
    command: list[Text] = Field(default=[])
    """Replaces the image's entrypoint."""
    args: list[Text] = Field(default=[])
    """Arguments of the command."""
    env: list[EnvModel] = Field(default=[])
    """Environment variables."""
    resources: ResourcesModel
    """Resources of one container."""
    volumes: Annotated[list[VolumeModel], Field(max_length=100)] = Field(default=[])
    """Volumes of one container; they count as storage of the lease."""
    count: Annotated[int, Field(ge=1, le=COUNT_MAX), WHOLE] = 1
    """Number of containers."""
    expose: list[PortModel] = Field(default=[])
    """Exposed ports."""
    dependencies: Annotated[list[Name], Field(max_length=200)] = Field(default=[])
    """Services that it needs; all start together, as with other providers."""
    liveness: ProbeModel | None = None
    """A container that fails it is restarted."""
    readiness: ProbeModel | None = None
    """A container that fails it gets no requests."""
    rollout: RolloutModel | None = None
    """How containers are replaced; default: one at a time."""
    termination_grace: Duration = "30s"
    """Time from stopping a container to killing it."""

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        outer = [(port.exposed_as or port.port, port.protocol, port.ip or "") for port in self.expose]
        if twice := sorted(port for port, count in Counter(outer).items() if count > 1):
            shown = {"number": twice[0][0], "protocol": twice[0][1]}
            raise PydanticCustomError(
                "ports_twice", "the outer port {number} ({protocol}) is exposed twice", shown
            )
        return self

    @model_validator(mode="after")
    def _variables_differ(self) -> Self:
        counts = Counter(variable.name for variable in self.env)
        if twice := sorted(name for name, count in counts.items() if count > 1):
            raise PydanticCustomError("env_twice", "the variable {name} is set twice", {"name": twice[0]})
        return self

    @model_validator(mode="after")
    def _volumes_differ(self) -> Self:
        for what in ("name", "mount"):
            values = [getattr(volume, what) for volume in self.volumes]
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise PydanticCustomError(
                    "volumes_twice", "two volumes have the {what} {value}", {"what": what, "value": twice[0]}
                )
        return self

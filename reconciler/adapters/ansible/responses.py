"""Responses of hosts, decoded; only the fields that we read."""

from __future__ import annotations

import msgspec

from reconciler.values.resources import Resources
from reconciler.values.text import printable, visible

TEXT_MAX = 512
ERROR_MAX = 4_000
"""Characters kept of an engine's error output: the last of its lines say what failed."""
ERROR_FIELDS = frozenset({"error", "why"})


class ResponseStruct(msgspec.Struct, frozen=True):
    """Frozen, because threads share it; texts are bounded and cleaned, because containers, images and engines
    write parts of them.
    """

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            clean: object
            if isinstance(value, str):
                clean = visible(value[-ERROR_MAX:]) if name in ERROR_FIELDS else printable(value, TEXT_MAX)
            elif isinstance(value, list) and value and isinstance(value[0], str):
                clean = [printable(each, TEXT_MAX) for each in value]
            elif isinstance(value, dict):
                clean = {printable(key, TEXT_MAX): each for key, each in value.items()}
            else:
                continue
            msgspec.structs.force_setattr(self, name, clean)


class HostResources(ResponseStruct, frozen=True):
    """Millicores, bytes, bytes, GPUs."""

    cpu_milli: int = 0
    memory_bytes: int = 0
    storage_bytes: int = 0
    gpu: int = 0

    @property
    def resources(self) -> Resources:
        """As the program's own type."""
        return Resources(self.cpu_milli, self.memory_bytes, self.storage_bytes, self.gpu)


class ObservedContainer(ResponseStruct, frozen=True):
    """A container that this provider owns."""

    name: str
    service: str = ""
    status: str = ""
    exit_code: int = 0
    oom_killed: bool = False
    health: str = ""
    id: str = ""

    @property
    def is_ready(self) -> bool:
        """Running, and healthy if its image has a health check."""
        return self.status == "running" and self.health in ("", "healthy")


class StepFailure(ResponseStruct, frozen=True):
    """A step of an apply that failed."""

    step: str
    error: str = ""
    service: str = ""
    image: str = ""


class ReportedWorkload(ResponseStruct, frozen=True):
    """A workload on a host. `differences` is its drift, as sentences; `due` says whether the host would try a
    repair now; `wanted` are the container names of its specification; `error` and `step` are set if an apply
    or removal could not begin.
    """

    containers: list[ObservedContainer] = []
    differences: list[str] = []
    due: bool = True
    lease: str = ""
    digest: str = ""
    paused: bool = False
    resources: HostResources = HostResources()
    ports: list[int] = []
    wanted: list[str] = []
    failure: StepFailure | None = None
    restarts: int = 0
    error: str = ""
    step: str = ""


class ObservedHost(ResponseStruct, frozen=True):
    """A whole host: our workloads by id, its own resources (facts), and the limits of foreign containers."""

    workloads: dict[str, ReportedWorkload]
    facts: HostResources = HostResources()
    foreign: HostResources = HostResources()


class AppliedWorkloads(ResponseStruct, frozen=True):
    """The workloads of an apply request as they are afterwards; None: nothing of it exists."""

    workloads: dict[str, ReportedWorkload | None]


class ContainerLog(ResponseStruct, frozen=True):
    """The last lines of a container; base64 on the wire."""

    name: str
    service: str
    text: bytes


class WorkloadLogs(ResponseStruct, frozen=True):
    """Of a workload."""

    containers: list[ContainerLog]


class MeasuredContainer(ResponseStruct, frozen=True):
    """The resource usage of a container."""

    name: str
    service: str
    cpu_milli: int
    memory_bytes: int


class MeasuredWorkload(ResponseStruct, frozen=True):
    """The resource usage of a workload, or why it is unknown; `at` in unix seconds."""

    containers: list[MeasuredContainer]
    why: str = ""
    at: int = 0


class EngineEvent(ResponseStruct, frozen=True):
    """An engine's event about a container; `at` in unix seconds."""

    at: int
    reason: str
    name: str
    image: str = ""
    exit_code: int = 0


class EngineEvents(ResponseStruct, frozen=True):
    """Newest first."""

    events: list[EngineEvent]
    complete: bool = True

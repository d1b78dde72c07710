"""What hosts answer, decoded; only the fields that we read."""

from __future__ import annotations

import msgspec

from reconciler.values.resources import Resources
from reconciler.values.text import printable, visible

TEXT_MAX = 512
WORDS_MAX = 4_000
"""Characters that are kept of an engine's words: of several lines the last ones say what failed."""
WORDS = frozenset({"error", "why"})


class AnswerStruct(msgspec.Struct, frozen=True):
    """Frozen, as several threads share them; texts are bounded and clean."""

    def __post_init__(self) -> None:
        """Containers, images and engines write parts of the texts."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, str):
                clean = visible(value[-WORDS_MAX:]) if name in WORDS else printable(value, TEXT_MAX)
                msgspec.structs.force_setattr(self, name, clean)
            elif isinstance(value, list) and value and isinstance(value[0], str):
                msgspec.structs.force_setattr(self, name, [printable(each, TEXT_MAX) for each in value])
            elif isinstance(value, dict):
                clean_keys = {printable(key, TEXT_MAX): each for key, each in value.items()}
                msgspec.structs.force_setattr(self, name, clean_keys)


class HostAmounts(AnswerStruct, frozen=True):
    """Millicores, bytes, bytes, GPUs."""

    cpu_milli: int = 0
    memory_bytes: int = 0
    storage_bytes: int = 0
    gpu: int = 0

    @property
    def resources(self) -> Resources:
        """As the rest of the program reckons."""
        return Resources(self.cpu_milli, self.memory_bytes, self.storage_bytes, self.gpu)


class ContainerAnswer(AnswerStruct, frozen=True):
    """A container of ours."""

    name: str
    service: str = ""
    image: str = ""
    status: str = ""
    exit: int = 0
    oom: bool = False
    health: str = ""

    @property
    def ready(self) -> bool:
        """Running, and healthy where its image says how to tell."""
        return self.status == "running" and self.health in ("", "healthy")


class FailureAnswer(AnswerStruct, frozen=True):
    """A step that the engine did not do, `count` times in a row."""

    step: str
    error: str = ""
    service: str = ""
    image: str = ""
    count: int = 0


class HostWorkloadAnswer(AnswerStruct, frozen=True):
    """A workload on a host; `differences` are what an apply would change, `due` whether it may be tried now.

    `error` is set where a run could not even begin to work on it.
    """

    containers: list[ContainerAnswer] = []
    differences: list[str] = []
    due: bool = True
    lease: str = ""
    digest: str = ""
    paused: bool = False
    resources: HostAmounts = HostAmounts()
    ports: list[int] = []
    wanted: list[str] = []
    failure: FailureAnswer | None = None
    restarts: int = 0
    error: str = ""
    step: str = ""


class FactsAnswer(HostAmounts, frozen=True):
    """What a host has in all."""

    free_bytes: int = 0


class LookAnswer(AnswerStruct, frozen=True):
    """A whole host."""

    workloads: dict[str, HostWorkloadAnswer]
    facts: FactsAnswer = FactsAnswer()
    strangers: HostAmounts = HostAmounts()


class WorkAnswer(AnswerStruct, frozen=True):
    """What is there of the workloads that a run worked on; None: nothing."""

    workloads: dict[str, HostWorkloadAnswer | None]


class LogAnswer(AnswerStruct, frozen=True):
    """The last lines of one container; on the wire `text` is base64."""

    name: str
    service: str
    text: bytes


class LogsAnswer(AnswerStruct, frozen=True):
    """The last lines of a workload."""

    containers: list[LogAnswer]


class UsedAnswer(AnswerStruct, frozen=True):
    """What one container uses."""

    name: str
    service: str
    cpu_milli: int
    memory_bytes: int


class HostUseAnswer(AnswerStruct, frozen=True):
    """What a workload uses, or why that is not known."""

    containers: list[UsedAnswer]
    why: str = ""
    at: int = 0


class EventAnswer(AnswerStruct, frozen=True):
    """What the engine noted of a container."""

    at: int
    reason: str
    name: str
    image: str = ""
    code: int = 0


class HostEventsAnswer(AnswerStruct, frozen=True):
    """What the engine noted of a workload."""

    events: list[EventAnswer]
    complete: bool = True

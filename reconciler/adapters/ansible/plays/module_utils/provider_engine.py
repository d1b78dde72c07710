"""The container engine of this host: argument lists in, JSON out; never a shell. Runs on the host."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from typing import Any

MANAGED_BY = "virtengine.com/managed-by"
MANAGER = "provider-daemon"
WORKLOAD = "virtengine.com/workload"
SERVICE = "virtengine.com/service"
LEASE = "virtengine.com/lease"
INDEX = "virtengine.com/index"
SPEC = "virtengine.com/spec"
GPUS = "virtengine.com/gpus"
ADDRESS = "virtengine.com/address"
READ_ONLY = "virtengine.com/read-only-root"
CHUNK = 200
ERROR_MAX = 2000
COMMAND_SECONDS = 60


class EngineError(Exception):
    """A step that failed; `step` is one word, the message is the engine's error output, `container` the
    specification of the container concerned (empty: none).
    """

    def __init__(self, step: str, message: str) -> None:
        super().__init__(message[-ERROR_MAX:])
        self.step = step
        self.container: dict[str, Any] = {}


class Engine:
    """podman or docker, until a deadline (seconds from now)."""

    def __init__(self, program: str, seconds: float) -> None:
        self.program = program
        self._deadline = time.monotonic() + seconds

    @property
    def is_podman(self) -> bool:
        """podman and docker differ in a few options."""
        return self.program.rsplit("/", 1)[-1] == "podman"

    def run(self, step: str, *words: str, seconds: float = COMMAND_SECONDS) -> str:
        """The command's output; EngineError if it fails, is not installed or takes too long."""
        return self.output(step, *words, seconds=seconds).decode(errors="replace")

    def output(self, step: str, *words: str, seconds: float = COMMAND_SECONDS) -> bytes:
        """The output as bytes; for `logs`, both streams of the container."""
        left = max(self._deadline - time.monotonic(), 0.1)
        try:
            done = subprocess.run(
                [self.program, *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if words[0] == "logs" else subprocess.PIPE,
                timeout=min(left, seconds),
                check=False,
            )
        except FileNotFoundError as error:
            raise EngineError("engine", f"{self.program} is not installed") from error
        except subprocess.TimeoutExpired as error:
            message = f"{self.program} {words[0]} did not end within {error.timeout:.0f} s"
            raise EngineError(step, message) from error
        except OSError as error:
            raise EngineError(step, f"{self.program} {words[0]}: {error.strerror}") from error
        if done.returncode:
            message = (done.stderr or done.stdout).decode(errors="replace").strip()
            raise EngineError(step, message or f"{self.program} {words[0]} exited with {done.returncode}")
        return done.stdout

    def succeeds(self, *words: str) -> bool:
        """Whether the command exits with 0; EngineError only if the engine is not installed."""
        try:
            self.run("query", *words)
        except EngineError as error:
            if error.step == "engine":
                raise
            return False
        return True

    def inspect(self, kind: str, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The objects with these names or ids; skips those that no longer exist."""
        for start in range(0, len(names), CHUNK):
            chunk = names[start : start + CHUNK]
            try:
                raw = self.run("observe", kind, "inspect", *chunk)
            except EngineError as error:
                if error.step == "engine" or (len(chunk) == 1 and "no such" not in str(error).lower()):
                    raise
                if len(chunk) > 1:
                    for name in chunk:  # one of them was removed meanwhile
                        yield from self.inspect(kind, [name])
                continue
            yield from json.loads(raw)

    def containers(self, *filters: str) -> list[dict[str, Any]]:
        """All containers on the host, running or not, that match the filters; not only ours."""
        words = [f"--filter={each}" for each in filters]
        ids = self.run("observe", "ps", "--all", "--quiet", "--no-trunc", *words).split()
        return list(self.inspect("container", ids))

    def containers_of(self, workload: str) -> list[dict[str, Any]]:
        """Our containers of one workload."""
        found = self.containers(f"label={WORKLOAD}={workload}")
        return [each for each in found if is_ours(each["Config"]["Labels"], workload)]

    def owned(self, kind: str, workload: str = "") -> list[str]:
        """The names of our networks or volumes, of one workload or (with "") of all.

        Engines combine two filters differently, so one filters and the other is checked here.
        """
        label = f"{WORKLOAD}={workload}" if workload else f"{MANAGED_BY}={MANAGER}"
        names = self.run("observe", kind, "ls", "--format", "{{.Name}}", "--filter", f"label={label}").split()
        if not workload:
            return names
        found = self.inspect(kind, names)
        pairs = [(e.get("name") or e["Name"], e.get("labels") or e.get("Labels")) for e in found]
        return [str(name) for name, labels in pairs if is_ours(labels, workload)]


def is_ours(labels: dict[str, str] | None, workload: str) -> bool:
    """Whether the ownership labels name us and this workload."""
    found = labels or {}
    return found.get(MANAGED_BY) == MANAGER and found.get(WORKLOAD) == workload


def label_options(labels: dict[str, str]) -> list[str]:
    """Labels as options of a create command."""
    return [f"--label={name}={value}" for name, value in labels.items()]

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
SHORT_SECONDS = 60


class EngineError(Exception):
    """A step that the engine did not do; `step` is one word, the message what it printed, `wanted` the
    container that it was about, where it was about one.
    """

    def __init__(self, step: str, message: str) -> None:
        super().__init__(message[-ERROR_MAX:])
        self.step = step
        self.wanted: dict[str, Any] = {}


class Engine:
    """podman or docker, until a deadline (seconds from now)."""

    def __init__(self, program: str, seconds: float) -> None:
        self.program = program
        self._ends = time.monotonic() + seconds

    @property
    def is_podman(self) -> bool:
        """podman and docker differ in a few words."""
        return self.program.rsplit("/", 1)[-1] == "podman"

    def run(self, step: str, *words: str, seconds: float = SHORT_SECONDS) -> str:
        """What it printed; EngineError where it failed, is not there or takes too long."""
        return self.output(step, *words, seconds=seconds).decode(errors="replace")

    def output(self, step: str, *words: str, seconds: float = SHORT_SECONDS) -> bytes:
        """The very bytes; of `logs`, what a container wrote to either of its outputs."""
        left = max(self._ends - time.monotonic(), 0.1)
        try:
            done = subprocess.run(  # capture_output would be the same
                [self.program, *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if words[0] == "logs" else subprocess.PIPE,
                timeout=min(left, seconds),
                check=False,
            )
        except FileNotFoundError as why:
            raise EngineError("engine", f"{self.program} is not installed") from why
        except subprocess.TimeoutExpired as why:
            raise EngineError(
                step, f"{self.program} {words[0]} did not end within {why.timeout:.0f} s"
            ) from why
        except OSError as why:
            raise EngineError(step, f"{self.program} {words[0]}: {why.strerror}") from why
        if done.returncode:
            said = (done.stderr or done.stdout).decode(errors="replace").strip()
            raise EngineError(step, said or f"{self.program} {words[0]} ended with {done.returncode}")
        return done.stdout

    def succeeds(self, *words: str) -> bool:
        """Whether it says yes."""
        try:
            self.run("ask", *words)
        except EngineError as why:
            if why.step == "engine":
                raise
            return False
        return True

    def inspect(self, kind: str, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The objects of these names or ids that are still there."""
        for start in range(0, len(names), CHUNK):
            some = names[start : start + CHUNK]
            try:
                raw = self.run("look", kind, "inspect", *some)
            except EngineError as why:
                if why.step == "engine" or len(some) == 1:
                    if why.step == "engine" or "no such" not in str(why).lower():
                        raise
                    continue
                for name in some:  # one of them has gone meanwhile
                    yield from self.inspect(kind, [name])
                continue
            yield from json.loads(raw)

    def everything(self) -> list[dict[str, Any]]:
        """Every container, running or not, whoever's it is."""
        ids = self.run("look", "ps", "--all", "--quiet", "--no-trunc").split()
        return list(self.inspect("container", ids))

    def containers(self, workload: str) -> list[dict[str, Any]]:
        """Our containers of one workload."""
        words = ("--filter", f"label={WORKLOAD}={workload}")
        ids = self.run("look", "ps", "--all", "--quiet", "--no-trunc", *words).split()
        return [
            each for each in self.inspect("container", ids) if is_ours(each["Config"]["Labels"], workload)
        ]

    def labelled(self, kind: str, workload: str = "") -> list[str]:
        """The names of our networks or volumes, of one workload or (with "") of all.

        Engines disagree about what two filters mean together, so one filters and the rest is looked at.
        """
        wanted = f"{WORKLOAD}={workload}" if workload else f"{MANAGED_BY}={MANAGER}"
        names = self.run("look", kind, "ls", "--format", "{{.Name}}", "--filter", f"label={wanted}").split()
        if not workload:
            return names
        found = self.inspect(kind, names)
        pairs = [(e.get("name") or e["Name"], e.get("labels") or e.get("Labels")) for e in found]
        return [str(name) for name, labels in pairs if is_ours(labels, workload)]


def is_ours(labels: dict[str, str] | None, workload: str) -> bool:
    """Whether something says that we manage it, and that it is of this workload."""
    told = labels or {}
    return told.get(MANAGED_BY) == MANAGER and told.get(WORKLOAD) == workload


def label_words(labels: dict[str, str]) -> list[str]:
    """As options of a command that creates something."""
    return [f"--label={name}={value}" for name, value in labels.items()]

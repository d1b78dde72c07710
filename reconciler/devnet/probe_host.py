"""How the story looks at this machine's containers: over HTTP as a tenant's users do, and with podman."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request

from reconciler.devnet.faults import DevnetError

ANSWER_SECONDS = 2
ENGINE_SECONDS = 30
LABEL = "virtengine.com/workload"


class HostProbe:
    """Looks at one port, and at what carries a workload's label; `kill` and `sweep` do as a hand would."""

    def __init__(self, port: int) -> None:
        self.port = port

    def page(self) -> str:
        """What the port answers, "" where nobody does."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=ANSWER_SECONDS) as answer:
                return str(answer.read().decode(errors="replace")).strip()
        except (OSError, urllib.error.URLError):
            return ""

    def containers(self, workload: str) -> dict[str, str]:
        """State by name of all its containers."""
        raw = self._podman("ps", "--all", "--format", "json", "--filter", f"label={LABEL}={workload}")
        return {each["Names"][0]: each["State"] for each in json.loads(raw or "[]")}

    def left(self, workload: str) -> list[str]:
        """Everything that carries its label: containers, networks, volumes."""
        label = f"label={LABEL}={workload}"
        found = list(self.containers(workload))
        for kind in ("network", "volume"):
            found += self._podman(kind, "ls", "--quiet", "--filter", label).split()
        return found

    def kill(self, workload: str) -> None:
        """Kill what runs of it."""
        up = [name for name, state in self.containers(workload).items() if state == "running"]
        self._podman("kill", *up)

    def sweep(self, workload: str) -> None:
        """Take away what is left of it."""
        label = f"label={LABEL}={workload}"
        if names := list(self.containers(workload)):
            self._podman("rm", "--force", "--volumes", *names)
        for kind in ("network", "volume"):
            if names := self._podman(kind, "ls", "--quiet", "--filter", label).split():
                self._podman(kind, "rm", *names)

    def _podman(self, *words: str) -> str:
        try:
            done = subprocess.run(
                ["podman", *words], capture_output=True, text=True, timeout=ENGINE_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DevnetError(f"podman {words[0]}: {error}") from None
        if done.returncode:
            raise DevnetError(f"podman {words[0]}: {done.stderr.strip()}")
        return done.stdout

"""Images and containers on this machine, with podman; an image is one static file, nothing is pulled."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from reconciler.adapters.kubernetes.naming import WORKLOAD
from reconciler.devnet.errors import DevnetError

BUILD_SECONDS = 120
RUN_SECONDS = 60
COMMAND_SECONDS = 30
ANSWER_SECONDS = 2
PORT = 8080
"""The port on which a container of the image answers HTTP."""

SERVE = f'["/busybox", "sh", "-c", "echo listening; exec /busybox httpd -f -p {PORT} -h /www"]'
PROBE = "localhost/provider-probe:1"
CONFINED = """\
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
log_driver = "k8s-file"
"""
"""For a machine without systemd, with cgroups v1, and without the right to raise limits."""

_INTERPRETER = b"/ld-linux"


def build(tag: str, lines: str = f"CMD {SERVE}") -> None:
    """Build an image that contains only busybox; DevnetError where this machine cannot."""
    with tempfile.TemporaryDirectory(prefix="provider-image-") as scratch:
        here = Path(scratch)
        shutil.copy(_busybox(), here / "busybox")
        (here / "index.html").write_text("a tenant's container answers\n", encoding="utf-8")
        text = f"FROM scratch\nCOPY busybox /busybox\nCOPY index.html /www/index.html\n{lines}\n"
        (here / "Containerfile").write_text(text, encoding="utf-8")
        words = ["podman", "build", "--quiet", "--format=docker", f"--tag={tag}", "."]
        try:
            done = subprocess.run(
                words, cwd=here, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
            )
        except FileNotFoundError:
            raise DevnetError("podman is not installed; apt-get install podman busybox-static") from None
        except subprocess.TimeoutExpired:
            raise DevnetError(f"podman did not build {tag} within {BUILD_SECONDS} s") from None
        if done.returncode:
            messages = done.stderr.strip().splitlines()
            raise DevnetError(f"podman cannot build {tag}: {messages[-1] if messages else 'no message'}")


def prepare_podman(directory: Path) -> None:
    """Check that podman runs containers, if need be with settings for a machine that is itself a container,
    which processes started from now on inherit; DevnetError if it does not.
    """
    build(PROBE, 'CMD ["/busybox", "true"]')
    if not (why := _refusal()):
        return
    if "CONTAINERS_CONF" not in os.environ:
        settings = directory / "containers.conf"
        settings.write_text(CONFINED, encoding="utf-8")
        os.environ["CONTAINERS_CONF"] = str(settings)
        if not (why := _refusal()):
            return
    raise DevnetError(f"podman runs no container on this machine: {why}")


def _refusal() -> str:
    """Why podman runs no container, "" where it does."""
    words = ["podman", "run", "--rm", "--memory=64m", PROBE]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no container ended within {RUN_SECONDS} s"
    lines = done.stderr.strip().splitlines()
    return (lines[-1] if lines else f"it ended with {done.returncode}") if done.returncode else ""


def _busybox() -> Path:
    """A statically linked busybox."""
    for name in ("busybox-static", "busybox"):
        found = shutil.which(name)
        if found is not None and _INTERPRETER not in Path(found).read_bytes():
            return Path(found)
    raise DevnetError("there is no static busybox on the PATH; apt-get install busybox-static")


class WorkloadContainers:
    """The containers, networks and volumes of a workload, and the port that its users reach."""

    def __init__(self, port: int) -> None:
        self.port = port

    def page(self) -> str:
        """The page that the port serves, "" where it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=ANSWER_SECONDS) as answer:
                return str(answer.read().decode(errors="replace")).strip()
        except OSError:
            return ""

    def states(self, workload: str) -> dict[str, str]:
        """The state of each container by its name."""
        raw = _podman("ps", "--all", "--format", "json", *_filter(workload))
        return {each["Names"][0]: each["State"] for each in json.loads(raw or "[]")}

    def objects(self, workload: str) -> list[str]:
        """The names of its containers, networks and volumes."""
        found = list(self.states(workload))
        for kind in ("network", "volume"):
            found += _podman(kind, "ls", "--quiet", *_filter(workload)).split()
        return found

    def kill(self, workload: str) -> None:
        """Kill its running containers."""
        _podman("kill", *(name for name, state in self.states(workload).items() if state == "running"))

    def remove(self, workload: str) -> None:
        """Remove its containers, networks and volumes."""
        if names := list(self.states(workload)):
            _podman("rm", "--force", "--volumes", *names)
        for kind in ("network", "volume"):
            if names := _podman(kind, "ls", "--quiet", *_filter(workload)).split():
                _podman(kind, "rm", *names)


def _filter(workload: str) -> tuple[str, str]:
    return "--filter", f"label={WORKLOAD}={workload}"


def _podman(*words: str) -> str:
    try:
        done = subprocess.run(
            ["podman", *words], capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DevnetError(f"podman {words[0]}: {error}") from None
    if done.returncode:
        raise DevnetError(f"podman {words[0]}: {done.stderr.strip()}")
    return done.stdout

"""An image made on this machine from nothing but one static file: nothing is pulled for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from reconciler.devnet.faults import DevnetError

BUILD_SECONDS = 120
PORT = 8080
"""On which a container of the image answers HTTP."""
SERVE = f'["/busybox", "sh", "-c", "echo listening; exec /busybox httpd -f -p {PORT} -h /www"]'
PROBE = "localhost/provider-probe:1"
RUN_SECONDS = 60
CONFINED = """\
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
log_driver = "k8s-file"
"""
"""For a machine without systemd, with the older control groups, and without the right to raise limits."""

_INTERPRETER = b"/ld-linux"


def build(tag: str, lines: str = f"CMD {SERVE}") -> None:
    """Make an image of busybox alone; DevnetError where this machine lacks what it takes."""
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
            said = done.stderr.strip().splitlines()
            raise DevnetError(f"podman cannot build {tag}: {said[-1] if said else 'it said nothing'}")


def fit(directory: Path) -> None:
    """Make podman run containers here, if need be with settings for a machine that is itself confined; what
    is started from now on inherits them. DevnetError where it cannot be done.
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
    """Why podman runs no container; "" where it does."""
    words = ["podman", "run", "--rm", "--memory=64m", PROBE]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"nothing came of it within {RUN_SECONDS} s"
    said = done.stderr.strip().splitlines()
    return (said[-1] if said else f"it ended with {done.returncode}") if done.returncode else ""


def _busybox() -> Path:
    """A busybox that needs no library beside it."""
    for name in ("busybox-static", "busybox"):
        found = shutil.which(name)
        if found is not None and _INTERPRETER not in Path(found).read_bytes():
            return Path(found)
    raise DevnetError("there is no static busybox on the PATH; apt-get install busybox-static")

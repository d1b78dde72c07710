"""An image made on this machine from nothing but one static file: nothing is pulled for it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from reconciler.devnet.faults import DevnetError

BUILD_SECONDS = 120
PORT = 8080
"""On which a container of the image answers HTTP."""
SERVE = f'["/busybox", "sh", "-c", "echo listening; exec /busybox httpd -f -p {PORT} -h /www"]'
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


def _busybox() -> Path:
    """A busybox that needs no library beside it."""
    for name in ("busybox-static", "busybox"):
        found = shutil.which(name)
        if found is not None and _INTERPRETER not in Path(found).read_bytes():
            return Path(found)
    raise DevnetError("there is no static busybox on the PATH; apt-get install busybox-static")

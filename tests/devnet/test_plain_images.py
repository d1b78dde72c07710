"""An image from nothing but one static file: what is said where it cannot be made."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.devnet import plain_images
from reconciler.devnet.faults import DevnetError

FAILS = "#!/bin/sh\necho Error: one >&2\necho Error: no room >&2\nexit 125\n"
KEEPS = '#!/bin/sh\ncp Containerfile "$0.seen"\necho "$@" > "$0.words"\n'


def program(directory: Path, name: str, text: str) -> Path:
    path = directory / name
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    program(tmp_path, "busybox-static", "static")
    return tmp_path


def test_it_is_made_from_scratch(path: Path) -> None:
    podman = program(path, "podman", KEEPS)
    plain_images.build("localhost/x:1", 'CMD ["/busybox"]')
    lines = Path(f"{podman}.seen").read_text().splitlines()
    assert (lines[0], lines[-1]) == ("FROM scratch", 'CMD ["/busybox"]')
    assert "--tag=localhost/x:1" in Path(f"{podman}.words").read_text()


def test_an_engine_that_refuses_is_told(path: Path) -> None:
    program(path, "podman", FAILS)
    with pytest.raises(DevnetError, match="podman cannot build localhost/x:1: Error: no room"):
        plain_images.build("localhost/x:1")


def test_what_this_machine_lacks_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(path))
    with pytest.raises(DevnetError, match="apt-get install podman busybox-static"):
        plain_images.build("localhost/x:1")
    (path / "busybox-static").write_bytes(b"\x7fELF /lib64/ld-linux-x86-64.so.2")
    with pytest.raises(DevnetError, match="no static busybox"):
        plain_images.build("localhost/x:1")

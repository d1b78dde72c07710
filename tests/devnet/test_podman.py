"""Building an image from one static file, and the errors where that fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.devnet import podman
from reconciler.devnet.errors import DevnetError
from reconciler.devnet.podman import WorkloadContainers

FAILS = "#!/bin/sh\necho Error: one >&2\necho Error: no room >&2\nexit 125\n"
RECORDS = '#!/bin/sh\ncp Containerfile "$0.seen"\necho "$@" > "$0.words"\n'


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


def test_an_image_is_built_from_scratch(path: Path) -> None:
    recorder = program(path, "podman", RECORDS)
    podman.build("localhost/x:1", 'CMD ["/busybox"]')
    lines = Path(f"{recorder}.seen").read_text().splitlines()
    assert (lines[0], lines[-1]) == ("FROM scratch", 'CMD ["/busybox"]')
    assert "--tag=localhost/x:1" in Path(f"{recorder}.words").read_text()


def test_a_failed_build_is_reported(path: Path) -> None:
    program(path, "podman", FAILS)
    with pytest.raises(DevnetError, match="podman cannot build localhost/x:1: Error: no room"):
        podman.build("localhost/x:1")


def test_a_missing_program_is_reported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(path))
    with pytest.raises(DevnetError, match="apt-get install podman busybox-static"):
        podman.build("localhost/x:1")
    (path / "busybox-static").write_bytes(b"\x7fELF /lib64/ld-linux-x86-64.so.2")
    with pytest.raises(DevnetError, match="no static busybox"):
        podman.build("localhost/x:1")


def test_a_host_without_podman_and_without_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    containers = WorkloadContainers(9)
    assert containers.page() == ""
    with pytest.raises(DevnetError, match="podman ps: "):
        containers.objects("1-1-1-aaaaaaaaaa")

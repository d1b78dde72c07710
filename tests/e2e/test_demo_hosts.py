"""The demo on hosts: a real container on this machine, by `make live`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reconciler.devnet.demo_hosts import HostDemo
from tests.e2e.processes import run


def test_names_and_titles_of_the_steps() -> None:
    steps = HostDemo().steps()
    assert len({step.name for step in steps}) == len({step.title for step in steps}) == len(steps)
    assert [step.name for step in steps][2:7] == ["deployed", "repaired", "paused", "resumed", "removed"]


@pytest.mark.live
@pytest.mark.timeout(240)
def test_a_lease_becomes_a_container_that_comes_back(tmp_path: Path) -> None:
    if shutil.which("podman") is None:
        pytest.skip("this machine has no podman: apt-get install podman busybox-static")
    home = tmp_path / "world"
    done = run("demo", "--adapter", "ansible", "--keep", str(home))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    for step in HostDemo().steps():
        assert step.title in done.stdout
    assert "every step had its effect" in done.stdout
    assert list((home / "records").iterdir()) == []

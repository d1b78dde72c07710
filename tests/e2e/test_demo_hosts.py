"""The story on plain hosts: a real container on this machine, by `make live`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reconciler.devnet.story_hosts import Hosts
from tests.e2e.processes import run


def test_every_step_has_words_of_its_own() -> None:
    steps = Hosts().steps()
    assert len({step.name for step in steps}) == len({step.tells for step in steps}) == len(steps)
    assert [step.name for step in steps][2:7] == ["deployed", "repaired", "paused", "resumed", "removed"]


@pytest.mark.live
@pytest.mark.timeout(240)
def test_a_lease_becomes_a_container_that_comes_back(tmp_path: Path) -> None:
    if shutil.which("podman") is None:
        pytest.skip("this machine has no podman: apt-get install podman busybox-static")
    home = tmp_path / "world"
    done = run("demo", "--adapter", "ansible", "--keep", str(home))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    for step in Hosts().steps():
        assert step.tells in done.stdout
    assert "every step was seen" in done.stdout
    assert list((home / "records").iterdir()) == []

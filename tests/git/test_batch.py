"""A session of `git cat-file` answers many requests, and a broken one is replaced by the next request."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.git import batch
from reconciler.git.batch import ObjectReader
from reconciler.git.clone import Clone
from tests.git.forge import Forge


@pytest.fixture
def clone(forge: Forge, tmp_path: Path) -> Clone:
    forge.commit(a="1", folder__b="22")
    return Clone(forge.path, tmp_path / "home")


def counted(clone: Clone) -> tuple[ObjectReader, list[subprocess.Popen[bytes]]]:
    """A reader of the clone, and the processes that it starts."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        started.append(clone._runner.start(*batch.COMMAND))
        return started[-1]

    return ObjectReader(start), started


def test_all_requests_go_to_one_process(clone: Clone) -> None:
    reader, started = counted(clone)
    found = reader.info(["HEAD:a", "HEAD:none", "HEAD:folder", "HEAD^{commit}", "a\nb", ""])
    assert {name: info.kind for name, info in found.items()} == {
        "HEAD:a": "blob",
        "HEAD:folder": "tree",
        "HEAD^{commit}": "commit",
    }
    file = found["HEAD:a"]
    assert reader.contents({file.id: file.size, "0" * 40: 1}) == {file.id: b"1"}
    reader.close()
    reader.close()
    assert len(started) == 1
    assert started[0].returncode is not None


def test_a_killed_process_is_replaced_by_the_next_request(clone: Clone) -> None:
    reader, started = counted(clone)
    assert reader.info(["HEAD:a"])
    started[0].kill()
    started[0].wait()
    assert reader.info(["HEAD:a"]) == {}
    assert reader.info(["HEAD:a"])
    assert len(started) == 2
    reader.close()


def test_a_process_that_hangs_is_killed(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "LOCAL_SECONDS", 0.2)
    reader = ObjectReader(lambda: clone._runner.start("fast-import", "--quiet"))
    assert reader.info(["HEAD:a"]) == {}


def test_thousands_of_requests_at_once(clone: Clone) -> None:
    reader, _ = counted(clone)
    size = reader.info(["HEAD:a"])["HEAD:a"].size
    names = [f"HEAD:none-{n}-{'x' * 200}" for n in range(5_000)]
    assert reader.info([*names, "HEAD:a"])["HEAD:a"].size == size
    reader.close()

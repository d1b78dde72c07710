"""One command: bounded in time and bytes, blind to the surroundings."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from reconciler.git import git_process
from reconciler.git.git_environment import make_environment
from reconciler.git.git_errors import git_error
from reconciler.git.git_process import GIT_MISSING, TIMED_OUT, TOO_LONG, GitResult, GitRunner, with_limits
from reconciler.git.remote import Remote
from tests.git.forge import Forge


@pytest.fixture
def runner(forge: Forge, tmp_path: Path) -> GitRunner:
    forge.commit(config_yaml="kind: Config\n")
    world = make_environment(Remote(str(forge.path)), tmp_path / "git", forge.path / ".git")
    return GitRunner(world, tmp_path)


def test_output_input_and_errors(runner: GitRunner) -> None:
    assert runner.run("hash-object", "--stdin", stdin=b"").text == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    failed = runner.run("rev-parse", "--verify", "nothing")
    assert failed.code == 128
    assert "fatal" in failed.errors


def test_a_command_that_takes_too_long_is_killed_with_its_children(
    runner: GitRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive = tmp_path / "alive"
    script = f"sleep 1; echo > {alive}"
    started = time.monotonic()
    ran = runner.run("-c", f"alias.slow=!{script}", "slow", seconds=0.2)
    assert ran.code == TIMED_OUT
    assert time.monotonic() - started < 0.9
    time.sleep(1.1)
    assert not alive.exists()


def test_a_command_with_too_much_output_is_killed(runner: GitRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_process, "OUTPUT_BYTES_MAX", 100_000)
    ran = runner.run("-c", "alias.loud=!yes", "loud", seconds=20)
    assert ran.code == TOO_LONG
    assert len(ran.output) <= 100_000


def test_a_large_input_and_a_large_output_do_not_block_each_other(runner: GitRunner) -> None:
    blob = runner.run("hash-object", "-w", "--stdin", stdin=b"x" * 200_000).text
    ran = runner.run("cat-file", "--batch", "--buffer", stdin=f"{blob}\n".encode() * 100)
    assert ran.code == 0
    assert len(ran.output) > 100 * 200_000


def test_a_command_that_ignores_its_input(runner: GitRunner) -> None:
    assert runner.run("rev-parse", "HEAD", stdin=b"x" * 1_000_000).code == 0


def test_settings_and_variables_of_the_machine_are_not_seen(
    runner: GitRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = Somebody\n[alias]\n\tx = !id\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert runner.run("config", "user.name").code == 1
    assert runner.run("x").code != 0


def test_written_files_are_limited(runner: GitRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_process, "WRITTEN_BYTES_MAX", 10_000)
    noise = bytes(range(256)) * 4 + b"".join(str(n).encode() for n in range(100_000))
    assert runner.run("hash-object", "-w", "--stdin", stdin=noise).code != 0


def test_memory_is_limited_for_children_too(runner: GitRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_process, "MEMORY_BYTES_MAX", 64 * 1024 * 1024)
    ran = runner.run("-c", "alias.child=!ulimit -v", "child")
    assert ran.text == str(64 * 1024)
    big = b"x" * (70 * 1024 * 1024)
    blob = runner.run("hash-object", "-w", "--stdin", stdin=big)
    assert blob.code != 0
    assert "memory" in git_error(blob, Remote("https://h/a.git")), blob.errors


def test_processor_time_is_limited() -> None:
    ran = subprocess.run(with_limits(["sh", "-c", "while :; do :; done"], 2), check=False, timeout=60)
    assert GitResult(ran.returncode, b"", "").hit_limit
    assert "60 s of CPU time" in git_error(GitResult(ran.returncode, b"", ""), Remote("https://h/a.git"))


def test_a_stricter_limit_of_the_machine_is_no_error() -> None:
    asked = with_limits(["sh", "-c", "ulimit -t"], 60)
    strict = ["sh", "-c", 'ulimit -t 7; exec "$@"', "sh", *asked]
    ran = subprocess.run(strict, check=True, capture_output=True)
    assert ran.stdout in (b"7\n", b"30\n"), "root may raise it"
    assert ran.stderr == b""


def test_a_missing_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_environment(Remote("/x"), tmp_path / "git", tmp_path / "mirror.git")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert GitRunner(world, tmp_path).run("version").code == GIT_MISSING

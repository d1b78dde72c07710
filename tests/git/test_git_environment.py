"""The world that git runs in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from reconciler.git.git_environment import FORCED, make_environment
from reconciler.git.remote import Remote


def test_passwords_are_in_a_private_file(tmp_path: Path) -> None:
    world = make_environment(Remote("https://me:tok@h/a.git"), tmp_path / "git", tmp_path / "mirror.git")
    assert world.url == "https://h/a.git"
    assert "tok" not in repr(world)
    store = tmp_path / "git" / "credentials"
    assert store.read_text() == "https://me:tok@h\n"
    assert store.stat().st_mode & 0o777 == 0o600
    assert f"store --file='{store}'" in (tmp_path / "git" / "config").read_text()


def test_variables_of_our_own_process_are_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", "/elsewhere")
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    world = make_environment(Remote("/x"), tmp_path / "git", tmp_path / "mirror.git")
    assert "GIT_OBJECT_DIRECTORY" in world.hidden
    assert world.variables["GIT_DIR"] == str(tmp_path / "mirror.git")


def test_git_understands_the_configuration(tmp_path: Path) -> None:
    odd = tmp_path / 'a "quoted" # name'
    remote = Remote(str(odd), allowed_signers=odd / "signers", credentials=odd / "it's")
    make_environment(remote, tmp_path / "git", tmp_path / "mirror.git")

    def asked(*arguments: str) -> str:
        config = str(tmp_path / "git" / "config")
        ran = subprocess.run(["git", "config", "--file", config, *arguments], capture_output=True, check=True)
        return ran.stdout.decode().strip()

    assert str(odd) in asked("--get-all", "safe.directory").splitlines()
    assert asked("core.hooksPath") == "/dev/null"
    assert asked("--get-all", "credential.helper").endswith("it'\\''s' get; }; f")
    assert asked("transfer.fsckObjects") == "true"


def test_the_repositorys_own_configuration_is_overridden(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "its")], check=True)
    world = make_environment(
        Remote("/x", allowed_signers=Path("/ours")), tmp_path / "git", tmp_path / "its/.git"
    )

    def git(*arguments: str) -> str:
        command = ["git", "config", *arguments]
        ran = subprocess.run(command, env=dict(os.environ) | world.variables, capture_output=True, check=True)
        return ran.stdout.decode().strip()

    for key, value in (*FORCED, ("gpg.ssh.allowedSignersFile", "/ours")):
        git("--local", key, "theirs")
        assert git(key) == value

"""A clone whose own configuration, files or links would have git run, fetch, write or believe something."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.git.clone import Clone, CloneError
from tests.git.forge import ENVIRONMENT, Forge
from tests.git.keys import signing_keys


class Trap:
    """A program that leaves a mark when it is run."""

    def __init__(self, folder: Path) -> None:
        self.mark = folder / "was-run"
        self.path = folder / "trap"
        self.path.write_text(f"#!/bin/sh\ntouch {self.mark}\nexit 1\n")
        self.path.chmod(0o755)


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path)


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], env=ENVIRONMENT, check=True, capture_output=True)


@pytest.mark.parametrize("key", ["gpg.ssh.program", "gpg.program", "core.fsmonitor"])
def test_configured_programs_are_not_run(forge: Forge, tmp_path: Path, trap: Trap, key: str) -> None:
    keys = signing_keys(tmp_path)
    for name, value in (("gpg.format", "ssh"), ("user.signingkey", str(keys / "listed"))):
        forge.git("config", name, value)
    made = forge.commit("signed", "-S", a="1")
    forge.git("config", "log.showSignature", "true")
    forge.git("config", key, str(trap.path))
    forge.write(a="2")
    clone = Clone(forge.path, tmp_path / "home", allowed_signers=keys / "allowed")
    assert clone.commit(made).signer == "olga@example.com"
    assert clone.messages("", made) == ("signed",)
    assert clone.uncommitted() == ("a",)
    assert not trap.mark.exists()


def test_signers_that_the_clone_configures_are_ignored(forge: Forge, tmp_path: Path) -> None:
    keys = signing_keys(tmp_path)
    theirs = tmp_path / "theirs"
    theirs.write_text(f'eve@example.com namespaces="git" {(keys / "stranger.pub").read_text()}')
    forge.git("config", "gpg.format", "ssh")
    forge.git("config", "gpg.ssh.allowedSignersFile", str(theirs))
    forge.git("config", "user.signingkey", str(keys / "stranger"))
    made = forge.commit("by a stranger", "-S")
    assert Clone(forge.path, tmp_path / "home", allowed_signers=keys / "allowed").signer(made) is None


def test_a_partial_clone_fetches_nothing_and_is_an_error(forge: Forge, tmp_path: Path, trap: Trap) -> None:
    made = forge.commit(pricing_yaml="1")
    forge.git("config", "uploadpack.allowFilter", "true")
    part = tmp_path / "part"
    git("clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{forge.path}", str(part))
    git("-C", str(part), "config", "remote.origin.uploadpack", str(trap.path))
    with pytest.raises(CloneError, match="clone without --filter"):
        Clone(part, tmp_path / "home").commit(made)
    assert not trap.mark.exists()


def test_a_bare_repository_inside_a_commit_is_not_the_clone(forge: Forge, tmp_path: Path) -> None:
    made = forge.commit(a="1")
    git("clone", "--quiet", "--bare", str(forge.path), str(forge.path / "provider"))
    forge.commit(provider__config_yaml="1")
    assert Clone(forge.path / "provider", tmp_path / "home").resolve("HEAD~1") == made


def test_a_bare_clone_is_a_clone(forge: Forge, tmp_path: Path) -> None:
    made = forge.commit(a="1")
    git("clone", "--quiet", "--bare", str(forge.path), str(tmp_path / "bare"))
    clone = Clone(tmp_path / "bare", tmp_path / "home")
    assert clone.commit(clone.resolve("HEAD")).id == made
    assert clone.uncommitted() == ()


@pytest.mark.parametrize("words", ["gitdir: /nowhere/at/all\n", "something else", ""])
def test_a_dangling_git_file_is_an_error(tmp_path: Path, words: str) -> None:
    (tmp_path / ".git").write_text(words)
    with pytest.raises(CloneError, match="names no existing git repository"):
        Clone(tmp_path, tmp_path / "home")


def test_a_merge_writes_nothing_into_the_clone(forge: Forge, tmp_path: Path) -> None:
    forge.commit(a="1")
    forge.git("switch", "--quiet", "-c", "side")
    side = forge.commit(b="2")
    forge.git("switch", "--quiet", "main")
    main = forge.commit(c="2")
    before = sorted((forge.path / ".git").rglob("*"))
    clone = Clone(forge.path, tmp_path / "home")
    assert clone.commit(side, clone.merged(main, side)).files.keys() == {"a", "b", "c"}
    assert sorted((forge.path / ".git").rglob("*")) == before


def test_unrelated_histories_have_their_own_error(forge: Forge, tmp_path: Path) -> None:
    main = forge.commit(a="1")
    forge.git("switch", "--quiet", "--orphan", "other")
    other = forge.commit(a="2")
    with pytest.raises(CloneError, match=r"no common ancestor in this clone.*--unshallow"):
        Clone(forge.path, tmp_path / "home").merged(main, other)

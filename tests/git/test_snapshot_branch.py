"""A branch that holds one commit without a parent, of which the state directory keeps nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.git.remote import Remote
from reconciler.git.repository import GitRepository
from reconciler.values.outcomes import Done, Failed
from reconciler.values.repository import BranchCommit
from tests.git.forge import Forge
from tests.git.keys import signing_keys

BRANCH = "snapshot/provider"


def snapshot(content: bytes = b"{}\n") -> BranchCommit:
    return BranchCommit(BRANCH, {"snapshot.json": content}, "Planning snapshot of provider", replaces=True)


def test_a_snapshot_is_the_only_commit_of_its_branch(repository: GitRepository, forge: Forge) -> None:
    forge.commit()
    for content in (b"1\n", b"2\n"):
        assert isinstance(repository.publish(snapshot(content)), Done)
        assert forge.git("rev-list", "--count", BRANCH) == "1"
        assert forge.git("show", f"{BRANCH}:snapshot.json") == content.decode().strip()


def test_the_state_directory_keeps_no_snapshot(repository: GitRepository, forge: Forge, state: Path) -> None:
    forge.commit()
    repository.publish(snapshot(b"unique content\n"))
    assert not (state / "scratch.git").exists()
    made = forge.git("rev-parse", BRANCH)
    assert not list((state / "mirror.git" / "objects").rglob(made[2:]))


def test_a_scratch_repository_left_by_a_kill_is_replaced(
    repository: GitRepository, forge: Forge, state: Path
) -> None:
    forge.commit()
    (state / "scratch.git" / "objects").mkdir(parents=True)
    (state / "scratch.git" / "HEAD").write_text("half")
    assert isinstance(repository.publish(snapshot()), Done)


def test_the_desired_branch_is_never_replaced(repository: GitRepository, forge: Forge) -> None:
    forge.commit()
    commit = BranchCommit("main", {"snapshot.json": b""}, "no", replaces=True)
    assert isinstance(repository.publish(commit), Failed)
    assert forge.log("main") == ["a change"]


def test_a_rejected_snapshot_names_the_reason(repository: GitRepository, forge: Forge) -> None:
    forge.commit()
    forge.git("config", "receive.hideRefs", "refs/heads/snapshot")
    outcome = repository.publish(snapshot())
    assert isinstance(outcome, Failed)
    assert "rejects commits on snapshot/provider: deny updating a hidden ref" in outcome.why


@pytest.mark.parametrize("replaces", [True, False])
def test_commits_are_signed_if_a_key_is_configured(
    forge: Forge, state: Path, tmp_path: Path, replaces: bool
) -> None:
    forge.commit()
    keys = signing_keys(tmp_path)
    repository = GitRepository(Remote(str(forge.path), signing_key=keys / "listed"), state)
    for content in (b"1\n", b"2\n"):
        commit = BranchCommit(BRANCH, {"a.json": content}, "Signed\n\nBody", (("Tx-Hash", "AA"),), replaces)
        assert isinstance(repository.publish(commit), Done)
    forge.git("config", "gpg.ssh.allowedSignersFile", str(keys / "allowed"))
    assert forge.git("log", "-1", "--format=%G?", BRANCH) == "G"
    assert forge.git("log", "-1", "--format=%(trailers:key=Tx-Hash,valueonly)", BRANCH) == "AA"
    assert forge.git("rev-list", "--count", BRANCH) == ("1" if replaces else "2")


def test_a_missing_signing_key_is_an_error(forge: Forge, state: Path, tmp_path: Path) -> None:
    forge.commit()
    repository = GitRepository(Remote(str(forge.path), signing_key=tmp_path / "none"), state)
    outcome = repository.publish(snapshot())
    assert isinstance(outcome, Failed)
    assert "repository.signing_key" in outcome.why


def test_a_signing_key_with_a_passphrase_does_not_prompt(
    forge: Forge, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forge.commit()
    key, prompted = tmp_path / "locked", tmp_path / "prompted"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(key)], check=True)
    (tmp_path / "askpass").write_text(f"#!/bin/sh\ntouch {prompted}\necho secret\n")
    (tmp_path / "askpass").chmod(0o755)
    for name, value in (("SSH_ASKPASS", str(tmp_path / "askpass")), ("SSH_ASKPASS_REQUIRE", "force")):
        monkeypatch.setenv(name, value)
    outcome = GitRepository(Remote(str(forge.path), signing_key=key), state).publish(snapshot())
    assert isinstance(outcome, Failed)
    assert "without a passphrase" in outcome.why
    assert not prompted.exists()

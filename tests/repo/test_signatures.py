"""Who signed: only those on the host's list count."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.repo.mirror import Mirror
from reconciler.repo.place import Place
from reconciler.repo.signatures import signer
from tests.repo.forge import Forge
from tests.repo.keys import signing_keys


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return signing_keys(tmp_path_factory.mktemp("keys"))


def signed_by(forge: Forge, key: Path | None) -> str:
    if key is None:
        return forge.commit("unsigned")
    forge.git("config", "gpg.format", "ssh")
    forge.git("config", "user.signingkey", str(key))
    return forge.commit("signed", "-S")


def told(forge: Forge, state: Path, commit: str, allowed: Path | None) -> str | None:
    mirror = Mirror(Place(str(forge.path), allowed_signers=allowed), state)
    with mirror.held():
        mirror.fetch("refs/heads/main", "refs/reconciler/desired")
        return signer(mirror, commit)


def test_a_listed_signer_is_named(forge: Forge, state: Path, keys: Path) -> None:
    commit = signed_by(forge, keys / "listed")
    assert told(forge, state, commit, keys / "allowed") == "olga@example.com"


@pytest.mark.parametrize("key", ["stranger", None])
def test_nobody_else_is(forge: Forge, state: Path, keys: Path, key: str | None) -> None:
    commit = signed_by(forge, keys / key if key else None)
    assert told(forge, state, commit, keys / "allowed") is None


def test_without_a_list_nobody_is(forge: Forge, state: Path, keys: Path) -> None:
    assert told(forge, state, signed_by(forge, keys / "listed"), None) is None


def test_a_list_that_is_gone_names_nobody(forge: Forge, state: Path, keys: Path) -> None:
    assert told(forge, state, signed_by(forge, keys / "listed"), keys / "gone") is None


def test_a_changed_commit_is_not_signed(forge: Forge, state: Path, keys: Path) -> None:
    commit = signed_by(forge, keys / "listed")
    raw = forge.git("cat-file", "commit", commit) + "\n"
    forged = forge.git(
        "hash-object", "-t", "commit", "-w", "--stdin", given=raw.replace("signed", "forged").encode()
    )
    forge.git("update-ref", "refs/heads/main", forged)
    assert told(forge, state, forged, keys / "allowed") is None

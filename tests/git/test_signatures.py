"""Who signed: only those on the host's list count."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from reconciler.git.mirror import Mirror
from reconciler.git.remote import Remote
from reconciler.git.signatures import signer
from tests.git.forge import Forge
from tests.git.keys import signing_keys


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
    mirror = Mirror(Remote(str(forge.path), allowed_signers=allowed), state)
    with mirror.locked():
        mirror.fetch("refs/heads/main", "refs/reconciler/desired")
        return signer(mirror, commit)


def test_a_listed_signer_is_the_signer(forge: Forge, state: Path, keys: Path) -> None:
    commit = signed_by(forge, keys / "listed")
    assert told(forge, state, commit, keys / "allowed") == "olga@example.com"


@pytest.mark.parametrize("key", ["stranger", None])
def test_other_signatures_have_no_signer(forge: Forge, state: Path, keys: Path, key: str | None) -> None:
    commit = signed_by(forge, keys / key if key else None)
    assert told(forge, state, commit, keys / "allowed") is None


def test_without_a_list_there_is_no_signer(forge: Forge, state: Path, keys: Path) -> None:
    assert told(forge, state, signed_by(forge, keys / "listed"), None) is None


def test_a_missing_list_has_no_signer(forge: Forge, state: Path, keys: Path) -> None:
    assert told(forge, state, signed_by(forge, keys / "listed"), keys / "gone") is None


def test_a_changed_commit_is_not_signed(forge: Forge, state: Path, keys: Path) -> None:
    commit = signed_by(forge, keys / "listed")
    raw = forge.git("cat-file", "commit", commit) + "\n"
    forged = forge.git(
        "hash-object", "-t", "commit", "-w", "--stdin", stdin=raw.replace("signed", "forged").encode()
    )
    forge.git("update-ref", "refs/heads/main", forged)
    assert told(forge, state, forged, keys / "allowed") is None


def stamp(seconds: float) -> str:
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds))


def allowing(folder: Path, options: str, public: Path) -> Path:
    listed = folder / "signers"
    listed.write_text(f"# a list\n\nolga@example.com {options} {public.read_text()}")
    return listed


def dated(forge: Forge, key: Path, seconds: float) -> str:
    """A signed commit that gives itself a date so far from now."""
    forge.git("config", "gpg.format", "ssh")
    forge.git("config", "user.signingkey", str(key))
    tree = forge.git("write-tree")
    who = f"Olga Operator <olga@example.com> {int(time.time() + seconds)} +0000"
    payload = f"tree {tree}\nauthor {who}\ncommitter {who}\n\nPrices\n"
    signature = subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", str(key)],
        input=payload.encode(),
        capture_output=True,
        check=True,
    ).stdout.decode()
    header = "gpgsig " + signature.strip().replace("\n", "\n ")
    head, _, message = payload.partition("\n\n")
    raw = f"{head}\n{header}\n\n{message}"
    commit = forge.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=raw.encode())
    forge.git("update-ref", "refs/heads/main", commit)
    return commit


DAY = 86_400
VALIDITY = {
    "retired, dated before": (f'valid-before="{stamp(-DAY)}"', -2 * DAY, False),
    "retired, dated now": (f'valid-before="{stamp(-DAY)}"', 0, False),
    "not yet, dated after": (f'valid-after="{stamp(DAY)}"', 2 * DAY, False),
    "valid, dated before it was": (f'valid-after="{stamp(-DAY)}"', -3 * DAY, True),
    "valid, dated after it ends": (f'valid-before="{stamp(DAY)}"', 3 * DAY, True),
    "within": (f'valid-after="{stamp(-DAY)}",valid-before="{stamp(DAY)}"', 0, True),
}


@pytest.mark.parametrize("name", VALIDITY)
def test_a_key_must_be_valid_now_whatever_the_date_of_the_commit(
    forge: Forge, state: Path, keys: Path, tmp_path: Path, name: str
) -> None:
    validity, seconds, good = VALIDITY[name]
    allowed = allowing(tmp_path, f'namespaces="git",{validity}', keys / "listed.pub")
    commit = dated(forge, keys / "listed", seconds)
    assert told(forge, state, commit, allowed) == ("olga@example.com" if good else None)


@pytest.mark.parametrize(("validity", "good"), [("-1d:+1d", True), ("-3d:-1d", False), ("+1d:+2d", False)])
def test_a_certificate_of_a_listed_authority_is_accepted_while_valid(
    forge: Forge, state: Path, tmp_path: Path, validity: str, good: bool
) -> None:
    keys = signing_keys(tmp_path)
    certify = ["-I", "olga", "-n", "olga@example.com", "-V", validity, str(keys / "listed.pub")]
    subprocess.run(["ssh-keygen", "-q", "-s", str(keys / "stranger"), *certify], check=True)
    allowed = allowing(tmp_path, 'cert-authority,namespaces="git"', keys / "stranger.pub")
    (keys / "listed.pub").unlink()
    commit = dated(forge, keys / "listed-cert.pub", -2 * DAY)
    assert told(forge, state, commit, allowed) == ("olga@example.com" if good else None)


@pytest.mark.parametrize(("namespaces", "good"), [("file,git", True), ("file", False), ("git,file", True)])
def test_a_signature_of_another_namespace_has_no_signer(
    forge: Forge, state: Path, keys: Path, tmp_path: Path, namespaces: str, good: bool
) -> None:
    allowed = allowing(tmp_path, f'namespaces="{namespaces}"', keys / "listed.pub")
    commit = dated(forge, keys / "listed", 0)
    assert told(forge, state, commit, allowed) == ("olga@example.com" if good else None)

"""What a restore takes for a backup, where it puts it, and what it asks first."""

from __future__ import annotations

import hashlib
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.chain.keyring import create_keyring
from reconciler.chain.keys import key_from_words, new_words
from reconciler.cli.host import restore as command
from reconciler.cli.host.archive import SEAL, digest_of
from reconciler.journal.database import NAME
from tests.cli.backup_home import WORD, Change, Home, Said, backed_up, changed, make_home, members_of, written

Manifest = dict[str, Any]
Members = dict[str, bytes]


@pytest.fixture
def home(tmp_path: Path, capsys: Said) -> Home:
    return make_home(tmp_path, capsys)


def files_below(directory: Path) -> list[str]:
    found = directory.rglob("*") if directory.exists() else ()
    return sorted(str(path.relative_to(directory)) for path in found if path.is_file())


def replacing(name: str, content: bytes) -> Change:
    """A member of other bytes, with the digest to match."""

    def change(manifest: Manifest, members: Members) -> None:
        members[name] = content
        manifest["files"][name] = hashlib.sha256(content).hexdigest()

    return change


def _newer_format(manifest: Manifest, _: Members) -> None:
    manifest.update(format=3, program="9.0", more={})


def _older_format(manifest: Manifest, _: Members) -> None:
    manifest.update(format=1, program="0.1.0")


def _newer_journal(manifest: Manifest, _: Members) -> None:
    manifest.update(journal=99, program="9.0")


def _other_bytes(_: Manifest, members: Members) -> None:
    members["keyring/provider.info"] += b"x"


def _a_member_too_few(_: Manifest, members: Members) -> None:
    del members[NAME]


def _no_backup(manifest: Manifest, _: Members) -> None:
    manifest.clear()


def _escapes(manifest: Manifest, _: Members) -> None:
    manifest["provider\x1b[2J"] = 1


REFUSED: list[tuple[Change, str]] = [
    (_newer_format, "a newer provider-daemon (9.0) wrote it"),
    (_older_format, "provider-daemon 0.1.0 wrote it without authentication"),
    (_newer_journal, "a newer provider-daemon (9.0) wrote it"),
    (_other_bytes, "'keyring/provider.info' is missing or changed"),
    (_a_member_too_few, "'journal.sqlite' is missing or changed"),
    (_no_backup, "backup.json: format: Field required"),
    (_escapes, "backup.json: provider[2J: Extra inputs are not permitted"),
    (replacing("state/../../out", b"x"), "contains 'state/../../out', which is not allowed in a backup"),
    (
        replacing("state/.ssh/config", b"ProxyCommand touch /tmp/x"),
        "contains 'state/.ssh/config', which is not allowed in a backup",
    ),
    (replacing("state/mirror.git/config", b"[core]"), "which is not allowed in a backup"),
    (replacing("keyring/../x.info", b"x"), "which is not allowed in a backup"),
    (replacing("state/git/config", b"x"), "which is not allowed in a backup"),
    (replacing("drain", b"x"), "which is not allowed in a backup"),
    (replacing("state/drain", b"x" * (2 << 20)), "with 2097152 bytes, which is too large for it"),
]


@pytest.mark.parametrize(("change", "words"), REFUSED)
@pytest.mark.parametrize("sealed", [False, True])
def test_unlisted_members_are_rejected_even_if_authenticated(
    home: Home, tmp_path: Path, change: Change, words: str, sealed: bool
) -> None:
    file = changed(backed_up(home, tmp_path), change, home if sealed else None)
    for options in ((), ("--trust", digest_of(file))):
        code, _, err = Home(tmp_path / "b", home.said).restore(file, *options)
        assert (code, words in err) == (1, True), err
    assert files_below(tmp_path / "b") == []
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name",
    ["state/drain", "host.yaml", "state/adapters/ansible/places.json", "journal.sqlite", "keyring/keyhash"],
)
def test_a_changed_backup_with_matching_digests_is_rejected(home: Home, tmp_path: Path, name: str) -> None:
    file = changed(backed_up(home, tmp_path), replacing(name, b"repository: {url: https://evil.example/a}"))
    code, _, err = Home(tmp_path / "b", home.said).restore(file)
    assert (code, "was changed after it was written: its HMAC does not match" in err) == (1, True), err
    assert files_below(tmp_path / "b") == []


@pytest.mark.parametrize("seal", [b"0" * 64, b"\xff" * 64])
def test_another_hmac_is_rejected(home: Home, tmp_path: Path, seal: bytes) -> None:
    file = written(tmp_path / "other.tar", members_of(backed_up(home, tmp_path)) | {SEAL: seal})
    code, _, err = Home(tmp_path / "b", home.said).restore(file)
    assert (code, "its HMAC does not match" in err) == (1, True), err


def test_another_keyring_does_not_authenticate(home: Home, tmp_path: Path) -> None:
    """Everything is replaced: another key, sealed with another passphrase, authenticates a host file that
    names a passphrase file of known content.
    """
    (tmp_path / "evil").mkdir()
    evil = make_home(tmp_path / "evil", home.said)
    shutil.rmtree(evil.state / "keyring")
    create_keyring(evil.state / "keyring", "evil passphrase").add("provider", key_from_words(new_words()))
    (evil.directory / "passphrase").write_text("evil passphrase")
    file = backed_up(evil, tmp_path / "evil")
    other = Home(tmp_path / "b", home.said)
    code, _, err = other.run("restore", str(file), "--yes", "--passphrase-file", str(tmp_path / "passphrase"))
    assert (code, "cannot be decrypted with this passphrase" in err) == (1, True)
    code, _, err = other.run("restore", str(file), "--yes")
    assert (code, "its origin is not proven" in err) == (1, True), err
    assert files_below(other.directory) == []


def test_an_unencrypted_keyring_does_not_authenticate(home: Home, tmp_path: Path) -> None:
    def unsealed(manifest: Manifest, _: Members) -> None:
        manifest["backend"] = "test"

    file = changed(backed_up(home, tmp_path), unsealed, home)
    code, _, err = Home(tmp_path / "b", home.said).restore(file)
    assert (code, "its keyring is not encrypted" in err, digest_of(file) in err) == (1, True, True)


def test_a_trusted_digest_replaces_the_passphrase_for_that_file_only(home: Home, tmp_path: Path) -> None:
    file = backed_up(home, tmp_path)
    other = Home(tmp_path / "b", home.said)
    code, _, err = other.run("restore", str(file), "--yes", "--trust", "0" * 64)
    assert (code, f"its sha256 is {digest_of(file)}, not the one given" in err) == (1, True)
    longer = tmp_path / "longer.tar"
    longer.write_bytes(file.read_bytes() + b"x")
    assert other.run("restore", str(longer), "--yes", "--trust", digest_of(file))[0] == 1
    assert other.run("restore", str(file), "--yes", "--trust", digest_of(file).upper())[0] == 0


def test_an_existing_host_file_gives_the_passphrase(home: Home, tmp_path: Path) -> None:
    file = backed_up(home, tmp_path)
    shutil.rmtree(home.state)
    assert home.run("restore", str(file), "--yes")[0] == 0


def test_relative_paths_are_restored(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    default = tmp_path / "etc" / "provider-daemon.yaml"
    monkeypatch.setattr("reconciler.settings.DEFAULT_HOST_FILE", default)
    file = backed_up(home, tmp_path)
    before = files_below(home.directory)
    shutil.rmtree(home.directory)
    words = ("restore", str(file), "--yes", "--passphrase-file", str(tmp_path / "passphrase"))
    code, out, _ = home.run_anywhere(*words)
    assert code == 0
    assert not default.parent.exists()
    lost = set(before) - set(files_below(home.directory))
    assert {name for name in lost if NAME not in name} == {"passphrase", "state/mirror.git/HEAD"}
    assert f"  write     {home.directory / 'host.yaml'}\n" in out
    assert f"  write     {home.state / NAME}\n" in out


def test_to_restores_below_another_directory(home: Home, tmp_path: Path) -> None:
    host = home.directory / "host.yaml"
    host.write_text(host.read_text().replace("state: state", "state: ../../../../../../../state"))
    shutil.move(home.state, home.directory / "kept")
    file = backed_up(home, tmp_path)
    to = tmp_path / "to"
    words = ("restore", str(file), "--yes", "--trust", digest_of(file), "--to", str(to))
    assert home.run_anywhere(*words)[0] == 0
    assert (to / str(host)[1:]).read_text() == host.read_text()
    assert (to / "state" / "daemon.lock").exists()
    code, _, err = home.run_anywhere(*words)
    assert (code, f"{to} is not empty" in err) == (1, True)


def test_nothing_is_written_without_confirmation(home: Home, tmp_path: Path) -> None:
    file = backed_up(home, tmp_path)
    other = Home(tmp_path / "b", home.said)
    code, out, err = other.run("restore", str(file), "--trust", digest_of(file))
    assert (code, "confirm with --yes" in err) == (1, True)
    assert f"  write     {other.state / 'keyring' / 'keyring-file' / 'provider.info'}\n" in out
    assert not other.directory.exists()


@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 130), (b"y\n", 0)])
def test_a_terminal_prompts_for_confirmation(home: Home, tmp_path: Path, answer: bytes, code: int) -> None:
    file, other = backed_up(home, tmp_path), tmp_path / "b" / "host.yaml"
    words = ["restore", str(file), "--trust", digest_of(file), "--host", str(other)]
    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "reconciler", *words], stdin=theirs, stdout=subprocess.PIPE
    )
    os.write(ours, answer)
    out, _ = done.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert (done.returncode, b"Write these files?" in out, other.exists()) == (code, True, code == 0)


def test_a_damaged_journal(home: Home, tmp_path: Path) -> None:
    file = changed(backed_up(home, tmp_path), replacing(NAME, b"not a database at all"), home)
    code, _, err = Home(tmp_path / "b", home.said).restore(file)
    assert (code, "Traceback" in err) == (1, False)
    assert files_below(tmp_path / "b") == ["state/daemon.lock"]


def test_a_truncated_file(home: Home, tmp_path: Path) -> None:
    file = backed_up(home, tmp_path)
    short = tmp_path / "short.tar"
    for length in (20_000, 512, 100, 0):
        short.write_bytes(file.read_bytes()[:length])
        code, _, err = Home(tmp_path / "b", home.said).restore(short)
        assert (code, "it ends too early" in err) == (1, True), err


def test_a_file_that_changes_between_check_and_extraction(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = backed_up(home, tmp_path)
    evil = members_of(file) | {"state/drain": b"x" * 3}

    def replace(*_: object, **__: object) -> None:
        content = written(tmp_path / "evil.tar", evil).read_bytes()
        with file.open("r+b") as same:
            same.write(content)

    monkeypatch.setattr(command, "_confirm", replace)
    code, _, err = Home(tmp_path / "b", home.said).restore(file)
    assert (code, "'state/drain' is missing or changed" in err) == (1, True)
    assert files_below(tmp_path / "b") == ["state/daemon.lock"]


def test_the_passphrase_is_not_taken_from_the_archives_host_file(home: Home, tmp_path: Path) -> None:
    file = backed_up(home, tmp_path)
    shutil.rmtree(home.state)
    (home.directory / "host.yaml").unlink()  # its passphrase file is still there
    code, _, err = home.run_anywhere(
        "restore", str(file), "--yes", "--host", str(tmp_path / "c" / "host.yaml")
    )
    assert (code, "its origin is not proven" in err) == (1, True)
    assert WORD in (home.directory / "passphrase").read_text()

"""Backup and restore on a state directory of the test's own."""

from __future__ import annotations

import sqlite3
import tarfile
from pathlib import Path

import pytest

from reconciler.chain.keyring import open_keyring
from reconciler.cli.host.archive import JOURNAL, KEPT_STATE, digest_of, is_listed
from reconciler.journal.database import NAME
from reconciler.journal.opening import open_journal
from reconciler.values.records import Request
from tests.cli.backup_home import HOST, Home, Said, backed_up, make_home


@pytest.fixture
def home(tmp_path: Path, capsys: Said) -> Home:
    return make_home(tmp_path, capsys)


def test_the_journals_file_name_is_the_daemons() -> None:
    assert JOURNAL == NAME


def test_only_listed_files_are_copied_and_others_are_named(home: Home, tmp_path: Path) -> None:
    secret = tmp_path / "shadow"
    secret.write_text("root's alone")
    (home.state / "notes").mkdir()
    (home.state / "notes" / "a").write_text("not the daemon's")
    (home.state / "stop-spending").symlink_to(secret)  # planted by another user to have it copied
    (home.state / "keyring" / "keyring-file" / "link.info").symlink_to(secret)
    file = tmp_path / "backup.tar"
    _, out, _ = home.run("backup", str(file))
    with tarfile.open(file) as tar:
        names = tar.getnames()
    assert all(is_listed(name) for name in names[2:])
    assert {"host.yaml", JOURNAL, "state/drain", "state/adapters/ansible/places.json"} <= set(names)
    assert not {"state/notes/a", "state/stop-spending", "keyring/link.info"} & set(names)
    assert f"not included: an unknown file in the state directory, {home.state / 'notes'}\n" in out
    assert all(is_listed(f"state/{kept}".replace("*", "east")) for kept in KEPT_STATE)


def test_a_draft_planted_beside_the_backup_is_not_followed(home: Home, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for name in (".backup.tar.new", ".backup.tar"):
        (tmp_path / name).symlink_to(victim)
    file = backed_up(home, tmp_path)
    assert victim.read_text() == "precious"
    assert not file.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_printed_digest_is_that_of_the_file(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    _, out, err = home.run("backup", str(file))
    assert f"sha256: {digest_of(file)}\n" in out
    assert "authenticated by key provider (ve1" in out
    assert err == ""


def test_a_backup_without_a_passphrase_is_written_unauthenticated(home: Home, tmp_path: Path) -> None:
    (home.directory / "passphrase").unlink()
    file = tmp_path / "backup.tar"
    code, out, err = home.run("backup", str(file))
    assert (code, "not authenticated (" in err, "authenticated by" in out) == (0, True, False)
    code, _, err = Home(tmp_path / "b", home.said).restore(file)
    assert (code, "nothing proves its origin" in err, digest_of(file) in err) == (1, True, True)
    assert Home(tmp_path / "b", home.said).restore(file, "--trust", digest_of(file))[0] == 0


def test_ssh_keys_are_not_included_and_named(home: Home, tmp_path: Path) -> None:
    ssh = home.state / ".ssh"
    ssh.mkdir()
    (ssh / "id_ed25519").write_text("a key of the forge")
    file = tmp_path / "backup.tar"
    assert f"not included: ssh's keys and known hosts, {ssh}\n" in home.run("backup", str(file))[1]
    with tarfile.open(file) as tar:
        assert not [name for name in tar.getnames() if "ssh" in name]


def test_an_ssh_directory_does_not_block_a_restore_and_is_reported_missing(
    home: Home, tmp_path: Path
) -> None:
    host = home.directory / "host.yaml"
    host.write_text(HOST.replace("https://forge.example/", "git@forge.example:"))
    other = Home(tmp_path / "b", home.said)
    file = backed_up(home, tmp_path)
    (other.state / ".ssh").mkdir(parents=True)
    code, out, _ = other.restore(file)
    assert code == 0
    assert "ssh's keys" not in out
    (_, out, _) = Home(tmp_path / "c", home.said).restore(file)
    assert f"still missing: ssh's keys and known hosts, {tmp_path / 'c' / 'state' / '.ssh'}" in out


def test_a_restore_after_a_total_loss(home: Home, tmp_path: Path) -> None:
    file = backed_up(home, tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    other = Home(tmp_path / "b" / "deeper", home.said)
    code, out, _ = other.restore(file)
    assert code == 0
    assert "still missing: the keyring's passphrase" in out
    assert (other.directory / "host.yaml").read_text() == HOST
    key = open_keyring(other.state / "keyring", "a passphrase").show("provider")
    assert key == open_keyring(home.state / "keyring", "a passphrase").show("provider")
    journal = open_journal(other.state)
    assert journal.inbox.take() == (Request.RECONCILE,)
    journal.close()
    assert (other.state / "adapters" / "ansible" / "places.json").read_text() == "{}"
    assert (other.state / "drain").exists()
    assert not (other.state / "mirror.git").exists()
    modes = {path.stat().st_mode & 0o077 for path in other.state.rglob("*")}
    assert modes == {0}


def test_a_backup_contains_the_running_daemons_writes(home: Home, tmp_path: Path) -> None:
    running = open_journal(home.state)
    running.inbox.take()
    running.inbox.enqueue(Request.STOP, 8)
    file = backed_up(home, tmp_path)
    code, _, err = Home(home.directory, home.said).restore(file, "--force")
    assert (code, "another daemon is using" in err) == (1, True)
    running.close()
    other = Home(tmp_path / "b", home.said)
    assert other.restore(file)[0] == 0
    journal = open_journal(other.state)
    assert journal.inbox.take() == (Request.STOP,)
    journal.close()


def test_an_existing_state_is_rejected_and_with_force_moved_away(home: Home, tmp_path: Path) -> None:
    file = backed_up(home, tmp_path)
    (home.state / "drain").write_text("newer")
    code, _, err = home.restore(file)
    assert (code, "is not empty" in err, "--force" in err) == (1, True, True)
    assert (home.state / "drain").read_text() == "newer"
    assert home.restore(file, "--force")[0] == 0
    (aside,) = home.state.glob("before-restore-*")
    assert (aside / "drain").read_text() == "newer"
    assert (aside / "keyring-file" / "provider.info").exists()
    assert (home.state / "drain").read_text() == ""
    second = tmp_path / "second.tar"
    assert home.run("backup", str(second))[0] == 0
    with tarfile.open(second) as tar:
        assert not [name for name in tar.getnames() if "before-restore" in name]


def test_a_backup_is_never_overwritten(home: Home, tmp_path: Path) -> None:
    file = backed_up(home, tmp_path)
    before = file.read_bytes()
    code, _, err = home.run("backup", str(file))
    assert (code, "never overwritten" in err) == (1, True)
    assert file.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["backup.tar", "passphrase"]


def test_an_existing_host_file_stays(home: Home, tmp_path: Path) -> None:
    file = backed_up(home, tmp_path)
    other = Home(tmp_path / "b", home.said)
    other.directory.mkdir()
    (other.directory / "host.yaml").write_text(HOST.replace("state: state", "state: elsewhere"))
    assert other.restore(file)[0] == 0
    assert (other.directory / "elsewhere" / NAME).exists()
    with sqlite3.connect(other.directory / "elsewhere" / NAME) as journal:
        assert journal.execute("PRAGMA quick_check").fetchone() == ("ok",)

"""Backup and restore on a state directory of the test's own."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.chain.keyring import create_keyring, open_keyring
from reconciler.chain.keys import key_from_words, new_words
from reconciler.cli.main import provider_daemon, run_command
from reconciler.journal.database import NAME
from reconciler.journal.opening import open_journal
from reconciler.values.records import Request

Said = pytest.CaptureFixture[str]

HOST = """
repository: {url: https://forge.example/state.git}
chain: {grpc: "127.0.0.1:9090", rpc: "http://127.0.0.1:26657", chain_id: test-1}
provider: {passphrase_file: passphrase}
adapters: {kubernetes: {kubeconfig: kubeconfig}}
state: state
"""


@dataclass(frozen=True, slots=True)
class Home:
    """A provider's files, and how a command is run on them."""

    directory: Path
    said: Said

    @property
    def state(self) -> Path:
        return self.directory / "state"

    def run(self, *arguments: str) -> tuple[int, str, str]:
        self.said.readouterr()
        code = run_command(provider_daemon, [*arguments, "--host", str(self.directory / "host.yaml")])
        out, err = self.said.readouterr()
        return code, out, err


@pytest.fixture
def home(tmp_path: Path, capsys: Said) -> Home:
    made = Home(tmp_path / "a", capsys)
    made.directory.mkdir()
    (made.directory / "host.yaml").write_text(HOST)
    create_keyring(made.state / "keyring", "a passphrase").add("provider", key_from_words(new_words()))
    journal = open_journal(made.state)
    journal.inbox.ask(Request.RECONCILE, 7)
    journal.close()
    (made.state / "ansible").mkdir()
    (made.state / "ansible" / "hosts.json").write_text("{}")
    (made.state / "mirror.git").mkdir()
    (made.state / "mirror.git" / "HEAD").write_text("ref: refs/heads/main")
    (made.state / "drain").touch()
    return made


def backed_up(home: Home, tmp_path: Path) -> Path:
    file = tmp_path / "backup.tar"
    assert home.run("backup", str(file))[0] == 0
    return file


def test_keys_of_ssh_are_left_out_and_said(home: Home, tmp_path: Path) -> None:
    ssh = home.state / ".ssh"
    ssh.mkdir()
    (ssh / "id_ed25519").write_text("a key of the forge")
    file = tmp_path / "backup.tar"
    assert f"not in it: ssh's keys and known hosts, {ssh}\n" in home.run("backup", str(file))[1]
    with tarfile.open(file) as tar:
        assert not [name for name in tar.getnames() if "ssh" in name]


def test_an_ssh_directory_is_no_state_in_the_way_and_is_missed_where_git_needs_one(
    home: Home, tmp_path: Path
) -> None:
    host = home.directory / "host.yaml"
    host.write_text(HOST.replace("https://forge.example/", "git@forge.example:"))
    other = Home(tmp_path / "b", home.said)
    file = backed_up(home, tmp_path)
    (other.state / ".ssh").mkdir(parents=True)
    code, out, _ = other.run("restore", str(file))
    assert code == 0
    assert "ssh's keys" not in out
    (_, out, _) = Home(tmp_path / "c", home.said).run("restore", str(file))
    assert f"still missing: ssh's keys and known hosts, {tmp_path / 'c' / 'state' / '.ssh'}" in out


def test_everything_comes_back_where_all_was_lost(home: Home, tmp_path: Path) -> None:
    file = backed_up(home, tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    other = Home(tmp_path / "b" / "deeper", home.said)
    code, out, _ = other.run("restore", str(file))
    assert code == 0
    assert "still missing: the keyring's passphrase" in out
    assert (other.directory / "host.yaml").read_text() == HOST
    key = open_keyring(other.state / "keyring", "a passphrase").show("provider")
    assert key == open_keyring(home.state / "keyring", "a passphrase").show("provider")
    journal = open_journal(other.state)
    assert journal.inbox.take() == (Request.RECONCILE,)
    journal.close()
    assert (other.state / "ansible" / "hosts.json").read_text() == "{}"
    assert (other.state / "drain").exists()
    assert not (other.state / "mirror.git").exists()
    modes = {path.stat().st_mode & 0o077 for path in other.state.rglob("*")}
    assert modes == {0}


def test_what_a_running_daemon_has_written_is_in_it(home: Home, tmp_path: Path) -> None:
    running = open_journal(home.state)
    running.inbox.take()
    running.inbox.ask(Request.STOP, 8)
    file = backed_up(home, tmp_path)
    code, _, err = Home(home.directory, home.said).run("restore", str(file), "--force")
    assert (code, "another daemon is using" in err) == (1, True)
    running.close()
    other = Home(tmp_path / "b", home.said)
    assert other.run("restore", str(file))[0] == 0
    journal = open_journal(other.state)
    assert journal.inbox.take() == (Request.STOP,)
    journal.close()


def test_a_state_that_is_there_is_refused_then_put_aside(home: Home, tmp_path: Path) -> None:
    file = backed_up(home, tmp_path)
    (home.state / "drain").write_text("newer")
    code, _, err = home.run("restore", str(file))
    assert (code, "is not empty" in err, "--force" in err) == (1, True, True)
    assert (home.state / "drain").read_text() == "newer"
    assert home.run("restore", str(file), "--force")[0] == 0
    (aside,) = home.state.glob("before-restore-*")
    assert (aside / "drain").read_text() == "newer"
    assert (aside / "keyring-file" / "provider.info").exists()
    assert (home.state / "drain").read_text() == ""
    second = tmp_path / "second.tar"
    assert home.run("backup", str(second))[0] == 0
    with tarfile.open(second) as tar:
        assert not [name for name in tar.getnames() if "before-restore" in name]


def test_a_backup_is_never_written_over(home: Home, tmp_path: Path) -> None:
    file = backed_up(home, tmp_path)
    before = file.read_bytes()
    code, _, err = home.run("backup", str(file))
    assert (code, "never written over" in err) == (1, True)
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["backup.tar"]


def changed(file: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> Path:
    """The backup with its manifest and members changed."""
    with tarfile.open(file) as tar:
        members = {m.name: reader.read() for m in tar if (reader := tar.extractfile(m))}
    manifest = json.loads(members.pop("backup.json"))
    change(manifest, members)
    made = file.with_name("changed.tar")
    with tarfile.open(made, "w") as tar:
        for name, content in {"backup.json": json.dumps(manifest).encode(), **members}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return made


def _newer_format(manifest: dict[str, Any], _: dict[str, bytes]) -> None:
    manifest.update(format=2, program="9.0")


def _newer_journal(manifest: dict[str, Any], _: dict[str, bytes]) -> None:
    manifest.update(journal=99, program="9.0")


def _other_bytes(_: dict[str, Any], members: dict[str, bytes]) -> None:
    members["keyring/provider.info"] += b"x"


def _a_member_too_few(_: dict[str, Any], members: dict[str, bytes]) -> None:
    del members[NAME]


def _a_way_out(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    manifest["files"]["state/../../out"] = "0"
    members["state/../../out"] = b"x"


def _no_backup(manifest: dict[str, Any], _: dict[str, bytes]) -> None:
    manifest.clear()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_newer_format, "was written by a newer provider-daemon (9.0)"),
        (_newer_journal, "was written by a newer provider-daemon (9.0)"),
        (_other_bytes, "is damaged (keyring/provider.info is not what it was)"),
        (_a_member_too_few, "is damaged (journal.sqlite is not what it was)"),
        (_a_way_out, "which no backup of ours does"),
        (_no_backup, "is no backup of provider-daemon"),
    ],
)
def test_what_cannot_be_restored_leaves_nothing_behind(
    home: Home, tmp_path: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None], words: str
) -> None:
    file = changed(backed_up(home, tmp_path), change)
    other = Home(tmp_path / "b", home.said)
    code, _, err = other.run("restore", str(file))
    assert (code, words in err) == (1, True), err
    left = [p.name for p in other.directory.rglob("*") if p.is_file()] if other.directory.exists() else []
    assert left in ([], ["daemon.lock"])
    assert not (tmp_path / "out").exists()


def test_a_journal_that_is_damaged_inside(home: Home, tmp_path: Path) -> None:
    def damage(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        members[NAME] = b"not a database at all"
        import hashlib

        manifest["files"][NAME] = hashlib.sha256(members[NAME]).hexdigest()

    file = changed(backed_up(home, tmp_path), damage)
    code, _, err = Home(tmp_path / "b", home.said).run("restore", str(file))
    assert code == 1
    assert "Traceback" not in err
    assert not (tmp_path / "b" / "state" / NAME).exists()


def test_a_tail_that_is_missing(home: Home, tmp_path: Path) -> None:
    file = backed_up(home, tmp_path)
    short = tmp_path / "short.tar"
    short.write_bytes(file.read_bytes()[:20_000])
    code, _, err = Home(tmp_path / "b", home.said).run("restore", str(short))
    assert (code, "is damaged" in err) == (1, True)


def test_a_host_file_that_is_there_stays(home: Home, tmp_path: Path) -> None:
    file = backed_up(home, tmp_path)
    other = Home(tmp_path / "b", home.said)
    other.directory.mkdir()
    (other.directory / "host.yaml").write_text(HOST.replace("state: state", "state: elsewhere"))
    assert other.run("restore", str(file))[0] == 0
    assert (other.directory / "elsewhere" / NAME).exists()
    with sqlite3.connect(other.directory / "elsewhere" / NAME) as journal:
        assert journal.execute("PRAGMA quick_check").fetchone() == ("ok",)

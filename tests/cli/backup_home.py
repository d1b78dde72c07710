"""A provider's files to back up, and a home to restore them into."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.chain.keyring import create_keyring, open_keyring
from reconciler.chain.keys import key_from_words, new_words
from reconciler.cli.host.archive import MANIFEST, SEAL
from reconciler.cli.host.backup import PURPOSE
from reconciler.cli.main import provider_daemon, run_command
from reconciler.journal.opening import open_journal
from reconciler.values.records import Request

Said = pytest.CaptureFixture[str]
WORD = "a passphrase"

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
        return self.run_anywhere(*arguments, "--host", str(self.directory / "host.yaml"))

    def run_anywhere(self, *arguments: str) -> tuple[int, str, str]:
        self.said.readouterr()
        code = run_command(provider_daemon, arguments)
        out, err = self.said.readouterr()
        return code, out, err

    def restore(self, file: Path, *options: str) -> tuple[int, str, str]:
        """With the passphrase beside the backup, and without a question."""
        return self.run(
            "restore", str(file), "--passphrase-file", str(file.with_name("passphrase")), "--yes", *options
        )


def make_home(tmp_path: Path, capsys: Said) -> Home:
    """A provider with a key, a journal and adapter state; the passphrase also lies in `tmp_path`."""
    made = Home(tmp_path / "a", capsys)
    made.directory.mkdir()
    (made.directory / "host.yaml").write_text(HOST)
    for place in (made.directory / "passphrase", tmp_path / "passphrase"):
        place.write_text(WORD)
        place.chmod(0o600)
    create_keyring(made.state / "keyring", WORD).add("provider", key_from_words(new_words()))
    journal = open_journal(made.state)
    journal.inbox.enqueue(Request.RECONCILE, 7)
    journal.close()
    (made.state / "adapters" / "ansible").mkdir(parents=True)
    (made.state / "adapters" / "ansible" / "places.json").write_text("{}")
    (made.state / "mirror.git").mkdir()
    (made.state / "mirror.git" / "HEAD").write_text("ref: refs/heads/main")
    (made.state / "drain").touch()
    return made


def backed_up(home: Home, tmp_path: Path) -> Path:
    file = tmp_path / "backup.tar"
    assert home.run("backup", str(file))[0] == 0
    return file


Change = Callable[[dict[str, Any], dict[str, bytes]], None]


def members_of(file: Path) -> dict[str, bytes]:
    """Contents by name."""
    with tarfile.open(file) as tar:
        return {m.name: reader.read() for m in tar if (reader := tar.extractfile(m))}


def written(file: Path, members: dict[str, bytes]) -> Path:
    """A tar of plain files."""
    with tarfile.open(file, "w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file


def changed(file: Path, change: Change, sealed_by: Home | None = None) -> Path:
    """The backup with its manifest and members changed; authenticated anew by the key of a home."""
    members = members_of(file)
    manifest = json.loads(members.pop(MANIFEST))
    change(manifest, members)
    content = json.dumps(manifest).encode()
    seal = members.pop(SEAL)
    if sealed_by is not None:
        key = open_keyring(sealed_by.state / "keyring", WORD).key("provider")
        seal = key.authenticate(PURPOSE, content).encode()
    return written(file.with_name("changed.tar"), {MANIFEST: content, SEAL: seal, **members})

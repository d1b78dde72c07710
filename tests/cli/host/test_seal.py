"""Values are sealed by anybody, unsealed on the host, and sealed again after a rotation."""

from __future__ import annotations

from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
import yaml

from reconciler.cli.doctor.machine import check_sealing
from reconciler.cli.host import seal as seal_command
from reconciler.cli.main import provider_daemon, run_command
from reconciler.cli.options import settings_of
from reconciler.git.mirror import MirrorError
from reconciler.git.remote import Remote
from reconciler.manifests.stored_manifest import ManifestFileError, manifest_path
from reconciler.runtime.accepted_manifests import AcceptedManifests, is_newer, resealed
from reconciler.runtime.sealing import Identities, new_identity
from reconciler.values.ids import LeaseId, OrderId, workload_id
from tests.git.forge import Forge
from tests.runtime.test_accepted_manifests import LEASE, World, manifest


class Host:
    """A host file whose recipient can be changed, and its commands."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.path, self.state, self.repository = folder / "host.yaml", folder / "state", folder / "forge"
        self._capture, self._patch = capture, patch
        self.write()

    def write(self, recipient: str = "") -> None:
        tree = {
            "kind": "Host",
            "repository": {"url": str(self.repository)},
            "provider": {"name": "p"},
            "chain": {"grpc": "127.0.0.1:1", "rpc": "http://127.0.0.1:2", "chain_id": "c"},
            "state": str(self.state),
        }
        self.path.write_text(
            yaml.safe_dump(tree | ({"sealing": {"recipient": recipient}} if recipient else {}))
        )

    def run(self, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        self._patch.setattr("sys.stdin", TextIOWrapper(BytesIO(stdin)))
        code = run_command(provider_daemon, [*arguments, "--host", str(self.path)])
        read = self._capture.readouterr()
        return code, read.out, read.err


@pytest.fixture
def host(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Host:
    Forge.make(tmp_path / "forge")
    return Host(tmp_path, capsys, monkeypatch)


def test_a_value_is_sealed_and_unsealed(host: Host) -> None:
    assert host.run("seal", stdin=b"word\n")[2].startswith("error: ")
    code, recipient, hint = host.run("seal", "--new-identity")
    assert (code, "make a backup" in hint) == (0, True)
    host.write(recipient.strip())
    code, sealed, _ = host.run("seal", stdin=b"s3cret\n")
    assert code == 0
    assert "s3cret" not in sealed
    assert host.run("unseal", stdin=sealed.encode()) == (0, "s3cret", "")
    assert host.run("unseal", stdin=b"age1:AAAA")[0] == 1
    assert [str(each.state) for each in check_sealing(settings_of(host.path))] == ["ok"]


def test_rotation_seals_all_manifests_again_in_one_commit(host: Host) -> None:
    world = World(Remote(str(host.repository)), host.state)
    world.commit(manifest())
    _, recipient, _ = host.run("seal", "--new-identity")
    host.write(new_identity()[1])
    assert "has no identity for sealing.recipient" in host.run("seal", "--rotate")[2]
    assert [str(each.state) for each in check_sealing(settings_of(host.path))] == ["wrong"]
    host.write(recipient.strip())
    code, printed, _ = host.run("seal", "--rotate")
    assert (code, "sealed 1 manifests again" in printed) == (0, True)
    assert (host.state / "identity.age").read_text().count("AGE-SECRET-KEY-") == 2
    only_new = host.state / "new.age"
    only_new.touch(0o600)
    only_new.write_text((host.state / "identity.age").read_text().splitlines()[-1])
    accepted = AcceptedManifests(world.branch, Identities(only_new), lambda: None, in_background=False)
    world.branch.open()
    found = accepted.accepted(LEASE)
    assert found == manifest()
    assert world.branch.state.unpushed == 2


def test_a_rotation_keeps_what_is_accepted_meanwhile_and_names_what_it_cannot_read(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, other = World(Remote(str(host.repository)), host.state), LeaseId(OrderId("ve1owner", 8, 1, 1), "p")
    world.commit(manifest())
    world.commit(manifest(), other)
    _, recipient, _ = host.run("seal", "--new-identity")
    host.write(recipient.strip())

    def slow(path: str, content: bytes, *rest: object) -> bytes:
        if b"redis" not in content and path == manifest_path(workload_id(LEASE)):
            world.commit(manifest(image="redis"))
        if path == manifest_path(workload_id(other)):
            raise ManifestFileError("is unreadable")
        return resealed(path, content, *rest)  # type: ignore[arg-type]  # as given

    monkeypatch.setattr(seal_command, "resealed", slow)
    code, printed, errors = host.run("seal", "--rotate")
    assert (code, "sealed 1 manifests again" in printed, "is unreadable" in errors) == (1, True, True)
    world.branch.open()
    assert world.accepted.accepted(LEASE) == manifest(image="redis")


def test_a_manifest_of_another_machine_is_taken_if_it_is_whole_and_not_older(host: Host) -> None:
    world = World(Remote(str(host.repository)), host.state)
    world.commit(manifest())
    ((path, blob),) = world.branch.state.files.items()
    good = world.branch.read([blob])[blob]
    for ours, theirs, is_taken in (
        (None, good, True),
        (good, good, True),
        (good, good.replace(b'"acceptedAt": 100', b'"acceptedAt": 99'), False),
        (good, good.replace(b"nginx", b"redis"), False),
        (None, good.replace(b'"acceptedAt": 100', b'"acceptedAt": 1' + b"0" * 30), False),
        (good, b"{}", False),
    ):
        assert is_newer(world.identities, path, ours, theirs) is is_taken
    world.identities.path.unlink()
    with pytest.raises(MirrorError, match="cannot be verified"):
        is_newer(world.identities, path, None, good)

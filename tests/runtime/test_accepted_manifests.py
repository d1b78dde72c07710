"""Accepted manifests: read beside the loop, verified, and unsealed for adapters alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.git.branch_writer import FileCommit
from reconciler.git.manifest_branch import ManifestBranch
from reconciler.git.mirror import MirrorError
from reconciler.git.remote import Author, Remote
from reconciler.manifests.manifest import DeploymentManifest, read_manifest
from reconciler.manifests.secrets import without_secrets
from reconciler.manifests.stored_manifest import ManifestFile, manifest_path, write_manifest_file
from reconciler.runtime.accepted_manifests import AcceptedManifests, sealed_file
from reconciler.runtime.sealing import Identities, add_identity, new_identity, seal
from reconciler.values.desired import IN_MANIFEST, Env, Workload
from reconciler.values.ids import LeaseId, OrderId, workload_id
from reconciler.values.manifests import TenantManifests
from reconciler.values.outcomes import Failed
from reconciler.values.readings import Seen, Unseen
from tests.git.forge import Forge

OWNER, PROVIDER = "ve1owner", "ve1provider"
LEASE = LeaseId(OrderId(OWNER, 7, 1, 1), PROVIDER)
AMOUNTS = {
    "id": 1,
    "cpu": {"units": {"val": "500"}},
    "memory": {"size": {"val": "1048576"}},
    "storage": [{"name": "default", "size": {"val": "5242880"}}],
    "gpu": {"units": {"val": "0"}},
    "endpoints": [],
}
SERVICE = {
    "name": "web",
    "image": "nginx",
    "command": None,
    "args": ["s3cret"],
    "env": ["TOKEN=s3cret"],
    "resources": AMOUNTS,
    "count": 1,
    "expose": [{"port": 80, "externalPort": 80, "proto": "TCP", "global": True}],
    "credentials": {"host": "r.io", "email": "", "username": "s3cret", "password": "s3cret"},
}


def manifest(**changes: object) -> DeploymentManifest:
    return read_manifest(json.dumps([{"name": "g", "services": [{**SERVICE, **changes}]}]).encode())


class World:
    def __init__(self, remote: Remote, state: Path) -> None:
        self.branch = ManifestBranch(remote, state, "tenants/p")
        if not self.branch.open().is_known:
            self.branch.synchronise()
        self.identity, self.recipient = new_identity()
        self.identities = Identities(state / "identity.age")
        add_identity(self.identities.path, self.identity)
        self.accepted = AcceptedManifests(self.branch, self.identities, lambda: None, in_background=False)

    def commit(
        self, whole: DeploymentManifest, lease: LeaseId = LEASE, digest: str = "", group: str = "g"
    ) -> None:
        bare = ManifestFile(lease, group, digest or whole.hash(), whole, "", 100, "jwt")
        content = write_manifest_file(sealed_file(bare, whole, self.recipient))
        assert b"s3cret" not in content
        files = {manifest_path(workload_id(lease)): content}
        trailers = (("Lease", str(lease)),)
        self.branch.commit([FileCommit(files, "Accept", Author(OWNER, "x@y"), 100, trailers)])

    def view(self) -> TenantManifests:
        reading = self.accepted.current(None)
        assert isinstance(reading, Seen)
        return reading.view


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(Remote(str(Forge.make(tmp_path / "forge").path)), tmp_path / "state")


def test_the_plan_gets_no_secret_and_the_adapter_gets_all(world: World) -> None:
    whole = manifest()
    world.commit(whole)
    view = world.view()
    (accepted,) = view.by_workload.values()
    assert accepted.fault == ""
    assert "s3cret" not in repr(view)
    assert (accepted.manifest_hash, accepted.commit, view.unpushed) == (
        whole.hash(),
        world.branch.state.tip,
        1,
    )
    assert accepted.services[0].env == (Env("TOKEN", sealed=IN_MANIFEST),)
    planned = Workload(workload_id(LEASE), LEASE, accepted.services, manifest_hash=whole.hash())
    plain = world.accepted.unsealed(planned)
    assert isinstance(plain, Workload)
    (service,) = plain.services
    assert (service.env, service.args) == ((Env("TOKEN", "s3cret", sealed=IN_MANIFEST),), ("s3cret",))
    assert service.credentials is not None
    assert (service.credentials.username, service.credentials.password) == ("s3cret", "s3cret")
    assert replace(accepted.services[0], env=(), args=(), credentials=None) == replace(
        service, env=(), args=(), credentials=None
    )
    assert isinstance(world.accepted.unsealed(replace(planned, manifest_hash="other")), Failed)
    assert world.accepted.accepted(LEASE) == whole


def test_unchanged_files_keep_their_objects_and_are_not_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.commit(manifest())
    before = world.view()
    monkeypatch.setattr(ManifestBranch, "read", None)
    assert world.view() is before
    monkeypatch.undo()
    world.commit(manifest(image="redis"), LeaseId(OrderId(OWNER, 8, 1, 1), PROVIDER))
    after = world.view()
    assert len(after.by_workload) == 2
    assert after.by_workload[workload_id(LEASE)] is before.by_workload[workload_id(LEASE)]


def test_a_manifest_of_another_hash_is_not_used(world: World) -> None:
    world.commit(manifest(), digest=manifest(image="redis").hash())
    (accepted,) = world.view().by_workload.values()
    assert "was changed" in accepted.fault
    assert accepted.services == ()


def test_without_its_identity_a_manifest_waits_until_the_identity_is_back(world: World) -> None:
    world.commit(manifest())
    world.identities.path.rename(world.identities.path.with_name("away"))
    view = world.view()
    assert "identity.age cannot be read" in view.identity_fault
    assert [each.fault for each in view.by_workload.values()] == [view.identity_fault]
    world.identities.path.with_name("away").rename(world.identities.path)
    view = world.view()
    assert view.identity_fault == ""
    assert [each.fault for each in view.by_workload.values()] == [""]


def test_before_the_branch_is_known_nothing_is_seen(world: World, tmp_path: Path) -> None:
    other = ManifestBranch(Remote(str(tmp_path / "none")), tmp_path / "other", "tenants/p")
    assert isinstance(other.synchronise(), Failed)
    accepted = AcceptedManifests(other, world.identities, lambda: None, in_background=False)
    assert isinstance(accepted.current(None), Unseen)


def test_a_manifest_that_cannot_be_read_is_read_again_and_nothing_counts_as_current(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.view().is_current
    world.commit(manifest())

    def fail(*_: object) -> Mapping[str, bytes]:
        raise MirrorError("git timed out")

    for broken, text in ((fail, "git timed out"), (lambda *_: {}, "are missing in the mirror")):
        monkeypatch.setattr(world.branch, "read", broken)
        view = world.view()
        assert (view.is_current, dict(view.by_workload)) == (False, {})
        assert text in view.unreadable
    monkeypatch.undo()
    view = world.view()
    assert (len(view.by_workload), view.is_current, view.unreadable) == (1, True, "")


def test_the_reading_is_not_current_while_it_is_refreshed(world: World) -> None:
    accepted = AcceptedManifests(world.branch, world.identities, lambda: None, in_background=False)
    accepted.current(None)
    world.commit(manifest())
    with accepted._lock:  # as a refresh in the background holds it
        reading = accepted.current(None)
    assert isinstance(reading, Seen)
    assert not reading.view.is_current


OTHER = LeaseId(OrderId(OWNER, 8, 1, 1), PROVIDER)


@pytest.mark.parametrize(
    "secrets", [b"5", b"null", b"[" * 100_000, b'[{"a":1},5,null,[1],2,3]', b'["one"]', b"no JSON"]
)
def test_a_bad_file_is_its_own_fault_alone(world: World, secrets: bytes) -> None:
    world.commit(manifest())
    rest, _ = without_secrets(manifest())
    sealed = seal(secrets, world.recipient)
    file = ManifestFile(OTHER, "g", manifest().hash(), rest, sealed, 10**30, "jwt")
    files = {manifest_path(workload_id(OTHER)): write_manifest_file(file)}
    world.branch.commit([FileCommit(files, "Meddle", Author(OWNER, "x@y"), 100)])
    found = world.view().by_workload
    assert [bool(each.fault) for each in found.values()] == [False, True]
    assert found[workload_id(OTHER)].accepted_at < 10**12


def test_a_manifest_without_resources_is_a_fault(world: World) -> None:
    world.commit(manifest(resources={"id": 1}), OTHER)
    (accepted,) = world.view().by_workload.values()
    assert accepted.fault


def test_the_group_of_the_file_is_compared_again(world: World) -> None:
    groups = [{"name": name, "services": [{**SERVICE, "name": name, "image": name}]} for name in ("g", "h")]
    whole = read_manifest(json.dumps(groups).encode())
    world.commit(whole)
    (accepted,) = world.view().by_workload.values()
    planned = Workload(workload_id(LEASE), LEASE, accepted.services, manifest_hash=whole.hash())
    assert isinstance(world.accepted.unsealed(planned), Workload)
    world.commit(whole, group="h")
    assert isinstance(world.accepted.unsealed(planned), Failed)

"""The branch of accepted manifests: on disk before it is acknowledged, pushed later, never by force."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reconciler.git.branch_writer import FileCommit
from reconciler.git.manifest_branch import ManifestBranch, OtherContentError
from reconciler.git.mirror import MirrorError
from reconciler.git.remote import Author, Remote
from reconciler.values.outcomes import Done, Failed
from tests.git.forge import Forge
from tests.git.keys import signing_keys

BRANCH = "tenants/p"


def manifest(name: str, content: bytes | None = b"{}", at: int = 100) -> FileCommit:
    author = Author(f"ve1{name}", f"ve1{name}@tenant.invalid")
    return FileCommit({f"leases/{name}.json": content}, f"Accept {name}", author, at, (("Lease", name),))


def branch_of(remote: Remote, state: Path) -> ManifestBranch:
    branch = ManifestBranch(remote, state, BRANCH)
    branch.open()
    return branch


@pytest.fixture
def branch(remote: Remote, state: Path) -> ManifestBranch:
    made = branch_of(remote, state)
    assert made.synchronise() == Done("")
    return made


def test_commits_are_kept_here_and_pushed_later(
    branch: ManifestBranch, forge: Forge, remote: Remote, state: Path
) -> None:
    first, second = branch.commit([manifest("a"), manifest("b", at=200)])
    assert (branch.state.unpushed, branch.state.unpushed_since) == (2, 100)
    again = branch_of(remote, state)  # after kill -9
    assert again.state.files == branch.state.files
    assert (again.state.tip, again.state.unpushed, again.state.unpushed_since) == (second, 2, 100)
    assert again.read([*again.state.files.values()]) == {again.state.files["leases/a.json"]: b"{}"}
    assert again.last_commits("Lease") == {"a": first, "b": second}
    assert again.synchronise() == Done(second)
    assert again.synchronise() == Done("")
    assert (again.state.unpushed, again.state.unpushed_since) == (0, 0)
    log = forge.git("log", "--format=%an <%ae> %cn %at %s %(trailers:key=Lease,valueonly)", BRANCH)
    assert log.splitlines()[0] == "ve1b <ve1b@tenant.invalid> provider-daemon 200 Accept b b"
    again.commit([manifest("a", None)])
    assert list(again.state.files) == ["leases/b.json"]
    assert again.state.files == branch_of(remote, state).state.files


def test_the_remote_repository_may_be_away(
    branch: ManifestBranch, forge: Forge, remote: Remote, state: Path
) -> None:
    forge.path.rename(forge.path.with_name("away"))
    branch.commit([manifest("a")])
    assert isinstance(branch.synchronise(), Failed)
    forge.path.with_name("away").rename(forge.path)
    assert branch.synchronise() == Done(branch.state.tip)


def test_without_a_mirror_the_branch_is_read_from_the_remote_first(
    branch: ManifestBranch, remote: Remote, tmp_path: Path
) -> None:
    branch.commit([manifest("a")])
    branch.synchronise()
    other = branch_of(remote, tmp_path / "restored")
    with pytest.raises(MirrorError, match="was never read"):
        other.commit([manifest("b")])
    assert other.synchronise() == Done("")
    assert other.state.files == branch.state.files
    other.commit([manifest("b")])
    assert other.synchronise() == Done(other.state.tip)


@pytest.mark.parametrize("unpushed", [[], [manifest("b"), manifest("c")]])
def test_a_branch_that_moved_is_outrun_without_force(
    branch: ManifestBranch, forge: Forge, unpushed: list[FileCommit]
) -> None:
    branch.commit([manifest("a")])
    branch.synchronise()
    forge.git("checkout", "--quiet", BRANCH)
    foreign = forge.commit("meddled", leases__a="other", leases__x="more")
    forge.git("checkout", "--quiet", "--detach")
    if unpushed:
        branch.commit(unpushed)
    expected = {path: branch.state.files[path] for path in branch.state.files}
    assert branch.synchronise() == Done(branch.state.tip)
    assert forge.git("rev-parse", BRANCH) == branch.state.tip
    forge.git("merge-base", "--is-ancestor", foreign, BRANCH)
    assert forge.log(BRANCH)[: len(unpushed)] == [each.message for each in reversed(unpushed)]
    assert branch.state.files == expected
    assert forge.git("ls-tree", "-r", "--name-only", BRANCH).split() == sorted(expected)


def test_a_machine_with_an_older_mirror_takes_what_is_newer(
    branch: ManifestBranch, forge: Forge, remote: Remote, state: Path, tmp_path: Path
) -> None:
    for name in "abcd":
        branch.commit([manifest(name, b"1")])
    branch.synchronise()
    shutil.copytree(state, tmp_path / "old")
    branch.commit([manifest("a", b"2"), manifest("b", b"2"), manifest("e", b"2"), manifest("c", b"0")])
    branch.commit([manifest("d", None)])
    branch.synchronise()

    def is_newer(path: str, ours: bytes | None, theirs: bytes) -> bool:
        return (ours or b"") < theirs

    old = ManifestBranch(remote, tmp_path / "old", BRANCH, is_newer=is_newer)
    old.open()
    (own,) = old.commit([manifest("b", b"3")])
    assert old.synchronise() == Done(old.state.tip)
    assert old.state.tip != own
    found = {path: old.read([blob])[blob] for path, blob in old.state.files.items()}
    assert found == {
        "leases/a.json": b"2", "leases/b.json": b"3", "leases/c.json": b"1", "leases/d.json": b"1",
        "leases/e.json": b"2",
    }  # fmt: skip
    assert forge.log(BRANCH)[:2] == ["Accept b", "Restore the manifests that were accepted"]
    branch = ManifestBranch(remote, state, BRANCH, is_newer=lambda *_: True)
    branch.open()
    assert branch.synchronise() == Done("")  # nothing to restore: their tip is taken
    assert branch.state.tip == old.state.tip
    assert branch.state.files == old.state.files


def test_a_commit_that_is_based_on_other_content_is_not_made(branch: ManifestBranch) -> None:
    branch.commit([manifest("a")])
    before = dict(branch.state.files)
    branch.commit([manifest("a", b"2")])
    state = branch.state
    with pytest.raises(OtherContentError):
        branch.commit([manifest("a", b"3")], before)
    assert branch.state == state
    assert branch.commit([manifest("a", b"3")], dict(state.files))


def test_a_replaced_history_is_neither_taken_nor_overwritten(
    branch: ManifestBranch, forge: Forge, remote: Remote, state: Path
) -> None:
    branch.commit([manifest("a")])
    branch.synchronise()
    forge.git("checkout", "--quiet", "--orphan", "other")
    foreign = forge.commit("forged", leases__a="other")
    forge.git("branch", "--force", BRANCH, foreign)
    branch.commit([manifest("b")])
    for each in (branch, branch_of(remote, state)):
        outcome = each.synchronise()
        assert isinstance(outcome, Failed)
        assert "was replaced" in outcome.why
        assert "was replaced" in each.state.rewritten
        assert sorted(each.state.files) == ["leases/a.json", "leases/b.json"]
    assert forge.git("rev-parse", BRANCH) == foreign
    forge.git("branch", "--delete", "--force", BRANCH)
    assert branch.synchronise() == Done(branch.state.tip)
    assert branch.state.rewritten == ""


def test_a_branch_reset_to_an_older_commit_is_pushed_again(branch: ManifestBranch, forge: Forge) -> None:
    (first,) = branch.commit([manifest("a")])
    branch.commit([manifest("b")])
    branch.synchronise()
    forge.git("branch", "--force", BRANCH, first)
    assert branch.synchronise() == Done(branch.state.tip)


def test_a_mirror_that_cannot_be_written_takes_no_manifest(branch: ManifestBranch, state: Path) -> None:
    before = branch.state
    (state / "tenants" / "mirror.git" / "objects").rename(state / "objects")
    (state / "tenants" / "mirror.git" / "objects").write_text("")
    with pytest.raises(MirrorError):
        branch.commit([manifest("a")])
    assert branch.state == before


def test_commits_are_signed(forge: Forge, state: Path, tmp_path: Path) -> None:
    keys = signing_keys(tmp_path)
    branch = branch_of(Remote(str(forge.path), signing_key=keys / "listed"), state)
    branch.synchronise()
    branch.commit([manifest("a"), manifest("b")])
    branch.synchronise()
    assert "gpgsig -----BEGIN SSH SIGNATURE" in forge.git("cat-file", "commit", f"{BRANCH}~1")
    assert "author ve1b <ve1b@tenant.invalid> 100 +0000" in forge.git("cat-file", "commit", BRANCH)

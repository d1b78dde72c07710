"""A clone as a pull request's checks have it: read, never written, and clear about what it lacks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.git.clone import Clone, CloneError
from tests.git.forge import ENVIRONMENT, Forge
from tests.git.keys import signing_keys


@pytest.fixture
def clone(forge: Forge, tmp_path: Path) -> Clone:
    return Clone(forge.path, tmp_path / "home")


def test_a_revision_is_resolved_from_any_folder_below(forge: Forge, tmp_path: Path) -> None:
    made = forge.commit(workloads__a_yaml="a")
    clone = Clone(forge.path / "workloads", tmp_path / "home")
    assert clone.resolve("HEAD") == clone.resolve("main") == made
    assert clone.commit(made).files.keys() == {"workloads/a.yaml"}


def test_a_linked_work_tree_is_a_clone(forge: Forge, tmp_path: Path) -> None:
    made = forge.commit(a="1")
    forge.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    assert Clone(tmp_path / "side", tmp_path / "home").resolve("side") == made


def test_a_shallow_clone_names_the_command_that_fetches_the_rest(forge: Forge, tmp_path: Path) -> None:
    older = forge.commit(a="1")
    forge.commit(a="2")
    command = ["git", "clone", "--quiet", "--depth=1", f"file://{forge.path}", str(tmp_path / "shallow")]
    subprocess.run(command, env=ENVIRONMENT, check=True)
    clone = Clone(tmp_path / "shallow", tmp_path / "home")
    with pytest.raises(CloneError, match="fetch-depth: 0"):
        clone.resolve(older)


@pytest.mark.parametrize("odd", ["--output=/tmp/x", "-n", "main..HEAD", "no such", ""])
def test_a_revision_is_never_an_option(forge: Forge, clone: Clone, odd: str) -> None:
    forge.commit(a="1")
    with pytest.raises(CloneError):
        clone.resolve(odd)


def test_a_directory_outside_of_a_repository_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CloneError, match="in a clone"):
        Clone(tmp_path, tmp_path / "home")


def test_a_merge_is_the_tree_of_both_sides(forge: Forge, clone: Clone) -> None:
    forge.commit(a="1", b="1")
    forge.git("switch", "--quiet", "-c", "side")
    side = forge.commit(b="2")
    forge.git("switch", "--quiet", "main")
    main = forge.commit(a="2")
    assert not clone.descends(side, main)
    merged = clone.commit(side, clone.merged(main, side))
    assert clone.read(list(merged.files.values())) == {merged.files["a"]: b"2", merged.files["b"]: b"2"}


def test_a_conflict_names_its_files(forge: Forge, clone: Clone) -> None:
    forge.commit(pricing_yaml="1\n")
    forge.git("switch", "--quiet", "-c", "side")
    side = forge.commit(pricing_yaml="2\n")
    forge.git("switch", "--quiet", "main")
    main = forge.commit(pricing_yaml="3\n")
    with pytest.raises(CloneError, match=r"conflicts with the base in pricing\.yaml"):
        clone.merged(main, side)


def test_messages_of_the_commits_that_a_branch_adds(forge: Forge, clone: Clone) -> None:
    base = forge.commit("base")
    forge.commit("one\n\nwith a body")
    head = forge.commit("two")
    assert clone.messages(base, head) == ("two", "one\n\nwith a body")
    assert clone.messages("", head) == ("two", "one\n\nwith a body", "base")
    assert clone.messages(head, head) == ()


def test_branches_of_the_remote_come_before_our_own(forge: Forge, tmp_path: Path) -> None:
    made = forge.commit(a="1")
    forge.git("branch", "snapshot/p")
    subprocess.run(
        ["git", "clone", "--quiet", str(forge.path), str(tmp_path / "c")], env=ENVIRONMENT, check=True
    )
    other = Forge(tmp_path / "c")
    other.git("branch", "snapshot/p", other.commit(a="2"))
    other.git("branch", "snapshot/q")
    found = Clone(other.path, tmp_path / "home").branches("snapshot/")
    assert found == {"snapshot/p": made, "snapshot/q": other.git("rev-parse", "HEAD")}


def test_a_long_file_is_read_and_a_missing_one_is_an_error(forge: Forge, clone: Clone) -> None:
    long = "x" * 3_000_000
    made = forge.commit(long=long)
    assert clone.file(made, "long") == long.encode()
    with pytest.raises(CloneError, match="no file other"):
        clone.file(made, "other")


def test_the_clone_is_not_written(forge: Forge, clone: Clone) -> None:
    made = forge.commit(a="1")
    (forge.path / "a").write_text("edited")
    before = {path: path.stat().st_mtime_ns for path in (forge.path / ".git").rglob("*")}
    clone.commit(clone.resolve("HEAD"))
    clone.messages("", made)
    clone.branches("snapshot/")
    assert {path: path.stat().st_mtime_ns for path in (forge.path / ".git").rglob("*")} == before
    assert forge.git("status", "--porcelain") == "M a"


def test_signatures_are_verified_by_the_given_list(forge: Forge, tmp_path: Path) -> None:
    keys = signing_keys(tmp_path)
    forge.git("config", "gpg.format", "ssh")
    forge.git("config", "user.signingkey", str(keys / "listed"))
    made = forge.commit("signed", "-S")
    listed = Clone(forge.path, tmp_path / "home", allowed_signers=keys / "allowed")
    assert listed.commit(made).signer == "olga@example.com"
    assert Clone(forge.path, tmp_path / "other").commit(made).signer is None


def test_uncommitted_changes_are_listed(forge: Forge, clone: Clone) -> None:
    forge.commit(pricing_yaml="1", a="1")
    assert clone.uncommitted() == ()
    forge.write(pricing_yaml="2")
    assert clone.uncommitted() == ("pricing.yaml",)

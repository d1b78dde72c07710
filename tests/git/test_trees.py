"""Trees that expand to more than any machine holds, and bytes that are no tree."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.git.branch_writer import BranchWriter
from reconciler.git.clone import Clone
from reconciler.git.commit_log import commits
from reconciler.git.mirror import Mirror
from reconciler.git.read import list_tree
from reconciler.git.remote import Remote
from reconciler.git.repository import GitRepository
from reconciler.git.signatures import signer
from reconciler.git.trees import TooLargeTreeError, parse_tree, tree_at, walk
from reconciler.values.outcomes import Failed
from reconciler.values.readings import Seen
from reconciler.values.repository import BranchCommit
from tests.git.bombs import bomb, bombed
from tests.git.forge import Forge


def test_a_bomb_in_a_folder_of_ours_rejects_that_folder(
    repository: GitRepository, forge: Forge, remote: Remote
) -> None:
    forge.commit(config_yaml="1", workloads__a_yaml="1")
    made = bombed(forge, "workloads")
    began = time.process_time()
    reading = repository.fetch("")
    assert time.process_time() - began < 5
    assert isinstance(reading, Seen)
    (newest,) = reading.view
    assert (newest.id, set(newest.files)) == (made, {"config.yaml"})
    assert "has more than 50000 entries" in newest.unread_entries["workloads"]


def test_a_bomb_elsewhere_changes_nothing(repository: GitRepository, forge: Forge) -> None:
    forge.commit(config_yaml="1", workloads__a_yaml="1")
    bombed(forge, "documents")
    reading = repository.fetch("")
    assert isinstance(reading, Seen)
    assert set(reading.view[0].files) == {"config.yaml", "workloads/a.yaml"}
    assert reading.view[0].unread_entries == {}


def test_a_clone_with_a_bomb_is_read(forge: Forge, tmp_path: Path) -> None:
    forge.commit(config_yaml="1")
    made = bombed(forge, "adapters")
    found = Clone(forge.path, tmp_path / "home").commit(made)
    assert set(found.unread_entries) == {"adapters"}


def test_the_signature_of_a_commit_with_a_bomb_is_verified(forge: Forge, state: Path, tmp_path: Path) -> None:
    forge.commit(config_yaml="1")
    made = bombed(forge, "documents")
    (tmp_path / "allowed").write_text("")
    mirror = Mirror(Remote(str(forge.path), allowed_signers=tmp_path / "allowed"), state)
    with mirror.locked():
        mirror.fetch("refs/heads/main", "refs/reconciler/desired")
        began = time.monotonic()
        assert signer(mirror, made) is None
        assert time.monotonic() - began < 5


def test_the_history_of_a_bomb_is_read_without_its_files(
    forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.git.git_process.MEMORY_BYTES_MAX", 64 * 1024 * 1024)
    forge.commit("one", config_yaml="1")
    bombed(forge, "documents")
    found = commits(Clone(forge.path, tmp_path / "home"), ["main"])
    assert [each.subject for each in found] == ["a bomb", "one"]


def test_a_bomb_on_a_branch_of_ours_is_an_error(mirror: Mirror, forge: Forge) -> None:
    forge.commit(config_yaml="1")
    commit = forge.git("commit-tree", "-m", "a bomb", bomb(forge))
    forge.git("update-ref", "refs/heads/status/p", commit)
    with mirror.locked():
        outcome = BranchWriter(mirror).write(BranchCommit("status/p", {"a": b"1\n"}, "It happened"))
    assert isinstance(outcome, Failed)
    assert "which is not ours, has more than 50000 entries; move other files out of it" in outcome.why


def test_a_bomb_one_entry_wide_is_rejected_by_its_depth(mirror: Mirror, forge: Forge) -> None:
    forge.commit(config_yaml="1")
    tree = forge.git("rev-parse", "HEAD^{tree}")
    for _ in range(40):
        tree = forge.git("mktree", stdin=f"040000 tree {tree}\td\n".encode())
    commit = forge.git("commit-tree", "-m", "deep", tree)
    forge.git("update-ref", "refs/heads/main", commit)
    with mirror.locked():
        mirror.fetch("refs/heads/main", "refs/reconciler/desired")
        assert list_tree(mirror, commit, "").files == {}
        top = tree_at(mirror, commit, "")
        assert top is not None
        with pytest.raises(TooLargeTreeError, match="nested deeper than 8 levels"):
            walk(mirror, top)


ENTRY = st.tuples(
    st.sampled_from([b"100644", b"40000", b"120000", b"160000"]),
    st.binary(min_size=1, max_size=20).filter(lambda name: b"\0" not in name and b"/" not in name),
    st.binary(min_size=20, max_size=20),
)


@given(st.lists(ENTRY, max_size=20))
def test_trees_written_by_git_are_read(entries: list[tuple[bytes, bytes, bytes]]) -> None:
    found = parse_tree(b"".join(mode + b" " + name + b"\0" + each for mode, name, each in entries), 20)
    assert [(e.mode.encode(), e.path, bytes.fromhex(e.id)) for e in found] == entries


@given(st.binary(max_size=200))
def test_any_bytes_are_a_tree_or_a_value_error(content: bytes) -> None:
    try:
        parse_tree(content, 20)
    except ValueError:
        return
    assert not content or b"\0" in content

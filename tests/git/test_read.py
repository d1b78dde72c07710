"""Trees and blobs out of the object store, hostile ones too."""

from __future__ import annotations

import pytest

from reconciler.documents.files import FILE_BYTES_MAX
from reconciler.git import batch, trees
from reconciler.git.commits import commit_heading
from reconciler.git.mirror import Mirror, MirrorError
from reconciler.git.read import TreeListing, blobs, list_tree
from tests.git.forge import Forge


def listed(mirror: Mirror, forge: Forge, folder: str = "", ref: str = "refs/heads/main") -> TreeListing:
    with mirror.locked():
        mirror.fetch(ref, "refs/reconciler/desired")
        commit = mirror.tip("refs/reconciler/desired")
        assert commit is not None
        return list_tree(mirror, commit, folder)


def tree_of(forge: Forge, *entries: tuple[str, str, bytes]) -> None:
    """A commit on main with entries (mode, object, name) that no working tree could hold."""
    rows = b"".join(
        f"{mode} {'commit' if mode == '160000' else 'blob'} {oid}\t".encode() + name + b"\0"
        for mode, oid, name in entries
    )
    tree = forge.git("mktree", "-z", "--missing", stdin=rows)
    commit = forge.git("commit-tree", "-m", "odd", tree)
    forge.git("update-ref", "refs/heads/main", commit)


def test_files_with_blobs_and_sizes(mirror: Mirror, forge: Forge) -> None:
    forge.commit(config_yaml="kind: Config\n", workloads__a_yaml="x")
    found = listed(mirror, forge)
    assert set(found.files) == {"config.yaml", "workloads/a.yaml"}
    assert found.sizes["config.yaml"] == 13
    assert found.unread_entries == {}
    with mirror.locked():
        read = blobs(mirror, list(found.files.values()))
    assert read[found.files["config.yaml"]] == b"kind: Config\n"


def test_a_folder_of_the_repository(mirror: Mirror, forge: Forge) -> None:
    forge.commit(a__config_yaml="1", b__config_yaml="2")
    assert set(listed(mirror, forge, "a").files) == {"config.yaml"}


@pytest.mark.parametrize("folder", ["c", "a/config.yaml"])
def test_a_missing_folder(mirror: Mirror, forge: Forge, folder: str) -> None:
    forge.commit(a__config_yaml="1")
    with pytest.raises(MirrorError, match=f"there is no folder {folder} in commit"):
        listed(mirror, forge, folder)


def test_a_link_out_of_the_repository_is_not_followed(mirror: Mirror, forge: Forge) -> None:
    (forge.path / "workloads").mkdir()
    (forge.path / "workloads" / "1-1-1-aaaaaaaaaa.yaml").symlink_to("/etc/passwd")
    (forge.path / "adapters").symlink_to("/etc")
    forge.commit()
    found = listed(mirror, forge)
    assert found.files == {}
    assert set(found.unread_entries) == {"workloads/1-1-1-aaaaaaaaaa.yaml", "adapters"}
    assert set(found.unread_entries.values()) == {
        "a symbolic link, which is not followed; put a plain file there"
    }


def test_a_submodule_is_not_read(mirror: Mirror, forge: Forge) -> None:
    tree_of(forge, ("160000", "1" * 40, b"workloads"))
    assert listed(mirror, forge).unread_entries == {
        "workloads": "a submodule, which is not read; put plain files there"
    }


def test_a_file_that_is_too_large_is_refused_by_its_size(mirror: Mirror, forge: Forge) -> None:
    forge.commit(pricing_yaml=b"a" * 5_000_000)
    found = listed(mirror, forge)
    assert found.unread_entries == {
        "pricing.yaml": "the file has 5000000 bytes; at most 1048576 are read: split it"
    }


@pytest.mark.parametrize(
    "name",
    [b"a\\b.yaml", b"x\x1b[31m.yaml", b"-rf.yaml", b"\xff.yaml", "\u202egpj.yaml".encode(), b"a\nb.yaml"],
)
def test_invalid_names_are_rejected(mirror: Mirror, forge: Forge, name: bytes) -> None:
    blob = forge.git("hash-object", "-w", "--stdin", stdin=b"x")
    tree_of(forge, ("100644", blob, name))
    found = listed(mirror, forge)
    assert found.files == {}
    assert len(found.unread_entries) == 1


def test_names_that_differ_only_in_case_or_encoding_are_rejected(mirror: Mirror, forge: Forge) -> None:
    blob = forge.git("hash-object", "-w", "--stdin", stdin=b"x")
    tree_of(forge, ("100644", blob, b"Pricing.yaml"), ("100644", blob, b"pricing.yaml"))
    found = listed(mirror, forge)
    assert found.unread_entries == {
        "pricing.yaml": "its name differs from Pricing.yaml only in case or encoding; rename one"
    }


def test_too_many_files_at_the_top_reject_all_files(
    mirror: Mirror, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "ENTRIES_MAX", 2)
    forge.commit(a="1", b="2", config_yaml="3")
    found = listed(mirror, forge)
    assert found.files == {}
    assert set(found.unread_entries) == {"config.yaml", "pricing.yaml", "adapters", "workloads"}
    assert "top folder has more than" in found.unread_entries["config.yaml"]


def test_a_folder_with_too_many_files_is_rejected_and_the_rest_is_read(
    mirror: Mirror, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "ENTRIES_MAX", 3)
    forge.commit(config_yaml="1", workloads__a="1", workloads__b="2", workloads__c="3", workloads__d="4")
    found = listed(mirror, forge)
    assert set(found.files) == {"config.yaml"}
    assert set(found.unread_entries) == {"workloads"}
    assert "has more than" in found.unread_entries["workloads"]


def test_the_length_of_paths_is_limited_with_their_folders(
    mirror: Mirror, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "NAMES_BYTES_MAX", 1_000)
    forge.commit(config_yaml="1", **{f"workloads__{'d' * 200}__{n}": "1" for n in range(9)})
    assert "has names of more than" in listed(mirror, forge).unread_entries["workloads"]


def test_other_folders_are_not_read(mirror: Mirror, forge: Forge) -> None:
    forge.commit(config_yaml="1", documents__config_yaml="2")
    assert set(listed(mirror, forge).files) == {"config.yaml"}


def test_a_heading_has_no_control_characters(mirror: Mirror, forge: Forge) -> None:
    commit = forge.commit("red \x1b[31malert")
    with mirror.locked():
        mirror.fetch("refs/heads/main", "refs/reconciler/desired")
        head = commit_heading(mirror, commit)
    assert (head.author, head.subject, head.committed_at) == ("Olga Operator", "red [31malert", 1_800_000_000)


def test_unknown_blobs_are_missing(mirror: Mirror, forge: Forge) -> None:
    forge.commit(a="1", b=b"", c=b"two\n\nlines\n", d=b"x" * (FILE_BYTES_MAX + 1))
    ids = {path: forge.git("rev-parse", f"HEAD:{path}") for path in "abcd"}
    tree = forge.git("rev-parse", "HEAD^{tree}")
    with mirror.locked():
        mirror.fetch("refs/heads/main", "refs/reconciler/desired")
        odd = ["0" * 40, "--help", "HEAD", "", f"{ids['a']}\n{ids['b']}", tree]
        read = blobs(mirror, [*ids.values(), *odd])
    assert read == {ids["a"]: b"1", ids["b"]: b"", ids["c"]: b"two\n\nlines\n"}


def test_many_blobs_are_read_in_groups(mirror: Mirror, forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "GROUP_BYTES_MAX", 1_000)
    contents = {f"f{number}": str(number) * 30 for number in range(100)}
    forge.commit(**contents)
    found = listed(mirror, forge)
    with mirror.locked():
        read = blobs(mirror, list(found.files.values()))
    assert {path: read[blob].decode() for path, blob in found.files.items()} == contents

"""A branch's history as it is, whatever somebody writes into messages and names."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.git.clone import Clone
from reconciler.git.commit_log import commits
from reconciler.git.mirror import MirrorError
from tests.git.forge import Forge


@pytest.fixture
def clone(forge: Forge, tmp_path: Path) -> Clone:
    return Clone(forge.path, tmp_path / "home")


def test_commits_are_newest_first_with_messages_and_files(forge: Forge, clone: Clone) -> None:
    first = forge.commit("The first", pricing_yaml="a", workloads__x_yaml="b")
    second = forge.commit("Nothing")
    third = forge.commit("Why\n\nBecause.\n\nTx-Hash: AB", pricing_yaml="c")
    newest, empty, oldest = commits(clone, ["HEAD"])
    assert [c.id for c in (newest, empty, oldest)] == [third, second, first]
    assert (newest.parents, empty.parents, oldest.parents) == ((second,), (first,), ())
    assert (newest.author, newest.email, newest.at) == ("Olga Operator", "olga@example.com", 1_800_000_000)
    assert newest.message == "Why\n\nBecause.\n\nTx-Hash: AB"
    assert (newest.files, empty.files) == (("pricing.yaml",), ())
    assert oldest.files == ("pricing.yaml", "workloads/x.yaml")


def test_a_merge_has_the_files_that_it_changed(forge: Forge, clone: Clone) -> None:
    forge.commit(a="1")
    forge.git("switch", "--quiet", "-c", "side")
    side = forge.commit("Side", b="1")
    forge.git("switch", "--quiet", "main")
    main = forge.commit("Main", a="2")
    forge.git("merge", "--quiet", "--no-ff", "-m", "Merge", "side")
    merge = commits(clone, ["HEAD"])[0]
    assert (merge.parents, merge.files) == ((main, side), ("b",))


def test_a_message_cannot_forge_a_commit(forge: Forge, clone: Clone) -> None:
    fake = "\x01\n" + "a" * 40 + "\n\x1b[2Jcommit " + "b" * 40 + "\n%x00"
    made = forge.commit(f"Odd{fake}", **{"odd\nname": "1", "c" * 40: "2"})
    [only] = commits(clone, ["HEAD"])
    assert only.id == made
    assert "\x1b" not in only.message
    assert sorted(only.files) == sorted(["c" * 40, "odd\\u000aname"])


def test_several_tips_and_an_unknown_commit(forge: Forge, clone: Clone) -> None:
    one = forge.commit(a="1")
    forge.git("switch", "--quiet", "--orphan", "other")
    other = forge.commit("Other", b="1")
    assert {c.id for c in commits(clone, [one, other])} == {one, other}
    with pytest.raises(MirrorError, match="the history cannot be read"):
        commits(clone, ["--output=x"])

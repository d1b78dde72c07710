"""The reverted commit is found in what git itself writes, and in nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.values.repository import reverted_commit

ID = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@pytest.mark.parametrize(
    "message",
    [
        f'Revert "Raise prices"\n\nThis reverts commit {ID}.\n',
        f'Revert "Raise prices"\r\n\r\nThis reverts commit {ID}.\r\n',
        f"Revert \"Merge branch 'x'\"\n\nThis reverts commit {ID}, reversing\nchanges made to {'a' * 40}.\n",
        f'Reapply "Raise prices"\n\nThis reverts commit {ID}.\n\nTenants asked for it.\n',
        f"In my words (#12)\n\n* Revert\n\nThis reverts commit {ID}.\n\nThis reverts commit {'b' * 40}.",
    ],
)
def test_the_words_of_git_name_it(message: str) -> None:
    assert reverted_commit(message) == ID


def test_a_reference_is_short() -> None:
    assert (
        reverted_commit("# *** SAY WHY ***\n\nThis reverts commit 4b825dc (Raise prices, 2026-11-24).")
        == "4b825dc"
    )


def test_ids_of_sha256_are_as_long_as_they_are() -> None:
    assert reverted_commit(f"Revert\n\nThis reverts commit {'c' * 64}.") == "c" * 64


@pytest.mark.parametrize(
    "message",
    [
        "",
        'Revert "Raise prices"',
        f"see: This reverts commit {ID}.",
        f"> This reverts commit {ID}.",
        "This reverts commit main.",
        f"This reverts commit {ID}zz.",
        f"This reverts commit {'a' * 65}.",
        f"This reverts commit {ID}",
    ],
)
def test_anything_else_takes_nothing_back(message: str) -> None:
    assert reverted_commit(message) == ""


def test_the_installed_git_writes_these_words(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        names = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        ran = subprocess.run(
            ["git", *names, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return ran.stdout.strip()

    git("init", "--quiet")
    for text in ("one", "two"):
        (tmp_path / "file").write_text(text)
        git("add", "file")
        git("commit", "--quiet", "--message", text)
    taken_back = git("rev-parse", "HEAD")
    git("revert", "--no-edit", "HEAD")
    assert reverted_commit(git("show", "--no-patch", "--format=%B")) == taken_back

"""What is asked of a forge, and what its answers mean."""

from __future__ import annotations

import pytest

from reconciler.forge.wire import (
    Comment,
    Place,
    comment_of,
    marker,
    notice,
    paths_of,
    place,
    proposal_of,
    state_body,
    sticky,
    told,
)
from reconciler.values.commit_state import CommitState, Stand, one_line

MARK = marker("north")


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://github.com", "https://api.github.com"),
        ("https://github.com/", "https://api.github.com"),
        ("https://api.github.com", "https://api.github.com"),
        ("https://forge.example", "https://forge.example/api/v1"),
        ("https://forge.example/git/", "https://forge.example/git/api/v1"),
        ("https://forge.example/api/v1/", "https://forge.example/api/v1"),
        ("https://ghe.example/api/v3", "https://ghe.example/api/v3"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000/api/v1"),
        ("http://[::1]:3000", "http://[::1]:3000/api/v1"),
    ],
)
def test_addresses(url: str, api: str) -> None:
    made = place(url, "olga/state.git-1")
    assert (made.api, made.at("x")) == (api, f"{api}/repos/olga/state.git-1/x")


@pytest.mark.parametrize(
    ("url", "repository", "words"),
    [
        ("http://forge.example", "a/b", "not encrypted"),
        ("ftp://forge.example", "a/b", "write https://HOST"),
        ("forge.example", "a/b", "write https://HOST"),
        ("https://[", "a/b", "write https://HOST"),
        ("https://forge.example/api/v1?x=/api/v1", "a/b", "write https://HOST"),
        ("https://name:secret@forge.example", "a/b", "no token"),
        ("https://forge.example", "a", "write OWNER/NAME"),
        ("https://forge.example", "a/b/c", "write OWNER/NAME"),
        ("https://forge.example", "../b", "write OWNER/NAME"),
        ("https://forge.example", "a/..", "write OWNER/NAME"),
        ("https://forge.example", "a/b?c", "write OWNER/NAME"),
    ],
)
def test_what_is_no_place(url: str, repository: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as told_of:
        place(url, repository)
    assert "secret" not in str(told_of.value)


def test_our_comment_is_ours_and_begins_with_our_mark() -> None:
    comments = [
        Comment(1, "mallory", f"{MARK}\nmine"),
        Comment(2, "bot", f"look: {MARK}\n"),
        Comment(3, "bot", f"{marker('south')}\n"),
        Comment(5, "Bot", f"{MARK}\nsecond"),
        Comment(4, "bot", f"{MARK}\nfirst"),
    ]
    assert sticky(comments, MARK, "bot") == comments[4]
    assert sticky(comments, MARK, "eve") is None
    assert sticky(comments, MARK, "") == comments[0]


def test_a_name_cannot_leave_its_mark() -> None:
    assert marker("a --> <b>") == "<!-- provider-daemon plan a%20--%3E%20%3Cb%3E -->"
    assert not marker("north").startswith(marker("nort").removesuffix(" -->") + " ")


@pytest.mark.parametrize("found", [None, [], "x", {}, {"id": "1"}, {"number": "1"}, {"id": None}])
def test_other_entries_are_passed_over(found: object) -> None:
    assert comment_of(found) is None
    assert proposal_of(found) is None
    assert list(paths_of(found)) == []


def test_entries() -> None:
    assert comment_of({"id": 3, "user": None, "body": None}) == Comment(3, "", "")
    renamed = {"filename": "b", "previous_filename": "a", "status": "renamed"}
    assert list(paths_of(renamed)) == ["b", "a"]


def test_a_state_fits_what_a_forge_takes() -> None:
    said = CommitState("c" * 40, Stand.FAILURE, "two\nlines \x1b[1m" + "x" * 200)
    body = state_body(said, "provider-daemon/north", "https://forge.example/run/1")
    assert body["state"] == "failure"
    assert body["description"] == one_line(body["description"])
    assert len(body["description"]) == 140
    assert body["description"].startswith("two lines [1m")
    assert "target_url" not in state_body(said, "x")


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/review.yml",
        ".gitea/workflows/review.yml",
        ".gitlab-ci.yml",
        "ci/review.sh",
        ".github/CODEOWNERS",
        "CODEOWNERS",
        ".pre-commit-config.yaml",
        ".gitattributes",
    ],
)
def test_a_change_of_the_checks_is_told(path: str) -> None:
    words = notice(["pricing.yaml", path])
    assert "changes how pull requests are checked" in words
    assert f"`{path}`" in words
    assert "pricing.yaml" not in words


def test_other_changes_are_not() -> None:
    assert notice(["pricing.yaml", "workloads/ci/x.yaml", "docs/ci.md", "cinema.yaml"]) == ""


def test_a_files_name_is_untrusted_too() -> None:
    words = notice([f"ci/{number}`@team\n<b>" for number in range(12)])
    assert "`ci/0'@team <b>`" in words
    assert words.count("\n") == 3
    assert "and 2 more" in words


def test_what_a_forge_says_holds_no_secret() -> None:
    assert told(b"no \x1b[1m token s3cret\nhere", "s3cret") == "no [1m token *** here"
    assert Place("https://forge.example/api/v1", "a/b").api

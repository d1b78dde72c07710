"""What is asked of a forge, and what its answers mean."""

from __future__ import annotations

import pytest

from reconciler.forge.wire import (
    Comment,
    comment_of,
    error_text,
    find_comment,
    marker,
    pull_request_of,
    state_body,
)
from reconciler.values.commit_status import CommitStatus, StatusState
from reconciler.values.text import one_line

MARK = marker("north")


def test_our_comment_has_our_marker_and_author() -> None:
    comments = [
        Comment(1, "mallory", f"{MARK}\nmine"),
        Comment(2, "bot", f"look: {MARK}\n"),
        Comment(3, "bot", f"{marker('south')}\n"),
        Comment(5, "Bot", f"{MARK}\nsecond"),
        Comment(4, "bot", f"{MARK}\nfirst"),
    ]
    assert find_comment(comments, MARK, "bot") == comments[4]
    assert find_comment(comments, MARK, "eve") is None
    assert find_comment(comments, MARK, "") == comments[0]


def test_a_name_is_escaped_in_the_marker() -> None:
    assert marker("a --> <b>") == "<!-- provider-daemon plan a%20--%3E%20%3Cb%3E -->"
    assert not marker("north").startswith(marker("nort").removesuffix(" -->") + " ")


@pytest.mark.parametrize("found", [None, [], "x", {}, {"id": "1"}, {"number": "1"}, {"id": None}])
def test_other_entries_are_ignored(found: object) -> None:
    assert comment_of(found) is None
    assert pull_request_of(found) is None


def test_entries() -> None:
    assert comment_of({"id": 3, "user": None, "body": None}) == Comment(3, "", "")


def test_a_state_fits_the_limits_of_a_forge() -> None:
    said = CommitStatus("c" * 40, StatusState.FAILURE, "two\nlines \x1b[1m" + "x" * 200)
    body = state_body(said, "provider-daemon/north", "https://forge.example/run/1")
    assert body["state"] == "failure"
    assert body["description"] == one_line(body["description"])
    assert len(body["description"]) == 140
    assert body["description"].startswith("two lines [1m")
    assert "target_url" not in state_body(said, "x")


def test_error_texts_contain_no_secret() -> None:
    assert error_text(b"no \x1b[1m token s3cret\nhere", "s3cret") == "no [1m token *** here"

"""One comment for each pull request and provider, and a commit's state."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.forge import client as module
from reconciler.forge.client import CommentDraft, ForgeClient, WrittenComment
from reconciler.forge.errors import ForgeRefusedError, ForgeSilentError
from reconciler.forge.http import ForgeHttp, HttpBounds
from reconciler.forge.wire import marker
from reconciler.values.commit_status import CommitStatus, StatusState
from reconciler.values.forge_repository import forge_repository
from tests.forge.fake import COMMIT, REPOSITORY, TOKEN, FakeForge, Trouble

MARK = marker("north")


def client(fake: FakeForge) -> ForgeClient:
    return ForgeClient(
        forge_repository(fake.url, REPOSITORY), ForgeHttp(TOKEN, HttpBounds(5, 3), lambda _: None)
    )


def note(words: str = "first", author: str = "") -> CommentDraft:
    return CommentDraft(7, MARK, f"{MARK}\n{words}\n", author)


def test_a_comment_is_written_once_and_edited(fake: FakeForge) -> None:
    forge = client(fake)
    assert forge.write_comment(note()) is WrittenComment.MADE
    assert forge.write_comment(note()) is WrittenComment.SAME
    assert forge.write_comment(note("second")) is WrittenComment.EDITED
    assert fake.bodies == [f"{MARK}\nsecond\n"]


def test_each_provider_has_its_own_comment(fake: FakeForge) -> None:
    south = marker("south")
    client(fake).write_comment(note())
    client(fake).write_comment(CommentDraft(7, south, f"{south}\nfirst"))
    assert client(fake).write_comment(note("second")) is WrittenComment.EDITED
    assert fake.bodies == [f"{MARK}\nsecond\n", f"{south}\nfirst"]


def test_comments_of_others_are_not_edited(fake: FakeForge) -> None:
    fake.comment("mallory", f"{MARK}\nall is well\n")
    fake.comment("eve", f"> {MARK}\n")
    assert client(fake).write_comment(note()) is WrittenComment.MADE
    assert fake.bodies[0] == f"{MARK}\nall is well\n"
    assert len(fake.bodies) == 3


def test_the_author_is_given_where_the_forge_does_not_name_it(fake: FakeForge) -> None:
    """A workflow's own token may not ask for its account."""
    fake.login = None
    fake.comment("mallory", f"{MARK}\nall is well\n")
    assert client(fake).write_comment(note(author="robot[bot]")) is WrittenComment.MADE
    assert client(fake).write_comment(note("second", author="robot[bot]")) is WrittenComment.EDITED
    assert fake.bodies == [f"{MARK}\nall is well\n", f"{MARK}\nsecond\n"]


@pytest.mark.parametrize("has_pages", [True, False])
def test_our_comment_is_found_among_many(fake: FakeForge, has_pages: bool) -> None:
    fake.has_pages = has_pages
    for number in range(120):
        fake.comment("olga", f"question {number}")
    client(fake).write_comment(note())
    assert client(fake).write_comment(note("second")) is WrittenComment.EDITED
    assert len(fake.comments) == 121
    looked = fake.asked.count(f"GET /api/v1/repos/{REPOSITORY}/issues/7/comments")
    assert looked == (6 if has_pages else 4), "a forge without pages is known by its second answer"


def test_the_number_of_pages_is_limited(fake: FakeForge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGES_MAX", 3)
    for number in range(200):
        fake.comment("olga", f"question {number}")
    client(fake).write_comment(note())
    assert fake.asked.count(f"GET /api/v1/repos/{REPOSITORY}/issues/7/comments") == 3


@pytest.mark.parametrize("status", [500, 0])
def test_after_an_ambiguous_failure_a_written_comment_is_found(fake: FakeForge, status: int) -> None:
    forge = client(fake)
    fake.troubles = [
        Trouble(200, body=b'{"login": "operator"}'),
        Trouble(200, body=b"[]"),
        Trouble(status, after=True),
    ]
    assert forge.write_comment(note()) is WrittenComment.SAME
    assert len(fake.bodies) == 1


def test_after_an_ambiguous_failure_a_missing_comment_is_written(fake: FakeForge) -> None:
    fake.troubles = [Trouble(200, body=b'{"login": "operator"}'), Trouble(200, body=b"[]"), Trouble(500)]
    assert client(fake).write_comment(note()) is WrittenComment.MADE
    assert len(fake.bodies) == 1


def test_an_unreachable_forge_is_an_error(fake: FakeForge) -> None:
    fake.always = Trouble(500)
    with pytest.raises(ForgeSilentError, match="answered 500"):
        client(fake).write_comment(note())


@pytest.mark.parametrize("answer", [b"{}", b'"x"', b"null", b"[1, null, {}]"])
def test_invalid_lists_are_empty(fake: FakeForge, answer: bytes) -> None:
    fake.troubles = [Trouble(200, body=b'{"login": "operator"}'), Trouble(200, body=answer)]
    assert client(fake).write_comment(note()) is WrittenComment.MADE


def test_a_state(fake: FakeForge) -> None:
    said = CommitStatus(COMMIT, StatusState.PENDING, "held")
    client(fake).set_status(said, "provider-daemon/north")
    assert fake.statuses == [
        {"commit": COMMIT, "state": "pending", "description": "held", "context": "provider-daemon/north"}
    ]


@pytest.mark.parametrize("commit", ["", "main", "../" + COMMIT, COMMIT[:-1], COMMIT.upper()])
def test_a_state_needs_a_commit(fake: FakeForge, commit: str) -> None:
    with pytest.raises(ForgeRefusedError, match="40 hexadecimal"):
        client(fake).set_status(CommitStatus(commit, StatusState.SUCCESS, ""), "x")
    assert not fake.asked


def proposal(number: int, head: str) -> dict[str, Any]:
    return {"number": number, "head": {"sha": head}}


def test_the_head_of_a_pull_request(fake: FakeForge) -> None:
    fake.pulls = [proposal(3, "d" * 40), {"number": 5, "head": None}]
    assert [client(fake).head_of(number) for number in (3, 4, 5)] == ["d" * 40, COMMIT, ""]

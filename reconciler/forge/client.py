"""Writes to a forge: one comment for each pull request, and the state of commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from reconciler.forge.errors import ForgeRefusedError, ForgeSilentError
from reconciler.forge.http import ForgeHttp, ForgeRequest
from reconciler.forge.wire import (
    COMMIT,
    PAGE,
    Comment,
    comment_of,
    find_comment,
    login_of,
    pull_request_of,
    state_body,
)
from reconciler.values.commit_status import CommitStatus
from reconciler.values.forge_repository import ForgeRepository

Entry = TypeVar("Entry")

PAGES_MAX = 60
"""Of a list: 3,000 entries."""


class WrittenComment(StrEnum):
    """How a comment was written."""

    MADE = "written"
    EDITED = "edited"
    SAME = "left as it is"


@dataclass(frozen=True, slots=True)
class CommentDraft:
    """A comment for a pull request: its marker (first line) and its whole text; `author` is our account, for
    forges that do not name it.
    """

    number: int
    mark: str
    body: str
    author: str = ""


class ForgeClient:
    """A repository on a forge, with a token. Its methods raise ForgeSilentError and ForgeRefusedError."""

    def __init__(self, repository: ForgeRepository, http: ForgeHttp) -> None:
        self._repository = repository
        self._http = http

    def write_comment(self, note: CommentDraft) -> WrittenComment:
        """Make our comment have this text; an existing one is edited, never duplicated."""
        author = self.whoami() or note.author
        try:
            return self._write_comment(note, author)
        except ForgeSilentError as error:
            if not error.is_ambiguous:
                raise
        return self._write_comment(note, author)  # a comment that was made after all is found first

    def set_status(self, state: CommitStatus, name: str, link: str = "") -> None:
        """Set a commit's state under a name; idempotent."""
        if not COMMIT.fullmatch(state.commit):
            raise ForgeRefusedError(f'"{state.commit}" is not a commit; write its 40 hexadecimal digits')
        self._http.request(
            ForgeRequest(
                "POST", self._repository.at(f"statuses/{state.commit}"), state_body(state, name, link)
            )
        )

    def may_write(self) -> bool:
        """Whether the token's account may write to the repository; True if the forge does not say."""
        found = self._http.request(ForgeRequest("GET", self._repository.at("").rstrip("/")))
        rights = found.get("permissions") if isinstance(found, dict) else None
        return not isinstance(rights, dict) or rights.get("push") is not False

    def whoami(self) -> str:
        """The account of the token; "" if unknown, as for a workflow's own token."""
        try:
            return login_of(self._http.request(ForgeRequest("GET", f"{self._repository.api}/user")))
        except ForgeRefusedError as error:
            if error.status not in (403, 404):
                raise
            return ""

    def head_of(self, number: int) -> str:
        """The commit at the head of a pull request; "" if unknown."""
        found = pull_request_of(
            self._http.request(ForgeRequest("GET", self._repository.at(f"pulls/{number}")))
        )
        return found.head if found else ""

    def _write_comment(self, note: CommentDraft, author: str) -> WrittenComment:
        found = find_comment(self._comments(note.number), note.mark, author)
        if found is None:
            where = self._repository.at(f"issues/{note.number}/comments")
            self._http.request(ForgeRequest("POST", where, {"body": note.body}, is_idempotent=False))
            return WrittenComment.MADE
        if _is_same(found.body, note.body):
            return WrittenComment.SAME
        where = self._repository.at(f"issues/comments/{found.id}")
        self._http.request(ForgeRequest("PATCH", where, {"body": note.body}))
        return WrittenComment.EDITED

    def _comments(self, number: int) -> Iterator[Comment]:
        return self._pages(f"issues/{number}/comments", comment_of)

    def _pages(self, path: str, read: Callable[[Any], Entry | None]) -> Iterator[Entry]:
        """Every entry of a list; ends at a page without new entries, which a forge without pages repeats."""
        seen: set[str] = set()
        mark = "&" if "?" in path else "?"
        for page in range(1, PAGES_MAX + 1):
            url = self._repository.at(f"{path}{mark}per_page={PAGE}&limit={PAGE}&page={page}")
            found = self._http.request(ForgeRequest("GET", url))
            if not isinstance(found, list):
                found = []
            fresh = [each for each in found if str(each) not in seen]
            seen.update(str(each) for each in fresh)
            yield from (entry for each in fresh if (entry := read(each)) is not None)
            if len(found) < PAGE or not fresh:
                return


def _is_same(old: str, new: str) -> bool:
    return old.replace("\r\n", "\n").rstrip() == new.rstrip()

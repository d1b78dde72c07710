"""What we do on a forge: one comment for each pull request, and a commit's state."""

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
    login_of,
    proposal_of,
    state_body,
    sticky,
)
from reconciler.values.commit_state import CommitState
from reconciler.values.forge_repository import ForgeRepository

Entry = TypeVar("Entry")

PAGES_MAX = 60
"""How far we look through a list: 3,000 entries."""


class WrittenComment(StrEnum):
    """What became of a comment."""

    MADE = "written"
    EDITED = "edited"
    SAME = "left as it is"


@dataclass(frozen=True, slots=True)
class CommentResult:
    """A comment to be: on which pull request, its mark (its first line), its whole text; `author` is who we
    are where the forge does not tell.
    """

    number: int
    mark: str
    body: str
    author: str = ""


class ForgeClient:
    """A repository on a forge, with a token. Its methods raise ForgeSilentError and ForgeRefusedError."""

    def __init__(self, place: ForgeRepository, exchange: ForgeHttp) -> None:
        self._place = place
        self._exchange = exchange

    def say(self, note: CommentResult) -> WrittenComment:
        """Make our comment say this: edited in place where it is there, and never made a second time."""
        author = self.whoami() or note.author
        try:
            return self._say(note, author)
        except ForgeSilentError as error:
            if not error.unsure:
                raise
        return self._say(note, author)  # it looks first: what was made after all is found

    def set_state(self, said: CommitState, name: str, link: str = "") -> None:
        """Set a commit's state under a name; saying it again changes nothing that is shown."""
        if not COMMIT.fullmatch(said.commit):
            raise ForgeRefusedError(f'"{said.commit}" is not a commit; write its 40 hexadecimal digits')
        self._exchange.ask(
            ForgeRequest("POST", self._place.at(f"statuses/{said.commit}"), state_body(said, name, link))
        )

    def may_write(self) -> bool:
        """Whether the token's account may write to the repository; true where the forge does not say."""
        found = self._exchange.ask(ForgeRequest("GET", self._place.at("").rstrip("/")))
        rights = found.get("permissions") if isinstance(found, dict) else None
        return not isinstance(rights, dict) or rights.get("push") is not False

    def whoami(self) -> str:
        """The account of the token; "" where the forge does not say, as for a workflow's own token."""
        try:
            return login_of(self._exchange.ask(ForgeRequest("GET", f"{self._place.api}/user")))
        except ForgeRefusedError as error:
            if error.status not in (403, 404):
                raise
            return ""

    def head_of(self, number: int) -> str:
        """The commit at the head of a pull request; "" where the forge does not say."""
        found = proposal_of(self._exchange.ask(ForgeRequest("GET", self._place.at(f"pulls/{number}"))))
        return found.head if found else ""

    def _say(self, note: CommentResult, author: str) -> WrittenComment:
        found = sticky(self._comments(note.number), note.mark, author)
        if found is None:
            where = self._place.at(f"issues/{note.number}/comments")
            self._exchange.ask(ForgeRequest("POST", where, {"body": note.body}, again=False))
            return WrittenComment.MADE
        if _same(found.body, note.body):
            return WrittenComment.SAME
        where = self._place.at(f"issues/comments/{found.id}")
        self._exchange.ask(ForgeRequest("PATCH", where, {"body": note.body}))
        return WrittenComment.EDITED

    def _comments(self, number: int) -> Iterator[Comment]:
        return self._pages(f"issues/{number}/comments", comment_of)

    def _pages(self, path: str, read: Callable[[Any], Entry | None]) -> Iterator[Entry]:
        """Every entry of a list; a forge that has no pages gives the same entries again, which ends it."""
        seen: set[str] = set()
        mark = "&" if "?" in path else "?"
        for page in range(1, PAGES_MAX + 1):
            url = self._place.at(f"{path}{mark}per_page={PAGE}&limit={PAGE}&page={page}")
            found = self._exchange.ask(ForgeRequest("GET", url))
            if not isinstance(found, list):
                found = []
            fresh = [each for each in found if str(each) not in seen]
            seen.update(str(each) for each in fresh)
            yield from (entry for each in fresh if (entry := read(each)) is not None)
            if len(found) < PAGE or not fresh:
                return


def _same(old: str, new: str) -> bool:
    return old.replace("\r\n", "\n").rstrip() == new.rstrip()

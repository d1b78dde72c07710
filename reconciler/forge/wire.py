"""What is asked of a forge and what it answers, in the JSON that GitHub and Gitea share. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from reconciler.values.commit_state import DESCRIPTION_CHARACTERS, CommitState
from reconciler.values.text import one_line

PAGE = 50
"""Entries asked for at once; Gitea gives no more."""

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a pull request, as far as we look at it."""

    id: int
    author: str
    body: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pull request: its number and the commit at its head."""

    number: int
    head: str


def marker(provider: str) -> str:
    """The first line of our comment, which a reader does not see: one for each provider."""
    name = f" {quote(provider, safe='')}" if provider else ""
    return f"<!-- provider-daemon plan{name} -->"


def sticky(comments: Iterable[Comment], mark: str, author: str) -> Comment | None:
    """Our comment among those of a pull request: the oldest that begins with our mark and, where we know who
    we are, is ours.
    """
    ours = [
        c
        for c in comments
        if c.body.lstrip("\ufeff").startswith(mark) and (not author or c.author.lower() == author.lower())
    ]
    return min(ours, key=lambda c: c.id, default=None)


def comment_of(found: Any) -> Comment | None:
    """One entry of a list of comments; None where it is something else."""
    if not isinstance(found, dict) or not isinstance(found.get("id"), int):
        return None
    return Comment(found["id"], login_of(found.get("user")), _text(found.get("body")))


def proposal_of(found: Any) -> Proposal | None:
    """One entry of a list of pull requests."""
    if not isinstance(found, dict) or not isinstance(found.get("number"), int):
        return None
    head = found.get("head")
    return Proposal(found["number"], _text(head.get("sha")) if isinstance(head, dict) else "")


def login_of(found: Any) -> str:
    """The name of an account; "" where there is none."""
    return _text(found.get("login")) if isinstance(found, dict) else ""


def state_body(said: CommitState, name: str, link: str = "") -> dict[str, str]:
    """What sets a commit's state; `name` tells it from other checks, `link` leads to more."""
    body = {
        "state": said.stand.value,
        "description": one_line(said.description, DESCRIPTION_CHARACTERS),
        "context": name,
    }
    return body | ({"target_url": link} if link else {})


def told(answer: bytes, secret: str) -> str:
    """What a forge says is wrong, on one line, without the secret that it may have given back."""
    text = one_line(answer[:4_000].decode("utf-8", "replace"), 200)
    return text.replace(secret, "***") if secret else text


def _text(found: Any) -> str:
    return found if isinstance(found, str) else ""

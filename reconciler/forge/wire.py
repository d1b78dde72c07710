"""Requests to a forge and its responses, in the JSON that GitHub and Gitea share. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from reconciler.values.commit_status import DESCRIPTION_CHARACTERS, CommitStatus
from reconciler.values.text import one_line

PAGE = 50
"""Entries per request; the most that Gitea returns."""

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a pull request, the fields that are used."""

    id: int
    author: str
    body: str


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request: its number and the commit at its head."""

    number: int
    head: str


def marker(provider: str) -> str:
    """The first line of our comment, invisible to readers: one for each provider."""
    name = f" {quote(provider, safe='')}" if provider else ""
    return f"<!-- provider-daemon plan{name} -->"


def find_comment(comments: Iterable[Comment], mark: str, author: str) -> Comment | None:
    """Our comment on a pull request: the oldest with our marker and, if our account is known, by us."""
    ours = [
        c
        for c in comments
        if c.body.lstrip("\ufeff").startswith(mark) and (not author or c.author.lower() == author.lower())
    ]
    return min(ours, key=lambda c: c.id, default=None)


def comment_of(found: Any) -> Comment | None:
    """An entry of a list of comments; None if it is something else."""
    if not isinstance(found, dict) or not isinstance(found.get("id"), int):
        return None
    return Comment(found["id"], login_of(found.get("user")), _text(found.get("body")))


def pull_request_of(found: Any) -> PullRequest | None:
    """An entry of a list of pull requests; None if it is something else."""
    if not isinstance(found, dict) or not isinstance(found.get("number"), int):
        return None
    head = found.get("head")
    return PullRequest(found["number"], _text(head.get("sha")) if isinstance(head, dict) else "")


def login_of(found: Any) -> str:
    """The name of an account; "" if there is none."""
    return _text(found.get("login")) if isinstance(found, dict) else ""


def state_body(state: CommitStatus, name: str, link: str = "") -> dict[str, str]:
    """The request body that sets a commit's state; `name` identifies the check, `link` leads to details."""
    body = {
        "state": state.state.value,
        "description": one_line(state.description, DESCRIPTION_CHARACTERS),
        "context": name,
    }
    return body | ({"target_url": link} if link else {})


def error_text(answer: bytes, secret: str) -> str:
    """A forge's error message on one line, without the secret that it may quote."""
    text = one_line(answer[:4_000].decode("utf-8", "replace"), 200)
    return text.replace(secret, "***") if secret else text


def _text(found: Any) -> str:
    return found if isinstance(found, str) else ""

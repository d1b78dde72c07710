"""The pull request: from options, else FORGE_*, else variables of GitHub Actions and Gitea Actions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

EVENT_MAX_BYTES = 32 << 20

OPTIONS = {
    "url": ("--url", "FORGE_URL"),
    "repository": ("--repository", "FORGE_REPOSITORY"),
    "token": ("--token-file", "FORGE_TOKEN"),
    "number": ("--number", "FORGE_PULL_REQUEST"),
    "commit": ("--commit", "FORGE_COMMIT"),
}
"""The option and the environment variable of each field."""

AUTHORS = {"GITEA_ACTIONS": "gitea-actions", "GITHUB_ACTIONS": "github-actions[bot]"}
"""The account of a workflow's own token, which may not query its account."""


class MissingOptionError(Exception):
    """A required value is unknown; the text says how to give it."""


@dataclass(frozen=True, slots=True)
class ForgeTarget:
    """A repository, a pull request in it, a commit; unknown fields are empty (0: no number). `is_queued`: the
    commit is a merge queue's, without a pull request of its own.
    """

    url: str = ""
    repository: str = ""
    token: str = ""
    number: int = 0
    commit: str = ""
    author: str = ""
    link: str = ""
    is_queued: bool = False
    allow_http: bool = False

    def require(self, *names: str) -> None:
        """MissingOptionError if one of these fields is unknown."""
        for name in names:
            if not getattr(self, name):
                option, variable = OPTIONS[name]
                raise MissingOptionError(f"the {_LABELS[name]} is unknown; give {option}, or set {variable}")


_LABELS = {
    "url": "forge's address",
    "repository": "repository (OWNER/NAME)",
    "token": "token",
    "number": "pull request's number",
    "commit": "commit",
}


def forge_target_of(environment: Mapping[str, str]) -> ForgeTarget:
    """The target by the environment; MissingOptionError on GitLab, which takes files instead of comments."""
    if environment.get("GITLAB_CI") and not environment.get("FORGE_URL"):
        raise MissingOptionError(
            "on GitLab the review is the job's code quality report and its artifact review.md"
        )
    plain = _of_actions(environment)
    given = {name: environment.get(variable, "") for name, (_, variable) in OPTIONS.items()}
    return replace(
        plain,
        url=given["url"] or plain.url,
        repository=given["repository"] or plain.repository,
        token=given["token"] or plain.token,
        commit=given["commit"] or plain.commit,
        number=_number(given["number"]) or plain.number,
        allow_http=environment.get("FORGE_ALLOW_HTTP", "").lower() in ("true", "yes", "1"),
    )


def _of_actions(environment: Mapping[str, str]) -> ForgeTarget:
    get = environment.get
    event = _event(get("GITHUB_EVENT_PATH", ""))
    server = get("GITHUB_SERVER_URL", "").rstrip("/")  # Gitea's ends with one
    repository, run = get("GITHUB_REPOSITORY", ""), get("GITHUB_RUN_ID")
    where = ForgeTarget(
        url=get("GITHUB_API_URL", "") or server,
        repository=repository,
        token=get("GITHUB_TOKEN", "") or get("GITEA_TOKEN", ""),
        commit=get("GITHUB_SHA", ""),
        author=next((author for name, author in AUTHORS.items() if get(name) == "true"), ""),
        link=f"{server}/{repository}/actions/runs/{run}" if server and run else "",
    )
    pull, queue = _map(event, "pull_request"), _map(event, "merge_group")
    if pull:
        number = pull.get("number") or event.get("number")
        where = replace(where, commit=_text(_map(pull, "head"), "sha"), number=_number(str(number)))
    elif queue:
        where = replace(where, commit=_text(queue, "head_sha"), is_queued=True)
    return where


def _event(path: str) -> Mapping[str, Any]:
    """The event that triggered the workflow; empty without such a file."""
    if not path:
        return {}
    try:
        with Path(path).open("rb") as file:
            found = json.loads(file.read(EVENT_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _map(found: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = found.get(key)
    return value if isinstance(value, dict) else {}


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) else ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else 0

"""`provider-daemon forge`: one comment on a pull request, and a commit's state, on GitHub and Gitea."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from reconciler.cli.forge.target import AUTHORS, ForgeTarget, MissingOptionError, forge_target_of
from reconciler.cli.lazy import USAGE_ERROR
from reconciler.cli.options import options
from reconciler.forge.client import CommentDraft, ForgeClient
from reconciler.forge.errors import ForgeError, ForgeRefusedError
from reconciler.forge.escaping import neutralize, truncate
from reconciler.forge.http import ForgeHttp, HttpBounds
from reconciler.forge.wire import marker
from reconciler.values.commit_status import CommitStatus, StatusState
from reconciler.values.forge_repository import forge_repository

FORGE_FAILED = 75
"""The exit code if the forge rejects it (EX_TEMPFAIL); a check reports its result by its own exit code."""
FILE_MAX_BYTES = 8 << 20
REVIEW = "provider-daemon/review"
PLAIN = ("url", "repository", "number", "commit", "link", "allow_http")
"""Options that are fields of ForgeTarget."""


forge_options = options(
    click.option("--url", help="The forge's address, or that of its API; default: $FORGE_URL."),
    click.option("--repository", help="OWNER/NAME; default: $FORGE_REPOSITORY."),
    click.option(
        "--token-file",
        type=click.Path(path_type=Path),
        help="A file with the token; default: $FORGE_TOKEN, $GITHUB_TOKEN.",
    ),
    click.option("--link", help="Link to details, such as the log of the run."),
    click.option(
        "--seconds",
        default=30.0,
        show_default=True,
        envvar="FORGE_SECONDS",
        help="Timeout of a request to the forge with its retries; default: $FORGE_SECONDS.",
    ),
    click.option(
        "--allow-http", is_flag=True, help="Permit plain http to another host; default: $FORGE_ALLOW_HTTP."
    ),
    click.option(
        "--best-effort",
        is_flag=True,
        help="Exit 0 even if the forge rejects it; print a warning.",
    ),
)


@click.group()
def forge() -> None:
    """Comment on a pull request, and set the state of a commit.

    Exit codes: 0 done, 75 the forge rejected it or failed (0 with --best-effort), 64 usage error. A check
    reports its result by its own exit code, whatever the forge does.
    """


@forge.command()
@click.option("--file", type=click.Path(path_type=Path), required=True, help="Markdown; - is stdin.")
@click.option("--provider", default="", help="The provider; each has one comment on a pull request.")
@click.option("--number", type=int, help="The pull request's number; default: $FORGE_PULL_REQUEST.")
@forge_options
def comment(file: Path, provider: str, **flags: Any) -> int:
    """Write a comment on a pull request, or edit the existing one.

    Nothing is written if the head of the pull request has changed. The text is neutralised: it cannot mention
    users, link or hide. It is truncated at 65,536 characters, with a link to the rest.
    """

    def send(where: ForgeTarget, client: ForgeClient) -> str:
        content = _read(file)
        if where.is_queued:
            return "a merge queue's commit has no pull request; nothing was written"
        where.require("number")
        number = where.number
        if where.commit and (head := client.head_of(number)) != where.commit:
            return (
                f"pull request {number} has moved from {where.commit[:12]} to {head[:12]}; nothing was "
                "written, the newer commit has its own review"
            )
        mark = marker(provider)
        body = truncate(f"{mark}\n{_add_link(neutralize(content), where.link)}", _rest(where))
        written = client.write_comment(CommentDraft(number, mark, body, where.author))
        return f"comment on pull request {number}: {written}"

    return _run(send, flags, "url", "repository", "token")


@forge.command()
@click.option("--state", type=click.Choice([each.value for each in StatusState]), required=True)
@click.option("--description", default="", help="One line; a forge shows 140 characters.")
@click.option("--name", default=REVIEW, show_default=True, help="The name of the check.")
@click.option("--commit", help="The commit, 40 digits; default: $FORGE_COMMIT, else the pull request's head.")
@forge_options
def status(state: str, description: str, name: str, **flags: Any) -> int:
    """Set the state of a commit: pending, success or failure."""

    def send(where: ForgeTarget, client: ForgeClient) -> str:
        try:
            client.set_status(CommitStatus(where.commit, StatusState(state), description), name, where.link)
        except ForgeRefusedError as error:
            if error.status != 403 or where.author != AUTHORS["GITEA_ACTIONS"]:
                raise
            return f"{name} was not set: on Gitea a job cannot set states; require the job's own state"
        return f"commit {where.commit[:12]}: {state}"

    return _run(send, flags, "url", "repository", "token", "commit")


def _run(send: Callable[[ForgeTarget, ForgeClient], str], flags: dict[str, Any], *needed: str) -> int:
    try:
        where = _where(flags)
        where.require(*needed)
        exchange = ForgeHttp(where.token, HttpBounds(seconds=flags["seconds"]))
        there = forge_repository(where.url, where.repository, allow_http=where.allow_http)
        click.echo(send(where, ForgeClient(there, exchange)))
    except (MissingOptionError, ValueError) as error:
        return _failed(error, USAGE_ERROR, flags)
    except ForgeError as error:
        return _failed(error, FORGE_FAILED, flags)
    return 0


def _failed(error: Exception, code: int, flags: dict[str, Any]) -> int:
    click.echo(f"nothing was sent to the forge: {error}", err=True)
    return 0 if flags["best_effort"] else code


def _where(flags: dict[str, Any]) -> ForgeTarget:
    target = forge_target_of(os.environ)
    named = {name: flags.get(name) for name in PLAIN}
    if (file := flags["token_file"]) is not None:
        named["token"] = _read(file).strip()
    return replace(target, **{name: value for name, value in named.items() if value})


def _rest(where: ForgeTarget) -> str:
    return f"in [its log]({where.link})" if where.link else "in the check's log"


def _add_link(content: str, link: str) -> str:
    """The content with a link to the run's log below its first line."""
    if not re.fullmatch(r"https?://[^\s()<>]{1,500}", link):
        return content
    first, _, rest = content.partition("\n")
    return f"{first}\n\n[Log of this run]({link})\n{rest}"


def _read(path: Path) -> str:
    if str(path) == "-":
        content = sys.stdin.buffer.read(FILE_MAX_BYTES)
    else:
        with path.open("rb") as file:
            content = file.read(FILE_MAX_BYTES)
    return content.decode("utf-8", "replace")

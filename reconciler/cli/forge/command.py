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

from reconciler.cli.forge.target import AUTHORS, ForgeTarget, UnknownPlaceError, forge_target_of
from reconciler.cli.lazy import USAGE_ERROR
from reconciler.forge.client import CommentResult, ForgeClient
from reconciler.forge.errors import ForgeError, ForgeRefusedError
from reconciler.forge.escaping import capped, harmless
from reconciler.forge.http import ForgeHttp, HttpBounds
from reconciler.forge.wire import marker
from reconciler.values.commit_state import CommitStand, CommitState
from reconciler.values.forge_repository import forge_repository

FORGE_FAILED = 75
"""The exit code of a forge that did not take it (EX_TEMPFAIL); the check itself says what it found by its
own code.
"""
FILE_MAX_BYTES = 8 << 20
REVIEW = "provider-daemon/review"
PLAIN = ("url", "repository", "number", "commit", "link", "allow_http")
"""Options that are taken as they are."""
Command = Callable[..., Any]


def _options(command: Command) -> Command:
    """Where the forge is; each option has a variable that says the same."""
    for option in (
        click.option("--url", help="The forge's address, or that of its API; else $FORGE_URL."),
        click.option("--repository", help="OWNER/NAME; else $FORGE_REPOSITORY."),
        click.option(
            "--token-file",
            type=click.Path(path_type=Path),
            help="A file with the token; else $FORGE_TOKEN, $GITHUB_TOKEN.",
        ),
        click.option("--link", help="ForgeTarget more is to be read, such as the log of the run."),
        click.option(
            "--seconds",
            default=30.0,
            show_default=True,
            envvar="FORGE_SECONDS",
            help="How long the forge may take for each thing that it is asked; else $FORGE_SECONDS.",
        ),
        click.option(
            "--allow-http", is_flag=True, help="Permit plain http to another host; else $FORGE_ALLOW_HTTP."
        ),
        click.option(
            "--best-effort",
            is_flag=True,
            help="Exit 0 even if the forge rejects it; print a warning.",
        ),
    ):
        command = option(command)
    return command


@click.group()
def forge() -> None:
    """Tell a pull request what a change does, and a commit how it stands.

    Exit codes: 0 told, 75 the forge did not take it (0 with --best-effort), 64 wrong usage. A forge that
    fails never fails a check: what the check found is said by its own exit code.
    """


@forge.command()
@click.option("--file", type=click.Path(path_type=Path), required=True, help="Markdown; - is stdin.")
@click.option("--provider", default="", help="Whose comment: each provider has one on a pull request.")
@click.option("--number", type=int, help="The pull request's number; else $FORGE_PULL_REQUEST.")
@_options
def comment(file: Path, provider: str, **options: Any) -> int:
    """Write one comment on a pull request, or edit the one that is there.

    Nothing is written when the pull request has got another head since. Nothing in the comment mentions,
    links or hides. It is capped at 65,536 characters and says where the rest is.
    """

    def tell(where: ForgeTarget, told: ForgeClient) -> str:
        content = _read(file)
        if where.is_queued:
            return "a merge queue's commit has no pull request; nothing was written"
        where.need("number")
        number = where.number
        if where.commit and (head := told.head_of(number)) != where.commit:
            return (
                f"pull request {number} has moved from {where.commit[:12]} to {head[:12]}; nothing was "
                "written, the review of the newer commit is what counts"
            )
        mark = marker(provider)
        body = capped(f"{mark}\n{_linked(harmless(content), where.link)}", _rest(where))
        written = told.say(CommentResult(number, mark, body, where.author))
        return f"comment on pull request {number}: {written}"

    return _on_forge(tell, options, "url", "repository", "token")


@forge.command()
@click.option("--state", type=click.Choice([each.value for each in CommitStand]), required=True)
@click.option("--description", default="", help="One line; a forge shows 140 characters.")
@click.option("--name", default=REVIEW, show_default=True, help="What tells this state from other checks.")
@click.option("--commit", help="The commit, 40 digits; else $FORGE_COMMIT, else the pull request's head.")
@_options
def status(state: str, description: str, name: str, **options: Any) -> int:
    """Set the state of a commit: pending, success or failure."""

    def tell(where: ForgeTarget, told: ForgeClient) -> str:
        try:
            told.set_state(CommitState(where.commit, CommitStand(state), description), name, where.link)
        except ForgeRefusedError as error:
            if error.status != 403 or where.author != AUTHORS["GITEA_ACTIONS"]:
                raise
            return f"{name} was not set: on Gitea a job cannot set states; require the job's own state"
        return f"commit {where.commit[:12]}: {state}"

    return _on_forge(tell, options, "url", "repository", "token", "commit")


def _on_forge(tell: Callable[[ForgeTarget, ForgeClient], str], options: dict[str, Any], *needed: str) -> int:
    try:
        where = _where(options)
        where.need(*needed)
        exchange = ForgeHttp(where.token, HttpBounds(seconds=options["seconds"]))
        there = forge_repository(where.url, where.repository, allow_http=where.allow_http)
        click.echo(tell(where, ForgeClient(there, exchange)))
    except (UnknownPlaceError, ValueError) as error:
        return _untold(error, USAGE_ERROR, options)
    except ForgeError as error:
        return _untold(error, FORGE_FAILED, options)
    return 0


def _untold(error: Exception, code: int, options: dict[str, Any]) -> int:
    click.echo(f"the forge was not told: {error}", err=True)
    return 0 if options["best_effort"] else code


def _where(options: dict[str, Any]) -> ForgeTarget:
    where = forge_target_of(os.environ)
    named = {name: options.get(name) for name in PLAIN}
    if (file := options["token_file"]) is not None:
        named["token"] = _read(file).strip()
    return replace(where, **{name: value for name, value in named.items() if value})


def _rest(where: ForgeTarget) -> str:
    return f"in [its log]({where.link})" if where.link else "in the check's log"


def _linked(content: str, link: str) -> str:
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

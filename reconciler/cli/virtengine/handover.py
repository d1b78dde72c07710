"""Unknown commands run the chain's own `virtengine`, if another one is on the PATH."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

from reconciler.cli.lazy import LazyGroup

NAME = "virtengine"
OURS = b"reconciler.cli.virtengine.main"
"""Part of the console script that pip writes for this client, in whichever directory."""

HANDED_OVER = "VIRTENGINE_HANDED_OVER"
"""Set for the called client, so that two of these clients behind wrappers do not call each other forever."""

SCRIPT_BYTES = 4096


class HandoverGroup(click.Group):
    """A group that runs the chain's own client for unknown commands; its `obj` is the whole argument list."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if parent is None:
            extra["obj"] = tuple(args)
        return super().make_context(info_name, args, parent, **extra)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            _hand_over(ctx, name)
        return super().resolve_command(ctx, args)


class LazyHandoverGroup(HandoverGroup, LazyGroup):
    """The same, with commands that are imported when they are called."""


def real_client(environment: Mapping[str, str]) -> Path | None:
    """The first `virtengine` on the PATH that is not this client; None if there is none."""
    for directory in environment.get("PATH", os.defpath).split(os.pathsep):
        candidate = Path(directory or ".") / NAME
        if candidate.is_file() and os.access(candidate, os.X_OK) and not _is_ours(candidate):
            return candidate.absolute()
    return None


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as script:
            return OURS in script.read(SCRIPT_BYTES)
    except OSError:
        return True  # unreadable, so not distinguishable: not run


def _hand_over(ctx: click.Context, name: str) -> NoReturn:
    """Become the chain's own client; UsageError if there is none."""
    real = None if HANDED_OVER in os.environ else real_client(os.environ)
    if real is None:
        raise click.UsageError(
            f"No such command {name!r}. The chain's own client would be called for it, but no other "
            f"{NAME} is on the PATH.",
            ctx,
        )
    arguments = [str(real), *ctx.obj]
    os.execve(real, arguments, {**os.environ, HANDED_OVER: "1"})  # noqa: S606  # without a shell on purpose

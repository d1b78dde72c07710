"""`provider-daemon plan`: the plan of the next cycle, or of merging a branch; changes nothing."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from reconciler.cli.options import host_option
from reconciler.cli.planning.preview import PreviewRequest, preview_offline, preview_on
from reconciler.reports.plan_json import plan_json
from reconciler.reports.plan_text import plan_text
from reconciler.reports.preview_json import preview_json
from reconciler.reports.preview_markdown import preview_markdown
from reconciler.reports.preview_text import preview_text
from reconciler.values.preview import Preview

CHANGES = 2

PLANS = {"text": plan_text, "json": plan_json}
PREVIEWS = {"text": preview_text, "markdown": preview_markdown, "json": preview_json}


@click.command()
@host_option
@click.option("--base", default="", help="The commit to start from; default: the applied one.")
@click.option("--head", default="", help="The commit to end with, merged into the base; default: HEAD.")
@click.option("--offline", is_flag=True, help="Use the snapshot branch only: no key, chain or cluster.")
@click.option(
    "-o",
    "--output",
    "--format",
    "form",
    type=click.Choice([*PREVIEWS]),
    default="text",
    show_default=True,
    help="For a terminal, a comment, or a program.",
)
@click.option(
    "--clone",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path(),
    help="The clone of the state repository; default: the current folder.",
)
@click.option("--path", default="", help="The provider's folder in the repository.")
@click.option("--provider", default="", help="The provider, if several share the repository.")
@click.option("--snapshot", default="", help="The snapshot's commit; default: its branch.")
@click.option(
    "--allowed-signers",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="ssh's ALLOWED SIGNERS; one of them must have signed the snapshot.",
)
@click.option("--json-file", type=click.Path(path_type=Path), help="Also write JSON to this file.")
def plan(host: Path | None, offline: bool, form: str, json_file: Path | None, **rest: str) -> int:
    """Show what the next cycle would do and hold, and why.

    With --base, --head or --offline: what merging HEAD into BASE would change.

    Exit code 0: nothing to do, 2: there are changes, 1: an error. An invalid file is reported in the plan and
    the rest is planned; `validate` fails on it.
    """
    if not (offline or rest["base"] or rest["head"]):
        return _next_cycle(host, form)
    with _without_collection():
        made = _preview(host, offline, _request(rest))
        if json_file is not None:
            json_file.write_text(preview_json(made), encoding="utf-8")
        click.echo(PREVIEWS[form](made), nl=False)
    return CHANGES if made.changes else 0


@contextmanager
def _without_collection() -> Iterator[None]:
    """A plan keeps its objects until the end, so that collecting garbage only costs time (25 %)."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _next_cycle(host: Path | None, form: str) -> int:
    if form not in PLANS:
        raise click.UsageError("--format markdown needs a change: give --base and --head")
    from reconciler.cli.planning.plan_live import plan_now

    found = plan_now(host)
    click.echo(PLANS[form](found), nl=False)
    return 0 if found.quiet else CHANGES


def _preview(host: Path | None, offline: bool, request: PreviewRequest) -> Preview:
    if offline:
        return preview_offline(request)
    from reconciler.cli.planning.plan_live import planning_snapshot_now

    return preview_on(request, planning_snapshot_now(host))


def _request(rest: dict[str, str]) -> PreviewRequest:
    signers = rest["allowed_signers"]
    return PreviewRequest(
        clone=Path(rest["clone"]),
        base=rest["base"],
        head=rest["head"] or "HEAD",
        path=rest["path"],
        provider=rest["provider"],
        snapshot=rest["snapshot"],
        allowed_signers=Path(signers) if signers else None,
    )

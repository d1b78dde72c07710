"""`workload`: makes workload files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from reconciler.cli.errors import CliError
from reconciler.cli.lazy import LazyGroup
from reconciler.values.text import SENTENCE_MAX, one_line


class WorkloadGroup(LazyGroup):
    """The commands of `workload`."""

    commands_by_name: Mapping[str, tuple[str, str]] = {
        "from-sdl": (
            "reconciler.cli.workload.command:from_sdl",
            "write the workload file of a lease from the tenant's SDL file",
        ),
        "new": ("reconciler.cli.workload.new:new", "write prefilled workload files of leases that wait"),
    }


@click.group(cls=WorkloadGroup)
def workload() -> None:
    """Make workload files."""


@click.command("from-sdl")
@click.argument("sdl", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--lease", "lease_text", required=True, help="The lease: owner/dseq/gseq/oseq/provider.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path(),
    help="The state repository; default: the current directory.",
)
@click.option("--adapter", default="", help="The adapter that runs it; default: chosen by the daemon.")
@click.option("--print", "is_printed", is_flag=True, help="Print the file instead of writing it.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def from_sdl(sdl: Path, lease_text: str, directory: Path, adapter: str, **flags: bool) -> int:
    """Write workloads/<id>.yaml of a lease from the tenant's SDL file.

    The services are those of the lease's group: gseq counts the placements of the SDL file by name. Values of
    the environment are written as they are; passwords of registries are not.
    """
    from reconciler.cli.workload.sdl_file import workload_file_of
    from reconciler.manifests.errors import ManifestError
    from reconciler.values.ids import LeaseId, workload_id

    try:
        lease = LeaseId.parse(lease_text)
    except ValueError as error:
        raise CliError(str(error)) from None
    try:
        text, notes = workload_file_of(sdl.read_bytes(), lease, adapter)
    except ManifestError as error:
        raise CliError(one_line(f"{sdl}: {error}", SENTENCE_MAX)) from None
    for note in notes:
        click.echo(one_line(f"note: {note}", SENTENCE_MAX), err=True)
    if flags["is_printed"]:
        click.echo(text.decode(), nl=False)
        return 0
    path = directory / "workloads" / f"{workload_id(lease)}.yaml"
    if path.exists() and not flags["force"]:
        raise CliError(f"{path} exists; --force replaces it")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text)
    click.echo(f"{path} written; commit it to run the workload")
    return 0

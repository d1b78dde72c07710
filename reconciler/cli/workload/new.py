"""`provider-daemon workload new`: workload files to fill in, made of what was leased."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from reconciler.chain.leased_deployments import LeasedDeployment, leased_deployment
from reconciler.chain.node_errors import NodeError
from reconciler.cli.api_client import fetch
from reconciler.cli.errors import CliError
from reconciler.cli.options import host_option, settings_of
from reconciler.cli.repository.desired_edit import commit_new_branch
from reconciler.cli.workload.sdl_file import workload_file_of
from reconciler.documents.workload_skeleton import IMAGE, skeleton_of
from reconciler.documents.workload_text import workload_text
from reconciler.manifests.errors import ManifestError
from reconciler.reports.list_view import ListView
from reconciler.settings import Settings
from reconciler.values.ids import LeaseId, workload_id
from reconciler.values.plans import Reason
from reconciler.values.text import SENTENCE_MAX, one_line
from reconciler.values.views import WorkloadView


@click.command("new")
@click.argument("lease", required=False)
@click.option("--all", "is_all", is_flag=True, help="Every lease that waits for a workload file.")
@click.option(
    "--sdl",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The tenant's SDL file, which names images and ports.",
)
@click.option("--branch", help="Commit the files to this new branch of the repository, for a pull request.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path(),
    help="The state repository, where they are written without --branch; default: the current directory.",
)
@host_option
def new(
    lease: str | None,
    is_all: bool,
    sdl: Path | None,
    branch: str | None,
    directory: Path,
    host: Path | None,
) -> None:
    """Write the workload file of LEASE (owner/dseq/gseq/oseq/provider), prefilled from what was leased.

    The file is valid; the order names no images, so change them before it is merged.
    """
    if is_all == (lease is not None) or (is_all and sdl is not None):
        raise click.UsageError("give a lease, or --all without --sdl")
    settings = settings_of(host)
    leases = _waiting(settings) if is_all else (_parsed(lease or ""),)
    files = {f"workloads/{workload_id(each)}.yaml": _text(settings, each, sdl) for each in leases}
    if not files:
        click.echo("no lease waits for a workload file")
        return
    if settings.gateway is not None:
        click.echo("note: a merged workload file replaces the manifest that its tenant sends", err=True)
    if branch is not None:
        commit = commit_new_branch(settings.repository, branch, files, f"Add {_count(files)}")
        click.echo(f"{commit[:12]} on {branch}: {_count(files)}")
        return
    for path in _write(directory, files):
        click.echo(f"{path} written; change the image {IMAGE}, then commit it")


def _count(files: Mapping[str, bytes]) -> str:
    return "1 workload file" if len(files) == 1 else f"{len(files)} workload files"


def _write(directory: Path, files: Mapping[str, bytes]) -> Iterator[Path]:
    if existing := [name for name in files if (directory / name).exists()]:
        raise CliError(f"error: {directory / existing[0]} exists; nothing is written")
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text)
        yield path


def _waiting(settings: Settings) -> tuple[LeaseId, ...]:
    """The leases that the running daemon holds for want of a file; others wait for their tenants' manifests,
    which a file would replace.
    """
    workloads = fetch(settings.listen, "/api/v1/workloads", ListView[WorkloadView]).items
    return tuple(
        LeaseId.parse(each.lease)
        for each in workloads
        if each.manifest is None and any(hold.reason is Reason.NO_WORKLOAD_FILE for hold in each.holds)
    )


def _parsed(text: str) -> LeaseId:
    try:
        return LeaseId.parse(text)
    except ValueError as error:
        raise CliError(f"error: {error}") from None


def _text(settings: Settings, lease: LeaseId, sdl: Path | None) -> bytes:
    try:
        if sdl is not None:
            text, notes = workload_file_of(sdl.read_bytes(), lease)
            for note in notes:
                click.echo(one_line(f"note: {note}", SENTENCE_MAX), err=True)
            return text
        return leased_file(_leased(settings, lease), lease)
    except ManifestError as error:
        raise CliError(one_line(f"error: {sdl}: {error}", SENTENCE_MAX)) from None


def leased_file(deployment: LeasedDeployment | None, lease: LeaseId) -> bytes:
    """The prefilled file of a lease; CliError if the chain has no such lease."""
    name = dict(deployment.leases).get(lease) if deployment else None
    group = next((each for each in deployment.groups if each.name == name), None) if deployment else None
    if group is None:
        raise CliError(
            f"error: the chain has no active lease {lease}; `provider-daemon get leases` lists them"
        )
    return workload_text(skeleton_of(lease, group.units))


def _leased(settings: Settings, lease: LeaseId) -> LeasedDeployment | None:
    node = settings.chain.node.grpc_node()
    try:
        return leased_deployment(node, lease.deployment, lease.provider)
    except (NodeError, ValueError) as error:
        raise CliError(f"error: {error}") from None
    finally:
        node.close()

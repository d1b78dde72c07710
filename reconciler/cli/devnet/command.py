"""`provider-daemon devnet`: a SIMULATED market in one process, and its tenants from other terminals."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from reconciler.cli.devnet.tenant import home_option, tenant
from reconciler.devnet.home import SIMULATED, BlockPace, Facts, Home, gateway_url


@click.group(invoke_without_command=True)
@home_option
@click.option("--block-seconds", type=click.FloatRange(0.05, 60), help="Seconds between blocks (1).")
@click.option("--due-seconds", type=click.IntRange(1), hidden=True, help="Seconds until money is due (40).")
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Use this cluster instead of the simulated one.",
)
@click.pass_context
def devnet(
    context: click.Context,
    home: Path | None,
    block_seconds: float | None,
    due_seconds: int | None,
    kubeconfig: Path | None,
) -> None:
    """Run a SIMULATED market until stopped, in a directory from which the next start continues."""
    if context.invoked_subcommand is not None:
        if home is not None:
            context.obj = home
        return
    if home is None:
        raise click.UsageError("name the devnet's directory: --home DIR")
    place = Home(home.absolute())
    before = place.facts().pace
    pace = BlockPace(block_seconds or before.block_seconds, due_seconds or before.due_seconds)
    with place.locked():
        _run(place, pace, kubeconfig)


devnet.add_command(tenant)


def _run(place: Home, pace: BlockPace, kubeconfig: Path | None) -> None:
    from reconciler.devnet.market import DevnetMarket  # a tenant's commands need no simulator

    market = DevnetMarket(place, pace, kubeconfig)
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: market.stop())
    try:
        market.open()
        for line in _welcome(place, market.facts):
            click.echo(line)
        market.wait()
    finally:
        market.close()
    click.echo(f"the market has stopped at height {market.chain.height}; the next start continues there")


def _welcome(home: Home, facts: Facts) -> list[str]:
    ports = facts.ports
    cluster = facts.kubeconfig or f"simulated; kubectl --kubeconfig {home.kubeconfig} get pods -A"
    return [
        SIMULATED,
        f"chain     gRPC 127.0.0.1:{ports.grpc}, RPC http://127.0.0.1:{ports.rpc}",
        f"cluster   {cluster}",
        f"state     git clone {home.repository}",
        f"provider  provider-daemon run --host {home.host_file}",
        f"tenant    provider-daemon devnet tenant order --home {home.directory} --price 4000",
        f"gateway   {gateway_url(facts)}, certificate authority {home.certificate}",
        "ready; stop it with Ctrl-C",
    ]

"""`provider-daemon demo`: the main job on a SIMULATED market, in one command."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.devnet.demo import Demo, StepError, open_demo, run_steps
from reconciler.devnet.demo_hosts import HostDemo
from reconciler.devnet.demo_money import STEPS, summary
from reconciler.devnet.errors import DevnetError
from reconciler.devnet.home import SIMULATED, Facts, Home
from reconciler.devnet.probe import PROBE_ERRORS
from reconciler.devnet.processes import DaemonProgram, await_devnet, devnet_program

TICK_SECONDS = 0.2


@click.command()
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the devnet in this directory; `devnet --home` continues it.",
)
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Use this cluster instead of the simulated one.",
)
@click.option(
    "--adapter",
    type=click.Choice(["kubernetes", "ansible"]),
    default="kubernetes",
    help="ansible: fewer steps, with real containers on this machine, by podman.",
)
@click.option("--block-seconds", type=click.FloatRange(0.1, 5), default=1.0, hidden=True)
@click.option("--due-seconds", type=click.IntRange(1), default=40, hidden=True)
def demo(
    keep: Path | None, kubeconfig: Path | None, adapter: str, block_seconds: float, due_seconds: int
) -> None:
    """Run the main job on a SIMULATED market, and fail unless each step has its effect."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    options = ["--block-seconds", str(block_seconds), "--due-seconds", str(due_seconds)]
    if kubeconfig is not None:
        options += ["--kubeconfig", str(kubeconfig.absolute())]
    with ExitStack() as stack:
        directory = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="provider-demo-")))
        home = Home(directory.absolute())
        if home.facts_file.exists():
            raise DevnetError(
                f"{directory} already holds a devnet; continue it with `provider-daemon devnet --home "
                f"{directory}`, or choose another directory"
            )
        hosts = HostDemo() if adapter == "ansible" else None
        if hosts is not None:
            home.directory.mkdir(parents=True, exist_ok=True)
            home.write_facts(Facts(this_machine=True))
        _run(DemoRun(home, options, kubeconfig is not None and keep is None, hosts))
    if keep is None:
        click.echo("run it with --keep DIR to continue the devnet, and to see the page")
    else:
        click.echo("\n".join(_next_commands(home)))


def _next_commands(home: Home) -> list[str]:
    """Commands that continue the devnet, each for a terminal of its own, with the page's address."""
    host = home.host_file
    page = f"http://127.0.0.1:{home.facts().ports.api}/"
    return [
        "continue with, in three terminals:",
        f"  provider-daemon devnet --home {home.directory}",
        f"  provider-daemon run --host {host}    # its page: {page}",
        f"  provider-daemon status --host {host}",
    ]


@dataclass(frozen=True)
class DemoRun:
    """The devnet's directory and options, whether a given cluster is cleaned up, and the demo on hosts."""

    home: Home
    options: list[str]
    deletes_workloads: bool
    hosts: HostDemo | None


def _run(run: DemoRun) -> None:
    output, daemon = Output(), DaemonProgram(run.home)
    output.show(SIMULATED)
    try:
        with _processes(run, daemon) as demo:
            run_steps(demo, run.hosts.steps() if run.hosts else STEPS, output.wait, output.show)
            for line in summary(demo):
                click.echo(line)
    except StepError as error:
        raise DevnetError(
            f"the daemon's last lines:\n{daemon.tail()}\nthe demo failed at {error}; run it with --keep DIR "
            "to look at the devnet afterwards"
        ) from None
    except PROBE_ERRORS as error:
        raise DevnetError(str(error)) from None
    output.show("every step had its effect")


@contextmanager
def _processes(run: DemoRun, daemon: DaemonProgram) -> Iterator[Demo]:
    """The devnet and the daemon as processes of their own; both are ended in any case."""
    devnet = devnet_program(run.home, run.options)
    with ExitStack() as ends:
        ends.callback(devnet.stop)
        devnet.start()
        await_devnet(run.home, devnet)
        demo = open_demo(run.home, daemon)
        ends.callback(demo.probe.close)
        _refuse_leftovers(demo)
        if run.deletes_workloads:
            ends.callback(demo.probe.delete_workloads)
        if run.hosts is not None:
            ends.callback(run.hosts.clean_up, demo)
        ends.callback(daemon.stop)
        ends.callback(signal.signal, signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C does not stop this
        yield demo


def _refuse_leftovers(demo: Demo) -> None:
    """A given cluster may hold workloads of an earlier demo, under the same names."""
    if left := demo.probe.objects():
        raise DevnetError(
            f"the cluster still holds workloads of another demo ({left[0]}); delete them with "
            "`kubectl delete deployments,services -n provider-workloads -l virtengine.com/workload`"
        )


class Output:
    """Prints lines with the seconds since the start; a terminal also shows the time while a step waits."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._is_terminal = sys.stdout.isatty()
        self._has_clock = False

    def show(self, line: str) -> None:
        """Print one line."""
        if self._has_clock:
            click.echo("\r\x1b[K", nl=False)
            self._has_clock = False
        click.echo(f"{time.monotonic() - self._start:5.1f}s  {line}")

    def wait(self) -> None:
        """Wait a fraction of a second."""
        if self._is_terminal:
            click.echo(f"\r{time.monotonic() - self._start:5.1f}s  ...", nl=False)
            self._has_clock = True
        time.sleep(TICK_SECONDS)

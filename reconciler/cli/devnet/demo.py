"""`provider-daemon demo`: the whole story on a SIMULATED market, in one command."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.devnet.faults import DevnetError
from reconciler.devnet.home import SIMULATED, Facts, Home
from reconciler.devnet.programs import DaemonProgram, await_devnet, devnet_program
from reconciler.devnet.stage import Stage, open_stage
from reconciler.devnet.steps import Step, StoryError
from reconciler.devnet.story import STEPS, ending, play
from reconciler.devnet.story_hosts import Hosts

TICK_SECONDS = 0.2


@click.command()
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Leave the world in this directory; `devnet --home` goes on from it.",
)
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Play it on this cluster, not on the simulated one.",
)
@click.option(
    "--adapter",
    type=click.Choice(["kubernetes", "ansible"]),
    default="kubernetes",
    help="ansible: a shorter story, with real containers of this machine's podman.",
)
@click.option("--block-seconds", type=click.FloatRange(0.1, 5), default=1.0, hidden=True)
@click.option("--due-seconds", type=click.IntRange(1), default=40, hidden=True)
def demo(
    keep: Path | None, kubeconfig: Path | None, adapter: str, block_seconds: float, due_seconds: int
) -> None:
    """Play the whole story on a SIMULATED market, and fail unless every step was seen."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    options = ["--block-seconds", str(block_seconds), "--due-seconds", str(due_seconds)]
    if kubeconfig is not None:
        options += ["--kubeconfig", str(kubeconfig.absolute())]
    with ExitStack() as stack:
        directory = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="provider-demo-")))
        home = Home(directory.absolute())
        if home.facts_file.exists():
            raise DevnetError(
                f"{directory} holds a world already; go on with `provider-daemon devnet --home {directory}`, "
                "or keep this one elsewhere"
            )
        hosts = Hosts() if adapter == "ansible" else None
        if hosts is not None:
            home.directory.mkdir(parents=True, exist_ok=True)
            home.write_facts(Facts(this_machine=True))
        _tell(Telling(home, options, sweep=kubeconfig is not None and keep is None, hosts=hosts))
    if keep is not None:
        click.echo(f"go on with: provider-daemon devnet --home {keep}")
        click.echo(f"      then: provider-daemon run --host {keep}/host.yaml")


@dataclass(frozen=True)
class Telling:
    """Where a story is told, how the devnet is started, and what is taken away in the end."""

    home: Home
    options: list[str]
    sweep: bool
    hosts: Hosts | None

    @property
    def steps(self) -> Sequence[Step]:
        """Of the long story, or of the one on plain hosts."""
        return self.hosts.steps() if self.hosts else STEPS


def _tell(telling: Telling) -> None:
    narrator, daemon = Narrator(), DaemonProgram(telling.home)
    narrator.say(SIMULATED)
    with _world(telling, daemon) as stage:
        try:
            play(stage, telling.steps, narrator.tick, narrator.say)
        except StoryError as error:
            raise DevnetError(
                f"the daemon's last words:\n{daemon.tail()}\nthe story failed at {error}; "
                "run it with --keep DIR to look at what it leaves"
            ) from None
        for line in ending(stage):
            click.echo(line)
    narrator.say("every step was seen")


@contextmanager
def _world(telling: Telling, daemon: DaemonProgram) -> Iterator[Stage]:
    """The devnet and the daemon as processes of their own; both are ended, whatever happens."""
    home, hosts = telling.home, telling.hosts
    market = devnet_program(home, telling.options)
    with ExitStack() as ends:
        ends.callback(market.stop)
        market.start()
        await_devnet(home, market)
        stage = open_stage(home, daemon)
        ends.callback(stage.close)
        _refuse_leftovers(stage)
        if telling.sweep:
            ends.callback(stage.cluster.sweep)
        if hosts is not None:
            ends.callback(hosts.sweep, stage)
        ends.callback(daemon.stop)
        ends.callback(signal.signal, signal.SIGINT, signal.SIG_IGN)  # the ending is not interrupted
        yield stage


def _refuse_leftovers(stage: Stage) -> None:
    """A given cluster may hold workloads of an earlier story; its names would be the same."""
    if left := stage.cluster.objects():
        raise DevnetError(
            f"the cluster still holds workloads of another telling ({left[0]}); remove them with "
            "`kubectl delete deployments,services -n provider-workloads -l virtengine.com/workload`"
        )


class Narrator:
    """Prints what happens with the seconds since the beginning; on a terminal it also shows the waiting."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._waits = False
        self._live = sys.stdout.isatty()

    def say(self, line: str) -> None:
        """One line."""
        if self._waits:
            click.echo("\r\x1b[K", nl=False)
            self._waits = False
        click.echo(f"{time.monotonic() - self._began:5.1f}s  {line}")

    def tick(self) -> None:
        """Wait a little."""
        if self._live:
            click.echo(f"\r{time.monotonic() - self._began:5.1f}s  ...", nl=False)
            self._waits = True
        time.sleep(TICK_SECONDS)

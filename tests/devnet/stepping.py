"""A devnet and a daemon in this process, whose time the test advances block by block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

from reconciler import wiring
from reconciler.chain.client import ClientOptions
from reconciler.cycle.environment import Environment
from reconciler.cycle.loop import Loop
from reconciler.cycle.loop import Pace as LoopPace
from reconciler.cycle.run import Runner
from reconciler.devnet.accounts import PROVIDER, key_of
from reconciler.devnet.demo import Demo, open_demo
from reconciler.devnet.home import BlockPace, Home
from reconciler.devnet.market import DevnetMarket
from reconciler.settings import Flags, load_settings
from reconciler.values.snapshot import Snapshot
from reconciler.wiring import Daemon, open_daemon
from tests.devnet.interference import Interference

NANOSECONDS = 1_000_000_000


class SteppedClock:
    """A host clock that follows the chain's; a wait makes a block."""

    def __init__(self, market: DevnetMarket) -> None:
        self._market = market

    def now(self) -> int:
        return self._market.chain.time_ns // NANOSECONDS

    def wait(self, seconds: float) -> None:
        step(self._market)


def step(market: DevnetMarket) -> None:
    """One block, one second later."""
    market.step(market.chain.time_ns + NANOSECONDS)


class SteppedDaemon:
    """`demo.DemoDaemon` in this process: a cycle a block."""

    def __init__(self, market: DevnetMarket, interference: Interference) -> None:
        self._market = market
        self._interference = interference
        self._settings = load_settings(Flags(market.home.host_file), {})
        self._stack = ExitStack()
        self._daemon: Daemon | None = None
        self._runner: Runner | None = None

    def start(self) -> None:
        self._daemon = self._stack.enter_context(self._opened())
        self._runner = Runner(self._world(self._daemon), key_of(PROVIDER).address)
        self._stack.enter_context(self._daemon.serve())
        self.cycle()

    def cycle(self) -> None:
        """One cycle, if it runs."""
        if self._daemon is not None and self._runner is not None:
            self._show(self._daemon, self._runner.run_cycle().snapshot)

    def kill(self) -> None:
        self._stack.close()
        self._daemon = self._runner = None

    def stop(self) -> None:
        if self._runner is not None:
            self._runner.run_cycle(flush=True)
        self.kill()

    def is_alive(self) -> bool:
        return self._daemon is not None

    def once(self) -> tuple[int, str]:
        with self._opened() as daemon:
            world = self._world(daemon)
            runner = Runner(world, key_of(PROVIDER).address)
            cycle = Loop(world, runner, LoopPace(), lambda _: None).once()
        return 0, f"{len(cycle.planned.plan.actions)} to do"

    @contextmanager
    def _opened(self) -> Iterator[Daemon]:
        """A daemon whose chain client also uses the chain's clock."""
        timed = partial(ClientOptions, clock=SteppedClock(self._market).now)
        with patch.object(wiring, "ClientOptions", timed), open_daemon(self._settings) as daemon:
            yield daemon

    def _world(self, daemon: Daemon) -> Environment:
        return self._interference.world(replace(daemon.environment, clock=SteppedClock(self._market)))

    def _show(self, daemon: Daemon, snapshot: Snapshot) -> None:
        daemon.snapshots.publish(self._interference.shown(snapshot))


class SteppedWorld:
    """A market, a daemon and a demo in one directory."""

    def __init__(self, directory: Path, due_seconds: int = 40) -> None:
        self.market = DevnetMarket(Home(directory), BlockPace(1.0, due_seconds))
        self.market.open(by_the_clock=False)
        self.switches = Interference()
        self.daemon = SteppedDaemon(self.market, self.switches)
        self.demo: Demo = open_demo(self.market.home, self.daemon, self.tick)
        self.demo.step_seconds = 0

    def tick(self) -> None:
        """A block, then a cycle."""
        step(self.market)
        self.daemon.cycle()

    def close(self) -> None:
        self.daemon.kill()
        self.demo.probe.close()
        self.market.close()

"""The world around a daemon, stepped by the test: chain, cluster, repository. It outlives every daemon."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.adapters.kubernetes import naming
from reconciler.devnet.accounts import genesis
from reconciler.devnet.chain.genesis import Genesis
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.serving import ServedChain, serve
from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.devnet.cluster.streams import Pulse, wait
from reconciler.values.commit_state import CommitState
from reconciler.values.outcomes import Done, Outcome
from reconciler.values.plans import NotifyTenant
from tests.simulation.commits import Commits

BEGINS_AT = 1_800_000_000
"""Unix seconds of the first block; every block takes one second."""

NANOSECONDS = 10**9

Diary = Counter[tuple[str, str, str]]
"""How often objects were made and removed: by the verb, the kind and the workload (or the name)."""


class SteppedCluster(SimulatedCluster):
    """Its controllers run when the test says so: nothing happens by itself between two looks."""

    async def _play(self, pulse: Pulse) -> None:
        while not self._stop.is_set():
            await wait(pulse.ticket(), None)


@dataclass(frozen=True, slots=True)
class Moment:
    """All that is outside a daemon at one moment; a world that is made of it goes on as the first one did."""

    directory: Path
    blocks: tuple[tuple[int, tuple[bytes, ...]], ...]
    waiting: tuple[bytes, ...]
    cluster: dict[str, Any]
    diary: Diary
    limiter: dict[str, Any]


class Noticeboard:
    """A tenant's side that is told things: a file with a notice's key on each line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def notify(self, notice: NotifyTenant) -> Outcome:
        """Note the notice, again where it comes again."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{notice.lease}/{notice.left.state}\n")
        return Done()

    def keys(self) -> list[str]:
        """What was told, in order."""
        return self.path.read_text(encoding="utf-8").split() if self.path.exists() else []


class ForgePage:
    """A forge's page: a file with a commit and its state on each line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def set_state(self, said: CommitState) -> Outcome:
        """Show a state, again where it comes again."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{said.commit} {said.stand} {said.description}\n")
        return Done()

    def lines(self) -> list[str]:
        """What was said, in order."""
        return self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []

    def shown(self) -> tuple[tuple[str, str], ...]:
        """The state that stands at each commit, in the order of commits; ids differ from run to run."""
        stands: dict[str, str] = {}
        for line in self.lines():
            commit, _, state = line.partition(" ")
            stands[commit] = state
        return tuple(sorted(stands.items()))


class Outside:
    """Everything that is not the daemon, below one directory; `state` in it is the daemon's own."""

    def __init__(self, directory: Path, beginning: Genesis | None = None) -> None:
        self.directory = directory
        self.chain = SimulatedChain(beginning or genesis())
        self.cluster = SteppedCluster()
        self.commits = Commits(directory / "desired.git")
        self.state = directory / "state"
        self.notices = Noticeboard(directory / "notices")
        self.page = ForgePage(directory / "page")
        self.served: ServedChain | None = None
        self.ahead_seconds = 0.0
        self._before: Diary = Counter()
        self._counted = 0

    @property
    def kubeconfig(self) -> Path:
        """Of the simulated cluster."""
        return self.directory / "kubeconfig"

    @property
    def height(self) -> int:
        """Of the last block."""
        return self.chain.height

    @property
    def seconds(self) -> float:
        """The host's time, which is the chain's as long as `ahead_seconds` is 0."""
        return self.chain.time_ns / NANOSECONDS + self.ahead_seconds

    @property
    def diary(self) -> Diary:
        """What became of the cluster's objects since the world began."""
        told = self._before.copy()
        for change in self.cluster.store.since(self._counted):
            if change.before is None or change.after is None:
                metadata = change.latest["metadata"]
                subject = (metadata.get("labels") or {}).get(naming.WORKLOAD) or metadata["name"]
                told["made" if change.before is None else "removed", change.key.plural, subject] += 1
        return +Counter({each: count for each, count in told.items() if each[1] != "events"})

    def begin(self) -> Outside:
        """Found the repository, make the first blocks, and serve."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.commits.found()
        self.chain.step(BEGINS_AT * NANOSECONDS)
        self.chain.step()
        return self._serve()

    def step(self) -> None:
        """Make a block, and let the cluster's controllers play to rest."""
        self.chain.step()
        self.cluster.step()

    def close(self) -> None:
        """Close the ports; nobody waits for the servers' own half second."""
        if self.served is not None:
            threading.Thread(target=self.served.close, daemon=True).start()
        self.cluster.close()

    def capture(self, kept: Path) -> Moment:
        """Keep this moment; what is on disk is copied as a killed process leaves it, logs unfolded."""
        _copy(self.directory, kept)
        return Moment(
            kept,
            tuple((b.time_ns, tuple(tx.data for tx in b.txs)) for b in self.chain.ledger),
            tuple(tx.data for tx in self.chain.mempool.waiting.values()),
            self.cluster.store.dump(),
            self.diary,
            deepcopy(vars(self.chain.limiter)),
        )

    @classmethod
    def at(cls, moment: Moment, directory: Path) -> Outside:
        """A world of its own that goes on from a moment."""
        made = cls(directory)
        _copy(moment.directory, directory)
        for time_ns, txs in moment.blocks:
            made.chain.step(time_ns, include=_hand_in(made.chain, txs))
        _hand_in(made.chain, moment.waiting)
        vars(made.chain.limiter).update(deepcopy(moment.limiter))
        made.cluster.store.restore(moment.cluster)
        made._before, made._counted = moment.diary, made.cluster.store.version
        return made._serve()

    def _serve(self) -> Outside:
        self.served = serve(self.chain)
        self.cluster.serve()
        self.cluster.write_kubeconfig(self.kubeconfig)
        return self


def _copy(source: Path, target: Path) -> None:
    """The files of a world; git's objects are never changed, so they are looked up where they are."""
    for name in ("desired.git", "state"):
        shutil.copytree(source / name, target / name, ignore=shutil.ignore_patterns("objects"))
    for objects in (Path("desired.git/objects"), Path("state/mirror.git/objects")):
        if (source / objects).exists():
            (target / objects / "info").mkdir(parents=True)
            (target / objects / "info" / "alternates").write_text(f"{source / objects}\n")
    for name in ("notices", "page"):
        if (source / name).exists():
            shutil.copy2(source / name, target / name)


def _hand_in(chain: SimulatedChain, txs: Sequence[bytes]) -> list[str]:
    checked = [chain.check_tx(data) for data in txs]
    assert not any(each.code for each in checked), "recorded transactions pass again"
    return [each.hash for each in checked]

"""The world around a daemon, stepped by the test: chain, cluster, repository."""

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
from reconciler.devnet.cluster.streams import ChangeSignal, wait
from reconciler.values.commit_status import CommitStatus
from reconciler.values.outcomes import Done, Outcome
from reconciler.values.plans import NotifyTenant
from tests.simulation.commits import Commits

BEGINS_AT = 1_800_000_000
"""Unix seconds of the first block; every block takes one second."""

NANOSECONDS = 10**9

ObjectCounts = Counter[tuple[str, str, str]]
"""The number of creations and removals by verb, kind and workload (or name)."""


class SteppedCluster(SimulatedCluster):
    """A cluster whose controllers run only on the test's request."""

    async def _play(self, signal: ChangeSignal) -> None:
        while not self._stop.is_set():
            await wait(signal.next_change(), None)


@dataclass(frozen=True, slots=True)
class WorldState:
    """The state outside a daemon, from which a world continues as the first one did."""

    directory: Path
    blocks: tuple[tuple[int, tuple[bytes, ...]], ...]
    waiting: tuple[bytes, ...]
    cluster: dict[str, Any]
    object_counts: ObjectCounts
    limiter: dict[str, Any]


class NoticeReceiver:
    """A receiver of notices: a file with a notice's key on each line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def notify(self, notice: NotifyTenant) -> Outcome:
        """Append the notice, also a repeated one."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{notice.lease}/{notice.left.state}\n")
        return Done()

    def keys(self) -> list[str]:
        """The keys in order."""
        return self.path.read_text(encoding="utf-8").split() if self.path.exists() else []


class ForgeStates:
    """A forge's commit states: a file with a commit and its state on each line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def set_status(self, said: CommitStatus) -> Outcome:
        """Append a state, also a repeated one."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{said.commit} {said.state} {said.description}\n")
        return Done()

    def lines(self) -> list[str]:
        """The lines in order."""
        return self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []

    def shown(self) -> tuple[tuple[str, str], ...]:
        """The last state of each commit, in the order of commits."""
        stands: dict[str, str] = {}
        for line in self.lines():
            commit, _, state = line.partition(" ")
            stands[commit] = state
        return tuple(sorted(stands.items()))


class Outside:
    """Everything outside the daemon, in one directory; `state` in it belongs to the daemon."""

    def __init__(self, directory: Path, beginning: Genesis | None = None) -> None:
        self.directory = directory
        self.chain = SimulatedChain(beginning or genesis())
        self.cluster = SteppedCluster()
        self.commits = Commits(directory / "desired.git")
        self.state = directory / "state"
        self.notices = NoticeReceiver(directory / "notices")
        self.page = ForgeStates(directory / "page")
        self.served: ServedChain | None = None
        self.ahead_seconds = 0.0
        self._before: ObjectCounts = Counter()
        self._counted = 0

    @property
    def kubeconfig(self) -> Path:
        """The simulated cluster's kubeconfig."""
        return self.directory / "kubeconfig"

    @property
    def height(self) -> int:
        """The height of the last block."""
        return self.chain.height

    @property
    def seconds(self) -> float:
        """The host's time: the chain's plus `ahead_seconds`."""
        return self.chain.time_ns / NANOSECONDS + self.ahead_seconds

    @property
    def object_counts(self) -> ObjectCounts:
        """The counts of created and removed cluster objects."""
        told = self._before.copy()
        for change in self.cluster.store.since(self._counted):
            if change.before is None or change.after is None:
                metadata = change.latest["metadata"]
                subject = (metadata.get("labels") or {}).get(naming.WORKLOAD) or metadata["name"]
                told["made" if change.before is None else "removed", change.key.plural, subject] += 1
        return +Counter({each: count for each, count in told.items() if each[1] != "events"})

    def begin(self) -> Outside:
        """Create the repository, make the first blocks, and serve."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.commits.found()
        self.chain.step(BEGINS_AT * NANOSECONDS)
        self.chain.step()
        return self._serve()

    def step(self) -> None:
        """Make a block, and run the cluster's controllers to quiescence."""
        self.chain.step()
        self.cluster.step()

    def close(self) -> None:
        """Close the ports without waiting for the servers."""
        if self.served is not None:
            threading.Thread(target=self.served.close, daemon=True).start()
        self.cluster.close()

    def capture(self, kept: Path) -> WorldState:
        """Capture the state; files are copied as a killed process leaves them, with open write-ahead logs."""
        _copy(self.directory, kept)
        return WorldState(
            kept,
            tuple((b.time_ns, tuple(tx.data for tx in b.txs)) for b in self.chain.ledger),
            tuple(tx.data for tx in self.chain.mempool.waiting.values()),
            self.cluster.store.dump(),
            self.object_counts,
            deepcopy(vars(self.chain.limiter)),
        )

    @classmethod
    def at(cls, moment: WorldState, directory: Path) -> Outside:
        """A new world that continues from a captured state."""
        made = cls(directory)
        _copy(moment.directory, directory)
        for time_ns, txs in moment.blocks:
            made.chain.step(time_ns, include=_hand_in(made.chain, txs))
        _hand_in(made.chain, moment.waiting)
        vars(made.chain.limiter).update(deepcopy(moment.limiter))
        made.cluster.store.restore(moment.cluster)
        made._before, made._counted = moment.object_counts, made.cluster.store.version
        return made._serve()

    def _serve(self) -> Outside:
        self.served = serve(self.chain)
        self.cluster.serve()
        self.cluster.write_kubeconfig(self.kubeconfig)
        return self


def _copy(source: Path, target: Path) -> None:
    """Copy a world's files; git's objects are immutable and shared."""
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

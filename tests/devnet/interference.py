"""Ports that suppress an effect of the daemon on a test's request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from reconciler.cycle.environment import Environment
from reconciler.ports import Adapter, Repo
from reconciler.values.desired import Desired, Workload
from reconciler.values.ids import WorkloadId
from reconciler.values.limits import Limits
from reconciler.values.observed import AdapterView
from reconciler.values.outcomes import Done, Failed, Outcome
from reconciler.values.repository import BranchCommit
from reconciler.values.resources import Resources
from reconciler.values.snapshot import Snapshot


@dataclass(slots=True)
class Interference:
    """Switches, initially off, which take effect at the daemon's next cycle."""

    spending: bool = False
    publishing: bool = False
    applying: bool = False
    removing: bool = False
    showing: Callable[[Snapshot], Snapshot] | None = None

    def world(self, world: Environment) -> Environment:
        """The ports behind the switches."""
        adapters: dict[str, Adapter] = {}

        def configure(desired: Desired) -> None:
            world.configure(desired)
            for name, adapter in world.adapters.items():
                adapters.setdefault(name, _Adapter(adapter, self))

        return replace(
            world,
            adapters=adapters,
            configure=configure,
            repo=_Repo(world.repo, self),
            limits=lambda: self._limits(world),
        )

    def shown(self, snapshot: Snapshot) -> Snapshot:
        """The daemon's snapshot, perhaps without a part."""
        return self.showing(snapshot) if self.showing else snapshot

    def _limits(self, world: Environment) -> Limits:
        return replace(world.limits(), stop_spending=self.spending)


class _Adapter:
    """Reports success and does nothing while its switch is on."""

    def __init__(self, adapter: Adapter, switches: Interference) -> None:
        self._adapter = adapter
        self._switches = switches
        self.logs = adapter.logs

    def observe(self) -> AdapterView:
        return self._adapter.observe()

    def prepare(self, quota: Resources) -> Outcome:
        return self._adapter.prepare(quota)

    def apply(self, workload: Workload, digest: str) -> Outcome:
        return Done() if self._switches.applying else self._adapter.apply(workload, digest)

    def remove(self, workload: WorkloadId) -> Outcome:
        return Done() if self._switches.removing else self._adapter.remove(workload)


class _Repo:
    """Refuses to publish while its switch is on."""

    def __init__(self, repo: Repo, switches: Interference) -> None:
        self._repo = repo
        self._switches = switches
        self.fetch = repo.fetch
        self.read = repo.read
        self.last_fetched = repo.last_fetched
        self.published_mark = repo.published_mark

    def publish(self, commit: BranchCommit) -> Outcome:
        if self._switches.publishing:
            return Failed("PushRefused", "nobody may push")
        return self._repo.publish(commit)

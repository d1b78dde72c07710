"""Whole cycles of a provider with many leases: real documents, planner and journal; ports in memory."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from reconciler.cycle.run import Runner
from reconciler.values.observed import AdapterView, Market
from reconciler.values.readings import Reading, Seen
from reconciler.values.repository import Commit
from tests import makers
from tests.bench.figures import cpu_ms, peak_mb, show
from tests.bench.holdings import PROVIDER, file_of, market, path_of
from tests.cycle.worlds import FILES, MemoryRepo, Scenery, scenery
from tests.makers import running

CYCLES = 9
ADAPTER = {"adapters/kubernetes.yaml": b"kind: KubernetesAdapter\nnetwork_policy: other\n"}


@contextmanager
def provider_of(leases: int) -> Iterator[tuple[Scenery, Runner]]:
    """A provider with running leases."""
    with tempfile.TemporaryDirectory() as directory:
        scene = scenery(Path(directory), market(leases))
        scene.repo = Edited({}, scene.calls)
        scene.repo.files = {**FILES, **ADAPTER, **{path_of(n): file_of(n) for n in range(1, leases + 1)}}
        runner = Runner(scene.world, PROVIDER)
        desired = runner.plan_cycle().inputs.desired
        assert isinstance(desired, Seen)
        files = desired.view.newest.desired.workloads.values()
        assert len(files) == leases
        room = makers.ROOM.times(leases)
        there = Seen({each.id: running(replace(each, adapter="kubernetes")) for each in files})
        scene.adapter.view = AdapterView(there, Seen(makers.capacity_of(room)))
        try:
            while runner.run_cycle(flush=True).publish_pending or scene.journal.outbox.unpublished():
                later(scene)
            yield scene, runner
        finally:
            scene.journal.close()


def later(scene: Scenery) -> Market:
    """The next block, without changes."""
    seen = scene.chain.reading
    assert isinstance(seen, Seen)
    scene.clock.seconds += 5
    scene.chain.reading = Seen(replace(seen.view, height=seen.view.height + 1, time=seen.view.time + 5))
    return seen.view


@dataclass
class Edited(MemoryRepo):
    """A repository whose first workload file each commit edits; it keeps commits as the mirror does."""

    edition: int = 0
    commits: dict[str, Commit] = field(default_factory=dict)

    @property
    def commit(self) -> Commit:
        name = f"{self.edition:040x}"
        if name not in self.commits:
            before = self.commits.get(f"{self.edition - 1:040x}") or super().commit
            files = {**before.files, path_of(1): f"edition {self.edition}"}
            self.commits[name] = replace(before, id=name, files=files)
        return self.commits[name]

    def fetch(self, applied: str) -> Reading[tuple[Commit, ...]]:
        newest, older = self.commit, self.commits.get(applied)
        return Seen((newest, older) if older not in (None, newest) else (newest,))

    def read(self, blobs: Sequence[str]) -> Mapping[str, bytes]:
        """The blobs that are new."""
        edited = file_of(1, f"docker.io/library/web:{self.edition}")
        return {blob: self.files.get(blob, edited) for blob in blobs}


def bench_cycles(leases: int, block_seconds: float = 5.0) -> float:
    """A cycle without changes, and one with a changed file, compared with a JSON dump of the leases; the
    milliseconds of the latter.
    """
    with provider_of(leases) as (scene, runner):

        def quiet() -> None:
            later(scene)
            cycle = runner.run_cycle()
            assert not cycle.planned.plan.actions

        nothing = cpu_ms(quiet, CYCLES)
        told = [str(each.id) for each in runner.snapshot.leases]
        yardstick = cpu_ms(lambda: json.dumps(told), CYCLES)
        share = f"{100 * nothing / 1000 / block_seconds:.1f} % of a core at {block_seconds:.0f} s blocks"
        show(f"cycle, nothing changed, {leases} leases", f"{nothing:.0f} ms", share)
        show("  against json.dumps of their ids", f"{nothing / yardstick:.0f} x")
        repo = scene.repo
        assert isinstance(repo, Edited)

        def edited() -> None:
            repo.edition += 1
            later(scene)
            assert runner.run_cycle().planned.plan.actions

        edited()  # from here on, the mirror knows the commit in force
        one = cpu_ms(edited, 5)
        show(
            f"cycle after one file changed, {leases} leases",
            f"{one:.0f} ms",
            f"{one / nothing:.1f} x a quiet one",
        )
        show("  memory at its highest so far", f"{peak_mb():.0f} MB")
        return one

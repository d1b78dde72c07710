"""What a pull request reads is what the loop does after the merge: a real git, an operator's clone that has
the snapshot branch, the whole loop on a simulated chain and cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from reconciler.cli.planning.approve import breach_of
from reconciler.cli.planning.preview import PreviewRequest, preview_offline
from reconciler.cycle.snapshot_publisher import SnapshotPublisher
from reconciler.devnet.cluster.faults import ClusterFault
from reconciler.reports.preview_markdown import preview_markdown
from reconciler.values.approvals import Approval
from reconciler.values.limits import Limits
from reconciler.values.plans import Plan, Reason, SendTransaction, subjects_of
from reconciler.values.preview import Preview
from tests.git.forge import Forge
from tests.makers import NOW
from tests.simulation.commits import CONFIG, pricing, workload
from tests.simulation.outside import Outside, WorldState
from tests.simulation.scenario import USAGE, WEB, lease
from tests.simulation.sim import Simulation, calm, started

STRICT = Limits(price_change_percent=20, removals_per_revision=1, clock_skew_seconds=10**9)
Files = Mapping[str, str | None]

(WEB_FILE,) = workload(lease(WEB))
(USAGE_FILE,) = workload(lease(USAGE))
CALM = CONFIG.replace("every: 8s", "every: 24h").replace("every: 9s", "every: 24h")
SUSPENDED: Files = {"config.yaml": CALM + "suspend: moving house\n"}
WEB_TEXT = workload(lease(WEB))[WEB_FILE]


@pytest.fixture(scope="module")
def idle_state(mid_run: WorldState, tmp_path_factory: pytest.TempPathFactory) -> WorldState:
    """Two workloads run, an order is open, nothing is due, and the snapshot is pushed."""
    directory = tmp_path_factory.mktemp("idle_state")
    with started(Outside.at(mid_run, directory / "world"), lambda: STRICT) as made:
        calm(made)
        rest(made)
        return made.outside.capture(directory / "kept")


@pytest.fixture
def sim(idle_state: WorldState, tmp_path: Path) -> Iterator[Simulation]:
    """A daemon in a copy of the world."""
    with started(Outside.at(idle_state, tmp_path / "world"), lambda: STRICT) as made:
        yield made


@pytest.fixture
def olga(sim: Simulation, tmp_path: Path) -> Forge:
    clone = Forge(tmp_path / "olga")
    clone.path.mkdir()
    clone.git("clone", "--quiet", str(sim.outside.commits.repository), ".")
    clone.git("switch", "--quiet", "-c", "change")
    return clone


def rest(sim: Simulation) -> None:
    """Continue until nothing is left to do, and push the snapshot."""
    for _ in range(12):
        sim.blocks(1)
        plan, inputs = sim.last.planned.plan, sim.last.planned.inputs
        if not (plan.actions or inputs.intents or inputs.results):
            break
    sim.daemon.runner._snapshot_publisher = SnapshotPublisher(sim.daemon.runner._environment)
    assert sim.blocks(1) == []


def change(olga: Forge, files: Files) -> None:
    for path, text in files.items():
        if text is None:
            olga.git("rm", "--quiet", path)
        else:
            (olga.path / path).write_text(text)
    olga.commit("A change")


def read(olga: Forge, base: str = "origin/main") -> Preview:
    olga.git("fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*")
    return preview_offline(PreviewRequest(olga.path, base, "HEAD"))


def merge(olga: Forge, sim: Simulation) -> Plan:
    """Merge with a merge commit as a forge does; the daemon's next plan."""
    olga.git("switch", "--quiet", "-C", "main", "origin/main")
    olga.git("merge", "--quiet", "--no-ff", "-m", "Merge the change", "change")
    olga.git("push", "--quiet", "origin", "main")
    olga.git("switch", "--quiet", "change")
    sim.blocks(1)
    return sim.last.planned.plan


def decisions(plan: Plan) -> tuple[object, ...]:
    """Each action's kind and subject, each message, and each hold's reason."""
    done: list[object] = []
    for action in plan.actions:
        done.append((type(action).__name__, subjects_of(action)))
        if isinstance(action, SendTransaction):
            done += [(type(m).__name__, str(m)) for m in action.messages]
    return done, [(hold.subject.name, hold.reason) for hold in plan.holds]


CHANGES: Mapping[str, Files] = {
    "another price": {"pricing.yaml": pricing("1.2")},
    "a jump": {"pricing.yaml": pricing("9")},
    "a jump and more": {"pricing.yaml": pricing("9"), WEB_FILE: WEB_TEXT.replace("web:1", "web:2")},
    "another image": {WEB_FILE: WEB_TEXT.replace("web:1", "web:2")},
    "more than was leased": {WEB_FILE: WEB_TEXT.replace("cpu: 500m", "cpu: 64")},
    "paused": workload(lease(WEB), paused=True),
    "closed": {WEB_FILE: WEB_TEXT + "close: unstable\n"},
    "deleted": {WEB_FILE: None},
    "both deleted": {WEB_FILE: None, USAGE_FILE: None},
    "renamed": {WEB_FILE: None, "workloads/another.yaml": WEB_TEXT},
    "broken": {WEB_FILE: "lease: [\n"},
    "no prices": {"pricing.yaml": "pricing: {}\n"},
    "no config": {"config.yaml": None},
    "suspended": SUSPENDED,
    "no adapter": {"adapters/kubernetes.yaml": "enabled: false\n"},
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_plan_before_a_merge_is_executed_after_it(sim: Simulation, olga: Forge, name: str) -> None:
    change(olga, CHANGES[name])
    before = read(olga)
    assert before.changes
    assert decisions(before.after) == decisions(merge(olga, sim))


@pytest.mark.parametrize("name", ["a jump", "a jump and more", "both deleted"])
def test_the_digest_of_the_comment_is_the_one_that_waits_after_the_merge(
    sim: Simulation, olga: Forge, name: str
) -> None:
    change(olga, CHANGES[name])
    before = read(olga)
    digests = {hold.approval for hold in before.ceilings if hold.approval}
    assert digests
    assert all(digest[:16] in preview_markdown(before) for digest in digests)
    merge(olga, sim)
    merged = olga.git("rev-parse", "main")
    assert merged != before.head
    memory = sim.daemon.journal.records.memory()
    assert set(memory.approvable) == digests
    assert memory.applied != merged
    for digest in digests:
        sim.daemon.journal.inbox.approve(Approval(breach_of(memory, digest[:16]), "owner", NOW))
    sim.blocks(1)
    assert sim.last.planned.plan.revision == merged


def land(olga: Forge, sim: Simulation, files: Files) -> None:
    """Merge another change and let the daemon read it."""
    sim.outside.commits.commit("Before", files)
    olga.git("fetch", "--quiet", "origin")
    olga.git("switch", "--quiet", "-C", "change", "origin/main")


JUMP: Files = {"pricing.yaml": pricing("9")}
IMAGE: Files = {WEB_FILE: WEB_TEXT.replace("web:1", "web:2")}
BROKEN: Files = {WEB_FILE: "lease: [\n"}
BASES: Mapping[str, tuple[Files, Files]] = {
    "a jump is held, another thing": (JUMP, IMAGE),
    "a jump is held, and taken back": (JUMP, {"pricing.yaml": pricing("1.25")}),
    "a jump is held, and halved": (JUMP, {"pricing.yaml": pricing("1.2")}),
    "a file is broken, another thing": (BROKEN, {"pricing.yaml": pricing("1.2")}),
    "a file is broken, and mended": (BROKEN, IMAGE),
    "a file is broken, and deleted": (BROKEN, {WEB_FILE: None}),
    "paused, resumed": (workload(lease(WEB), paused=True), workload(lease(WEB))),
    "suspended, resumed": (SUSPENDED, {"config.yaml": CALM}),
    "deleted, put back": ({WEB_FILE: None}, {WEB_FILE: WEB_TEXT}),
    "one deleted, the other one": ({WEB_FILE: None}, {USAGE_FILE: None}),
}


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        *((name, True) for name in BASES),
        ("a jump is held, and halved", False),
        ("a file is broken, another thing", False),
        ("paused, resumed", False),
    ],
)
def test_the_same_holds_on_a_held_faulty_or_unseen_base(
    sim: Simulation, olga: Forge, name: str, seen: bool
) -> None:
    base, head = BASES[name]
    land(olga, sim, base)
    if seen:
        rest(sim)
    change(olga, head)
    before = read(olga)
    assert decisions(before.after) == decisions(merge(olga, sim))


def test_a_merge_that_clears_a_failure_retries_at_once(sim: Simulation, olga: Forge) -> None:
    sim.outside.cluster.faults.add(ClusterFault(status=500, verbs=frozenset({"patch"}), times=1))
    land(olga, sim, IMAGE)
    rest(sim)
    assert sim.holds(Reason.TRY_LATER)
    change(olga, {"pricing.yaml": pricing("1.2")})
    before = read(olga)
    assert "ApplyWorkload" in str(decisions(before.after))
    assert decisions(before.after) == decisions(merge(olga, sim))

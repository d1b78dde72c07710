"""Approval, revert and force-push end to end: a real git, an operator's clone, the whole loop on a simulated
chain; what both histories tell of it in the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli.main import provider_daemon, run_command
from reconciler.values.approvals import Approval
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory
from reconciler.values.plans import ApplyWorkload, Reason
from reconciler.values.records import PastRevision
from tests.git.forge import Forge
from tests.simulation.commits import pricing, workload
from tests.simulation.outside import Outside, WorldState
from tests.simulation.scenario import USAGE, WEB, lease
from tests.simulation.sim import Simulation, started

STRICT = Limits(price_change_percent=20, removals_per_revision=1)


@pytest.fixture
def sim(mid_run: WorldState, tmp_path: Path) -> Iterator[Simulation]:
    """Two workloads run; the host file bounds price changes."""
    with started(Outside.at(mid_run, tmp_path / "world"), lambda: STRICT) as made:
        made.blocks(1)
        yield made


@pytest.fixture
def olga(sim: Simulation, tmp_path: Path) -> Forge:
    """The operator's clone."""
    clone = Forge(tmp_path / "olga")
    clone.path.mkdir()
    clone.git("clone", "--quiet", str(sim.outside.commits.repository), ".")
    return clone


def push(olga: Forge, subject: str, files: dict[str, str]) -> str:
    made = olga.commit(subject, **{path.replace("/", "__"): text for path, text in files.items()})
    olga.git("push", "--quiet", "origin", "main")
    return made


def memory(sim: Simulation) -> Memory:
    return sim.last.planned.plan.memory


def revisions(sim: Simulation) -> dict[str, PastRevision]:
    return {past.revision_verdict.commit: past for past in sim.daemon.journal.records.revisions(99)}


def approve(sim: Simulation, by: str = "owner") -> None:
    """Approve everything that waits."""
    for breach in memory(sim).approvable.values():
        word = Approval(breach, by, int(sim.outside.seconds))
        sim.daemon.journal.inbox.approve(word)


def asked(clone: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, object]]:
    """A command's JSON, from a clone of both branches."""
    Forge(clone).git("fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*")
    capsys.readouterr()
    assert run_command(provider_daemon, [*words, "--clone", str(clone), "-o", "json"]) == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_a_price_jump_waits_for_approval_and_is_in_both_histories(
    sim: Simulation, olga: Forge, capsys: pytest.CaptureFixture[str]
) -> None:
    before = memory(sim).applied
    jump = push(olga, "Double the price", {"pricing.yaml": pricing("2")})
    sim.blocks(1)
    assert sim.last.planned.plan.revision == before
    [hold] = sim.holds(Reason.PRICE_JUMP)
    assert hold.approval in memory(sim).approvable
    sim.blocks(13)
    [waiting] = [e for e in asked(olga.path, capsys, "log") if e["commit"] == jump]
    assert (waiting["outcome"], waiting["applied_at"]) == ("held", None)
    assert waiting["held_at"]

    approve(sim)
    sim.blocks(1)
    assert sim.last.planned.plan.revision == jump
    sim.blocks(14)
    assert not memory(sim).approvals
    assert not memory(sim).approvable
    [entry] = [e for e in asked(olga.path, capsys, "log") if e["commit"] == jump]
    assert (entry["outcome"], entry["files"]) == ("in force", ["pricing.yaml"])
    lines = [line for each in entry["status_commits"] for line in each["lines"]]  # type: ignore[attr-defined]  # JSON
    assert f"Applied commit {jump[:12]} by Olga Operator: Double the price " in "\n".join(lines)
    assert [line for line in lines if line.startswith("owner approved commit")]
    [row] = [r for r in asked(olga.path, capsys, "history") if r["commit"] == jump]
    assert (row["outcome"], row["plan_digest"]) == ("in force", entry["plan_digest"])
    assert revisions(sim)[jump].revision_verdict.why == "price_change_percent approved by owner"


def test_a_revert_is_applied_and_the_reverted_commit_never_was(
    sim: Simulation, olga: Forge, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {**workload(lease(WEB), paused=True), **workload(lease(USAGE), paused=True)}
    pausing = push(olga, "Pause all", files)
    done = sim.blocks(2)
    assert [h.subject.name for h in sim.holds(Reason.MASS_REMOVAL)] == ["repository"]
    assert not [a for a in done if isinstance(a, ApplyWorkload)]

    olga.git("revert", "--no-edit", "HEAD")
    olga.git("push", "--quiet", "origin", "main")
    revert = olga.git("rev-parse", "HEAD")
    done = sim.blocks(15)
    assert memory(sim).applied == revert
    assert not [a for a in done if isinstance(a, ApplyWorkload)]
    assert revisions(sim)[revert].revision_verdict.reverts == pausing
    assert revisions(sim)[pausing].ended_at
    by_commit = {e["commit"]: e for e in asked(olga.path, capsys, "log")}
    assert by_commit[revert]["reverts"] == pausing
    assert by_commit[revert]["outcome"] == "in force"
    assert by_commit[pausing]["outcome"] == "superseded"


def test_a_force_push_is_refused_and_the_restored_branch_is_applied(
    sim: Simulation, olga: Forge, capsys: pytest.CaptureFixture[str]
) -> None:
    good = olga.git("rev-parse", "HEAD")
    olga.git("commit", "--quiet", "--amend", "--no-edit", "--date", "1800000009 +0000", "-m", "Rewritten")
    olga.git("push", "--quiet", "--force", "origin", "main")
    rewritten = olga.git("rev-parse", "HEAD")
    sim.blocks(15)
    assert sim.last.planned.plan.revision == good
    [hold] = sim.holds(Reason.REWRITTEN_HISTORY)
    assert (hold.approval, memory(sim).approvable) == ("", {}), "nobody approves another history"

    olga.git("reset", "--quiet", "--hard", good)
    olga.git("push", "--quiet", "--force", "origin", "main")
    after = push(olga, "A little dearer", {"pricing.yaml": pricing("1.1")})
    sim.blocks(15)
    assert sim.last.planned.plan.revision == after
    assert not sim.holds(Reason.REWRITTEN_HISTORY)
    past = revisions(sim)
    assert (past[rewritten].revision_verdict.verdict.value, bool(past[rewritten].ended_at)) == (
        "refused",
        True,
    )
    assert past[good].ended_at == past[after].judged_at
    rows = {r["commit"]: r["outcome"] for r in asked(olga.path, capsys, "history")}
    assert rows[after] == "in force"
    assert rows[good] == "applied"


def test_the_log_finds_an_object_by_each_of_its_names(
    sim: Simulation, olga: Forge, capsys: pytest.CaptureFixture[str]
) -> None:
    sim.blocks(14)
    own = lease(WEB)
    name = next(iter(workload(own)))
    wanted = [str(own), str(own.order), name, name.removeprefix("workloads/").removesuffix(".yaml")]
    found = [asked(olga.path, capsys, "log", "--object", each) for each in wanted]
    assert all(each == found[0] for each in found)
    lines = [line for e in found[0] for each in e["status_commits"] for line in each["lines"]]  # type: ignore[attr-defined]  # JSON
    assert [line for line in lines if line.startswith("Bid 2446uve")]
    assert [line for line in lines if "Deploying -> Running" in line]
    assert all(str(WEB) in line for line in lines)
    hashes = [t for e in found[0] for each in e["status_commits"] for t in each["transactions"]]  # type: ignore[attr-defined]  # JSON
    [by_hash] = asked(olga.path, capsys, "log", "--object", hashes[0][:12])
    assert [hashes[0] in each["transactions"] for each in by_hash["status_commits"]] == [True]  # type: ignore[attr-defined]  # JSON

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
from tests.simulation.outside import Moment, Outside
from tests.simulation.playing import Play, played
from tests.simulation.script import USAGE, WEB, lease

STRICT = Limits(price_change_percent=20, removals_per_revision=1)


@pytest.fixture
def play(midway: Moment, tmp_path: Path) -> Iterator[Play]:
    """Two workloads run; the host's owner is careful."""
    with played(Outside.at(midway, tmp_path / "world"), lambda: STRICT) as made:
        made.blocks(1)
        yield made


@pytest.fixture
def olga(play: Play, tmp_path: Path) -> Forge:
    """The operator's clone."""
    clone = Forge(tmp_path / "olga")
    clone.path.mkdir()
    clone.git("clone", "--quiet", str(play.outside.commits.repository), ".")
    return clone


def push(olga: Forge, subject: str, files: dict[str, str]) -> str:
    made = olga.commit(subject, **{path.replace("/", "__"): text for path, text in files.items()})
    olga.git("push", "--quiet", "origin", "main")
    return made


def memory(play: Play) -> Memory:
    return play.last.planned.plan.memory


def revisions(play: Play) -> dict[str, PastRevision]:
    return {past.judged.commit: past for past in play.daemon.journal.records.revisions(99)}


def approve(play: Play, by: str = "owner") -> None:
    """The word of the host's owner on all that waits."""
    for breach in memory(play).waiting.values():
        word = Approval(breach, by, int(play.outside.seconds))
        play.daemon.journal.inbox.approve(word)


def asked(clone: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, object]]:
    """What a command says to a program, from a clone of both branches and nothing else."""
    Forge(clone).git("fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*")
    capsys.readouterr()
    assert run_command(provider_daemon, [*words, "--clone", str(clone), "-o", "json"]) == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_a_jump_waits_for_the_owner_and_both_histories_tell_of_it(
    play: Play, olga: Forge, capsys: pytest.CaptureFixture[str]
) -> None:
    before = memory(play).applied
    jump = push(olga, "Double the price", {"pricing.yaml": pricing("2")})
    play.blocks(1)
    assert play.last.planned.plan.revision == before
    [hold] = play.holds(Reason.PRICE_JUMP)
    assert hold.approval in memory(play).waiting
    play.blocks(13)
    [waiting] = [e for e in asked(olga.path, capsys, "log") if e["commit"] == jump]
    assert (waiting["outcome"], waiting["applied_at"]) == ("held", None)
    assert waiting["held_at"]

    approve(play)
    play.blocks(1)
    assert play.last.planned.plan.revision == jump
    play.blocks(14)
    assert not memory(play).approvals
    assert not memory(play).waiting
    [told] = [e for e in asked(olga.path, capsys, "log") if e["commit"] == jump]
    assert (told["outcome"], told["files"]) == ("in force", ["pricing.yaml"])
    said = [line for each in told["did"] for line in each["says"]]  # type: ignore[attr-defined]  # JSON
    assert f"Applied commit {jump[:12]} by Olga Operator: Double the price " in "\n".join(said)
    assert [line for line in said if line.startswith("owner approved on the host that commit")]
    [row] = [r for r in asked(olga.path, capsys, "history") if r["commit"] == jump]
    assert (row["outcome"], row["plan_digest"]) == ("in force", told["plan_digest"])
    assert revisions(play)[jump].judged.why == "price_change_percent approved by owner"


def test_a_revert_is_applied_as_any_commit_and_what_it_takes_back_was_never_applied(
    play: Play, olga: Forge, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {**workload(lease(WEB), paused=True), **workload(lease(USAGE), paused=True)}
    pausing = push(olga, "Pause all", files)
    done = play.blocks(2)
    assert [h.subject.name for h in play.holds(Reason.MASS_REMOVAL)] == ["repository"]
    assert not [a for a in done if isinstance(a, ApplyWorkload)]

    olga.git("revert", "--no-edit", "HEAD")
    olga.git("push", "--quiet", "origin", "main")
    revert = olga.git("rev-parse", "HEAD")
    done = play.blocks(15)
    assert memory(play).applied == revert
    assert not [a for a in done if isinstance(a, ApplyWorkload)]
    assert revisions(play)[revert].judged.reverts == pausing
    assert revisions(play)[pausing].ended_at
    by_commit = {e["commit"]: e for e in asked(olga.path, capsys, "log")}
    assert by_commit[revert]["reverts"] == pausing
    assert by_commit[revert]["outcome"] == "in force"
    assert by_commit[pausing]["outcome"] == "superseded"


def test_a_force_push_is_refused_and_the_restored_branch_goes_on(
    play: Play, olga: Forge, capsys: pytest.CaptureFixture[str]
) -> None:
    good = olga.git("rev-parse", "HEAD")
    olga.git("commit", "--quiet", "--amend", "--no-edit", "--date", "1800000009 +0000", "-m", "Rewritten")
    olga.git("push", "--quiet", "--force", "origin", "main")
    rewritten = olga.git("rev-parse", "HEAD")
    play.blocks(15)
    assert play.last.planned.plan.revision == good
    [hold] = play.holds(Reason.REWRITTEN_HISTORY)
    assert (hold.approval, memory(play).waiting) == ("", {}), "nobody approves another history"

    olga.git("reset", "--quiet", "--hard", good)
    olga.git("push", "--quiet", "--force", "origin", "main")
    after = push(olga, "A little dearer", {"pricing.yaml": pricing("1.1")})
    play.blocks(15)
    assert play.last.planned.plan.revision == after
    assert not play.holds(Reason.REWRITTEN_HISTORY)
    past = revisions(play)
    assert (past[rewritten].judged.verdict.value, bool(past[rewritten].ended_at)) == ("refused", True)
    assert past[good].ended_at == past[after].judged_at
    rows = {r["commit"]: r["outcome"] for r in asked(olga.path, capsys, "history")}
    assert rows[after] == "in force"
    assert rows[good] == "applied"


def test_the_log_finds_an_object_by_each_of_its_names(
    play: Play, olga: Forge, capsys: pytest.CaptureFixture[str]
) -> None:
    play.blocks(14)
    own = lease(WEB)
    name = next(iter(workload(own)))
    wanted = [str(own), str(own.order), name, name.removeprefix("workloads/").removesuffix(".yaml")]
    found = [asked(olga.path, capsys, "log", "--object", each) for each in wanted]
    assert all(each == found[0] for each in found)
    says = [line for e in found[0] for did in e["did"] for line in did["says"]]  # type: ignore[attr-defined]  # JSON
    assert [line for line in says if line.startswith("Bid 2446uve")]
    assert [line for line in says if "Deploying -> Running" in line]
    assert all(str(WEB) in line for line in says)
    hashes = [t for e in found[0] for did in e["did"] for t in did["transactions"]]  # type: ignore[attr-defined]  # JSON
    [by_hash] = asked(olga.path, capsys, "log", "--object", hashes[0][:12])
    assert [hashes[0] in did["transactions"] for did in by_hash["did"]] == [True]  # type: ignore[attr-defined]  # JSON

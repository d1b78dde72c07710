"""A repository that is rewritten, empty or missing: bids and repairs continue."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from subprocess import run

from reconciler.devnet.trading import OrderRequest
from reconciler.values.plans import Reason
from tests.bad_input.case import Run, Workspace
from tests.simulation.commits import BRANCH, pricing
from tests.simulation.outside import Outside
from tests.simulation.sim import Simulation, removals, started

OUR_PRICE = "2733"
"""The price of such an order by the last good commit."""


def bids(sim: Simulation, since: int) -> list[str]:
    """Our bids on orders after a height, in whole uve per block."""
    sent = [each for each in sim.sent() if each.kind == "MsgCreateBid" and each.height > since]
    return [each.terms.split()[0].removesuffix("0" * 18) for each in sent]


def while_failing(
    reason: Reason, make: Callable[[Simulation], None], fix: Callable[[Simulation], None]
) -> Run:
    """An order arrives while the repository fails; the bid uses the last good commit."""

    def run(workspace: Workspace) -> str:
        with started(Outside.at(workspace.mid_run, workspace.path / "world")) as sim:
            sim.blocks(1)
            make(sim)
            sim.scenario.alice.order(OrderRequest(Decimal(4000)))
            sim.outside.step()
            since = sim.outside.height

            done = sim.blocks(8)

            workspace.values["newest"] = sim.outside.commits.tips().get(BRANCH, "")[:12]
            [hold] = sim.holds(reason)
            assert bids(sim, since) == [OUR_PRICE]
            assert removals(done) == []
            fix(sim)
            sim.blocks(1)
            assert not sim.holds(reason)
            workspace.values["repository"] = sim.outside.commits.repository
            return hold.message

    return run


def _git(sim: Simulation, *arguments: str) -> str:
    command = ["git", "-C", str(sim.outside.commits.repository), *arguments]
    return run(command, capture_output=True, text=True, check=True).stdout.strip()


def _rewrite(sim: Simulation) -> None:
    """Force-push the first commit with other prices on top."""
    tip = _git(sim, "rev-parse", BRANCH)
    (sim.outside.directory / "before").write_text(tip)
    _git(sim, "update-ref", BRANCH, _git(sim, "rev-list", "--max-parents=0", BRANCH))
    sim.outside.commits.commit("Other prices", {"pricing.yaml": pricing("2")})


def _restore(sim: Simulation) -> None:
    _git(sim, "update-ref", BRANCH, (sim.outside.directory / "before").read_text())


def _away(sim: Simulation) -> Path:
    return Path(f"{sim.outside.commits.repository}.away")


def _take_away(sim: Simulation) -> None:
    sim.outside.commits.repository.rename(_away(sim))


def _bring_back(sim: Simulation) -> None:
    here = sim.outside.commits.repository
    if here.exists():
        here.rename(f"{here}.empty")
    _away(sim).rename(here)


def _empty(sim: Simulation) -> None:
    _take_away(sim)
    here = str(sim.outside.commits.repository)
    run(["git", "init", "--quiet", "--bare", "--initial-branch=main", here], check=True)


REWRITTEN = while_failing(Reason.REWRITTEN_HISTORY, _rewrite, _restore)
GONE = while_failing(Reason.REPOSITORY_UNSEEN, _take_away, _bring_back)
EMPTY = while_failing(Reason.REPOSITORY_UNSEEN, _empty, _bring_back)

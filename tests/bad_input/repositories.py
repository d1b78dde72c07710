"""A repository that is rewritten, empty or missing: bids and repairs continue."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from subprocess import run

from reconciler.devnet.tenant import OrderRequest
from reconciler.values.plans import Reason
from tests.bad_input.case import Run, Workspace
from tests.simulation.commits import BRANCH, pricing
from tests.simulation.outside import Outside
from tests.simulation.playing import Play, played, removals

OUR_PRICE = "2733"
"""The price of such an order by the last good commit."""


def bids(play: Play, since: int) -> list[str]:
    """Our bids on orders after a height, in whole uve per block."""
    sent = [each for each in play.sent() if each.kind == "MsgCreateBid" and each.height > since]
    return [each.terms.split()[0].removesuffix("0" * 18) for each in sent]


def while_failing(reason: Reason, make: Callable[[Play], None], fix: Callable[[Play], None]) -> Run:
    """An order arrives while the repository fails; the bid uses the last good commit."""

    def run(workspace: Workspace) -> str:
        with played(Outside.at(workspace.midway, workspace.path / "world")) as play:
            play.blocks(1)
            make(play)
            play.stage.alice.order(OrderRequest(Decimal(4000)))
            play.outside.step()
            since = play.outside.height

            done = play.blocks(8)

            workspace.values["newest"] = play.outside.commits.tips().get(BRANCH, "")[:12]
            [hold] = play.holds(reason)
            assert bids(play, since) == [OUR_PRICE]
            assert removals(done) == []
            fix(play)
            play.blocks(1)
            assert not play.holds(reason)
            workspace.values["repository"] = play.outside.commits.repository
            return hold.message

    return run


def _git(play: Play, *arguments: str) -> str:
    command = ["git", "-C", str(play.outside.commits.repository), *arguments]
    return run(command, capture_output=True, text=True, check=True).stdout.strip()


def _rewrite(play: Play) -> None:
    """Force-push the first commit with other prices on top."""
    tip = _git(play, "rev-parse", BRANCH)
    (play.outside.directory / "before").write_text(tip)
    _git(play, "update-ref", BRANCH, _git(play, "rev-list", "--max-parents=0", BRANCH))
    play.outside.commits.commit("Other prices", {"pricing.yaml": pricing("2")})


def _restore(play: Play) -> None:
    _git(play, "update-ref", BRANCH, (play.outside.directory / "before").read_text())


def _away(play: Play) -> Path:
    return Path(f"{play.outside.commits.repository}.away")


def _take_away(play: Play) -> None:
    play.outside.commits.repository.rename(_away(play))


def _bring_back(play: Play) -> None:
    here = play.outside.commits.repository
    if here.exists():
        here.rename(f"{here}.empty")
    _away(play).rename(here)


def _empty(play: Play) -> None:
    _take_away(play)
    here = str(play.outside.commits.repository)
    run(["git", "init", "--quiet", "--bare", "--initial-branch=main", here], check=True)


REWRITTEN = while_failing(Reason.REWRITTEN_HISTORY, _rewrite, _restore)
GONE = while_failing(Reason.REPOSITORY_UNSEEN, _take_away, _bring_back)
EMPTY = while_failing(Reason.REPOSITORY_UNSEEN, _empty, _bring_back)

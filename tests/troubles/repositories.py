"""A repository that is rewritten, empty or gone, in the middle of a story: bids and repair go on."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from subprocess import run

from reconciler.devnet.tenant import OrderRequest
from reconciler.values.plans import Reason
from tests.simulation.commits import BRANCH, pricing
from tests.simulation.outside import Outside
from tests.simulation.playing import Play, played, removals
from tests.troubles.ground import Ground, Show

OUR_PRICE = "2733"
"""Of such an order, by the last good commit."""


def bids(play: Play, since: int) -> list[str]:
    """What we bid a block on orders after a height, in whole uve."""
    sent = [each for each in play.sent() if each.kind == "MsgCreateBid" and each.height > since]
    return [each.terms.split()[0].removesuffix("0" * 18) for each in sent]


def with_trouble(reason: Reason, make: Callable[[Play], None], mend: Callable[[Play], None]) -> Show:
    """An order comes while the repository is in trouble; it is bid on as the last good commit says."""

    def show(ground: Ground) -> str:
        with played(Outside.at(ground.midway, ground.path / "world")) as play:
            play.blocks(1)
            make(play)
            play.stage.alice.order(OrderRequest(Decimal(4000)))
            play.outside.step()
            since = play.outside.height

            done = play.blocks(8)

            ground.places["newest"] = play.outside.commits.tips().get(BRANCH, "")[:12]
            [hold] = play.holds(reason)
            assert bids(play, since) == [OUR_PRICE]
            assert removals(done) == []
            mend(play)
            play.blocks(1)
            assert not play.holds(reason)
            ground.places["repository"] = play.outside.commits.repository
            return hold.message

    return show


def _git(play: Play, *arguments: str) -> str:
    command = ["git", "-C", str(play.outside.commits.repository), *arguments]
    return run(command, capture_output=True, text=True, check=True).stdout.strip()


def _rewrite(play: Play) -> None:
    """Push over the branch: its first commit, and other prices on top."""
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


REWRITTEN = with_trouble(Reason.REWRITTEN_HISTORY, _rewrite, _restore)
GONE = with_trouble(Reason.REPOSITORY_UNSEEN, _take_away, _bring_back)
EMPTY = with_trouble(Reason.REPOSITORY_UNSEEN, _empty, _bring_back)

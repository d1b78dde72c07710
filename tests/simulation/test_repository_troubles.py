"""A repository that is gone for some cycles: what was last read goes on, what was not told is told later."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from reconciler.devnet.tenant import OrderRequest
from reconciler.values.plans import ApplyWorkload, Reason
from tests.simulation.commits import pricing
from tests.simulation.footprint import hashes_told, transactions
from tests.simulation.playing import Play, removals


def test_a_repository_that_is_gone_stops_neither_bids_nor_repair(play: Play) -> None:
    play.blocks(1)
    there, away = play.outside.commits.repository, Path(f"{play.outside.commits.repository}.away")
    there.rename(away)
    play.stage.alice.order(OrderRequest(Decimal(4000)))
    play.outside.step()

    done = play.blocks(16)

    assert play.last.waiting
    assert [h for h in play.holds(Reason.REPOSITORY_UNSEEN) if str(there) in h.message]
    assert [each for each in play.sent() if each.kind == "MsgCreateBid" and each.height > 19]
    assert not removals(done)
    assert not [each for each in done if isinstance(each, ApplyWorkload)]

    away.rename(there)
    play.blocks(15)
    assert not play.holds(Reason.REPOSITORY_UNSEEN)
    landed = {tx.hash for tx in transactions(play.outside) if tx.height < play.outside.height - 12}
    assert landed <= hashes_told(play.outside)


def test_the_commit_that_came_meanwhile_is_applied_after(play: Play) -> None:
    play.blocks(1)
    there, away = play.outside.commits.repository, Path(f"{play.outside.commits.repository}.away")
    there.rename(away)
    play.blocks(2)
    away.rename(there)
    play.outside.commits.commit("Dearer still", {"pricing.yaml": pricing("2")})
    play.stage.alice.order(OrderRequest(Decimal(4000)))
    play.outside.step()

    play.blocks(3)

    bids = [each for each in play.sent() if each.kind == "MsgCreateBid" and each.height > 19]
    assert [each.terms.split()[0] for each in bids] == [f"{3596}{'0' * 18}"]

"""How far time may jump: to the next block at which something is due for chain or daemon."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.cycle.run import Cycle
from reconciler.planning.money.withdrawals import LAST_BLOCKS
from reconciler.planning.revisions.admission import desired_at
from reconciler.values.desired import Config
from reconciler.values.observed import Market
from tests.simulation.seeded.world import World

SETTLEMENT_PERIOD = 86_400
FAILURES_MAX = 14
"""From then on a retry is the same each hour, and may come late."""


def due_blocks(world: World, cycle: Cycle | None) -> int:
    """Blocks until the next due time, less one; with a daemon that runs, its own due times count too. The
    last block counts as one to come: no cycle has seen it yet.
    """
    found: list[int] = [
        world.chain.height + 1_000_000,
        *_of_chain(world),
        *(_of_daemon(world, cycle) if cycle else ()),
    ]
    later = [height for height in found if height >= world.chain.height]
    nearest: int = min(later)
    return nearest - world.chain.height - 1


def _of_chain(world: World) -> Iterator[int]:
    for seconds in world.chain.due_seconds(SETTLEMENT_PERIOD):
        yield _height(world, seconds)
    for until, _ in world.faults.outages.values():
        yield _height(world, until)


def _of_daemon(world: World, cycle: Cycle) -> Iterator[int]:
    plan, market = cycle.planned.plan, cycle.planned.inputs.seen_market
    memory = plan.memory
    yield memory.hold_until_height
    for retry in memory.retries.values():
        if retry.retry_at is not None and retry.failures < FAILURES_MAX:
            yield _height(world, retry.retry_at)
    if market is None:
        return
    config = _config(cycle)
    for lease in market.leases.values():
        last = memory.withdrawn_at.get(lease.id)
        began = market.time - (market.height - lease.created_at) * world.terms.block_seconds
        yield _height(world, (began if last is None else last) + config.withdrawals.every_seconds)
        if (usage := memory.usage.get(lease.id)) is not None:
            yield _height(world, usage.billed_until + config.usage.every_seconds)
    lifetime = config.bidding.bid_lifetime_seconds // world.terms.block_seconds
    yield from (bid.created_at + lifetime for bid in market.bids.values())
    yield from _of_funds(world, cycle, market)
    for side in market.settlements.values():
        if side.escrow is not None:
            yield _height(world, side.escrow.expires_at - config.usage.expiry_margin_seconds)


def _of_funds(world: World, cycle: Cycle, market: Market) -> Iterator[int]:
    rules = _config(cycle).escrow
    for left in cycle.planned.plan.funding.values():
        if left.blocks_left is None:
            yield _height(world, market.time + (left.seconds_left or 0))
            continue
        end = market.height + left.blocks_left
        yield from (end - LAST_BLOCKS, end, end + 1)
        for seconds in (rules.low_seconds, rules.critical_seconds):
            yield end - seconds // world.terms.block_seconds


def _height(world: World, seconds: int) -> int:
    """The first block at or after a time."""
    return world.chain.height - (world.chain.seconds - seconds) // world.terms.block_seconds


def _config(cycle: Cycle) -> Config:
    admitted = desired_at(cycle.planned.inputs.desired, cycle.planned.plan.revision)
    return admitted.config if admitted and admitted.config else Config()

"""What each kind of step puts out of order, and for how long."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from reconciler.chain.proto.market_v1beta5_pb2 import Params as MarketParams
from reconciler.chain.proto.take_v1_pb2 import Params as TakeParams
from reconciler.devnet.chain.gates import ALL_FACTORS
from reconciler.devnet.chain.genesis import Gates
from reconciler.journal.database import NAME
from tests.simulation.seeded.acts import Act
from tests.simulation.seeded.faults import EFFECTS, READINGS, TARGETS, Armed, Mode
from tests.simulation.seeded.world import World

DURATIONS = (20, 60, 300, 1_200, 7_200, 50_000)
"""Seconds."""

_CALLS = (*EFFECTS, *READINGS, "adapter.apply", "chain.broadcast", "adapter.observe", "node")
_MODES = tuple(Mode)


def arm(world: World, a: int, b: int) -> None:
    """One call fails, the first or one of the next."""
    call = _CALLS[a % len(_CALLS)]
    armed = Armed(call, _MODES[b % len(_MODES)], (b >> 3) % 4 if call != "node" else (b >> 3) % 40)
    world.faults.armed.append(armed)
    world.after_seconds(7_200, lambda: _disarm(world, armed))


def outage(world: World, a: int, b: int) -> None:
    """A target does not answer for a while, or loses its answers, or hangs."""
    target = TARGETS[a % len(TARGETS)]
    modes = (Mode.FAIL, Mode.FAIL, Mode.LOSE_REPLY, Mode.HANG, Mode.STALE)
    until = world.chain.seconds + _duration(b)
    world.faults.outages[target] = until, modes[(a >> 4) % len(modes)]


def kill(world: World, a: int, _: int) -> None:
    """The daemon is killed between two cycles, and started again after a while."""
    world.down_blocks = (0, 0, 1, 3, 30)[a % 5]
    world.kill = True


def gap(world: World, a: int, _: int) -> None:
    """The daemon is down for a long time."""
    seconds = (3_600, 20_000, 90_000, 300_000)[a % 4]
    world.down_blocks = seconds // world.terms.block_seconds
    world.kill = True


def journal_lost(world: World, a: int, _: int) -> None:
    """The journal's file is gone."""

    def lose() -> None:
        for path in world.directory.glob(f"{NAME}*"):
            path.unlink()
        world.lost = True

    world.down_blocks = a % 4
    world.kill = True
    world.on_disk.append(lose)


def journal_restored(world: World, a: int, b: int) -> None:
    """The journal is replaced by an older copy of it: one is made now, and comes back later."""
    copy = world.directory / "older"

    def keep() -> None:
        copy.mkdir(exist_ok=True)
        for path in world.directory.glob(f"{NAME}*"):
            shutil.copy2(path, copy / path.name)

    def restore() -> None:
        if copy.exists():
            for path in world.directory.glob(f"{NAME}*"):
                path.unlink()
            for path in copy.iterdir():
                shutil.copy2(path, world.directory / path.name)
            world.restored = True

    def later() -> None:
        world.kill = True
        world.on_disk.append(restore)

    world.kill = True
    world.on_disk.append(keep)
    world.after_seconds((60, 600, 5_000, 100_000)[b % 4] + a % 50, later)


def lag(world: World, a: int, b: int) -> None:
    """The node lags behind, at both addresses or at one."""
    name = ("lag", "grpc_lag", "rpc_lag")[a % 3]
    _for_a_while(world, b, lambda: _set(world, name, 1 + (a >> 2) % 15), lambda: _set(world, name, 0))


def witness_lag(world: World, a: int, b: int) -> None:
    """The witness lags behind, and the node does not."""
    blocks = (1, 3, 15, 150)[a % 4]

    def lag(by: int) -> None:
        world.witness.lag = by

    _for_a_while(world, b, lambda: lag(blocks), lambda: lag(0))


def catch_up(world: World, _: int, b: int) -> None:
    """The node catches up."""
    _for_a_while(
        world, b, lambda: _set(world, "catching_up", True), lambda: _set(world, "catching_up", False)
    )


def lie(world: World, a: int, b: int) -> None:
    """The node shows a false height."""
    height = (1, max(world.chain.height - 50, 1), world.chain.height + 40, 10**9)[a % 4]
    _for_a_while(
        world, b, lambda: _set(world, "shown_height", height), lambda: _set(world, "shown_height", 0)
    )


def false_leases(world: World, _: int, b: int) -> None:
    """The node shows every lease as closed; without a witness nobody can know better."""
    if world.terms.witness:
        _for_a_while(
            world, b, lambda: _show_closed_leases(world, True), lambda: _show_closed_leases(world, False)
        )


def false_funds(world: World, _: int, b: int) -> None:
    """The node shows no settlement escrow and empty accounts; without a witness nobody can know better."""

    def lie(shows: bool) -> None:
        world.link.shows_no_funds = shows

    if world.terms.witness:
        _for_a_while(world, b, lambda: lie(True), lambda: lie(False))


def other_chain(world: World, _: int, b: int) -> None:
    """The node is on another chain."""
    _for_a_while(
        world, b, lambda: _set(world, "shown_chain_id", "other-1"), lambda: _set(world, "shown_chain_id", "")
    )


def gates(world: World, _: int, b: int) -> None:
    """The chain refuses withdrawals."""
    closed = Gates(identity=False, second_factor=ALL_FACTORS - {"high_value_order", "large_withdrawal"})
    _for_a_while(world, b, lambda: _set(world, "gates", closed), lambda: _set(world, "gates", None))


def clock(world: World, a: int, b: int) -> None:
    """The host's clock is wrong."""
    ahead = (30, -30, 90, -90, 4_000, -4_000, 100_000)[a % 7]

    def turn(seconds: int) -> None:
        world.clock_ahead = seconds

    _for_a_while(world, b, lambda: turn(ahead), lambda: turn(0))


def lose_machine(world: World, a: int, b: int) -> None:
    """A machine fails for a while."""
    adapter = sorted(world.adapters)[(a >> 8) % len(world.adapters)]
    _for_a_while(world, b, lambda: world.adapters[adapter].lose(a), lambda: world.adapters[adapter].recover())


def delete(world: World, a: int, b: int) -> None:
    """Somebody deletes a workload's objects."""
    world.adapters[sorted(world.adapters)[b % len(world.adapters)]].delete(a)


def tamper(world: World, a: int, b: int) -> None:
    """Somebody edits a workload's objects."""
    world.adapters[sorted(world.adapters)[b % len(world.adapters)]].tamper(a)


def reorder(world: World, a: int, _: int) -> None:
    """The transactions of some blocks come in the reverse order."""
    world.reversed_blocks = 1 + a % 5


def resend(world: World, a: int, _: int) -> None:
    """Somebody sends one of our old transactions again."""
    sent = list(world.sent.values())
    if sent:
        world.send_again(sent[-1 - a % min(len(sent), 3)])


def deposit_parameter(world: World, a: int, b: int) -> None:
    """The chain's governance changes the deposit of a bid."""
    amount = ("500000", "1000000", "1", "9000000")[a % 4]
    params = MarketParams(bid_min_deposit={"denom": "uve", "amount": amount}, order_max_bids=(20, 1)[b % 2])
    world.chain.pass_proposal(b"market", params.SerializeToString())


def take_rate(world: World, a: int, _: int) -> None:
    """The chain's governance changes its share of payments."""
    params = TakeParams(
        denom_take_rates=[{"denom": "uve", "rate": (2, 0, 20, 50)[a % 4]}], default_take_rate=20
    )
    world.chain.pass_proposal(b"take", params.SerializeToString())


def gas_price(world: World, a: int, b: int) -> None:
    """The network is busy, and the lowest gas price rises."""
    factor = (2, 3, 10)[a % 3]
    _for_a_while(
        world, b, lambda: _set(world, "price_factor", factor), lambda: _set(world, "price_factor", 1)
    )


def silence(world: World, _: int, b: int) -> None:
    """Nothing outside answers for a while, as when the host's network is down."""
    for target in ("repo", "adapter", "node", "notifier", "forge"):
        world.faults.outages[target] = world.chain.seconds + _duration(b), Mode.FAIL


def stop_blocks(world: World, a: int, _: int) -> None:
    """The chain makes no block for a while."""
    world.halt_seconds = (30, 130, 900, 7_200)[a % 4]


def lift(world: World) -> None:
    """End everything that is out of order."""
    node = world.chain.faults
    node.lag = node.grpc_lag = node.rpc_lag = node.shown_height = 0
    node.catching_up, node.shown_chain_id, node.gates, node.price_factor = False, "", None, 1
    world.clock_ahead = world.down_blocks = world.halt_seconds = world.reversed_blocks = 0
    world.faults.lift()
    world.link.shows_closed_leases = world.link.shows_no_funds = False
    world.witness.lag = 0
    for each in world.adapters.values():
        each.recover()


def is_well(world: World) -> bool:
    """Whether nothing is out of order."""
    node = world.chain.faults
    late = node.lag or node.grpc_lag or node.rpc_lag or world.witness.lag
    false = (
        node.shown_height or node.catching_up or node.shown_chain_id or node.gates or node.price_factor != 1
    )
    false = false or world.link.shows_closed_leases or world.link.shows_no_funds
    false = false or not world.has_its_adapter_files
    lost = any(each.lost for each in world.adapters.values())
    return not (late or false or lost or world.clock_ahead or world.down_blocks) and world.faults.is_quiet


def _duration(b: int) -> int:
    return DURATIONS[b % len(DURATIONS)]


def _for_a_while(world: World, b: int, begin: Callable[[], None], end: Callable[[], None]) -> None:
    begin()
    world.after_seconds(_duration(b), end)


def _show_closed_leases(world: World, shows: bool) -> None:
    world.link.shows_closed_leases = shows


def _set(world: World, name: str, value: object) -> None:
    setattr(world.chain.faults, name, value)


def _disarm(world: World, armed: Armed) -> None:
    if armed in world.faults.armed:
        world.faults.armed.remove(armed)


DISORDER: dict[str, Act] = {
    act.__name__: act
    for act in (
        *(arm, outage, kill, gap, journal_lost, journal_restored, lag, catch_up, lie, other_chain, gates),
        *(clock, lose_machine, delete, tamper, reorder, resend, deposit_parameter, take_rate, gas_price),
        *(silence, stop_blocks, false_leases, false_funds, witness_lag),
    )
}

"""`doctor`, checks of the chain: node, provider record, balance, clock."""

from __future__ import annotations

import time
from collections.abc import Iterator

from reconciler.chain.client import ChainClient, ClientOptions
from reconciler.chain.heights import NEAR_BLOCKS, HeightBounds, seen_height
from reconciler.chain.keys import PrivateKey
from reconciler.chain.node_address import ChainSettings
from reconciler.chain.node_errors import NodeError
from reconciler.chain.rpc import NodeStatus
from reconciler.chain.witness import witness_at
from reconciler.cli.doctor.checks import CheckResult, ok, warn, wrong
from reconciler.cli.doctor.gateway import check_host_uri
from reconciler.journal.errors import JournalError
from reconciler.journal.opening import open_records
from reconciler.planning.money.day_totals import LOW_SECONDS, balance_seconds_left, is_balance_falling
from reconciler.settings import Settings
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory, WalletLedger
from reconciler.values.observed import Market
from reconciler.values.readings import Unseen
from reconciler.values.times import format_duration

STALE_SECONDS = 120
FORGET = "if another node agrees with it, run `provider-daemon forget-height`"


def check_chain(settings: Settings, key: PrivateKey | CheckResult) -> Iterator[CheckResult]:
    """Checks of the node; with the key also of provider and balance."""
    asked = settings.chain
    try:
        status = asked.node.rpc_client().status()
    except NodeError as error:
        yield wrong("chain", str(error), "check that the node runs, and chain.rpc in the host file")
        return
    bad = [*_node(settings, status), *_heights(settings, status)]
    yield from bad or [ok("chain", f"{asked.rpc} is on {status.chain_id} at height {status.height}")]
    yield from _witness(asked)
    yield _clock(settings, status)
    if bad or isinstance(key, CheckResult):
        return
    client = ChainClient(
        asked.node.grpc_node(),
        asked.node.rpc_client(),
        key,
        ClientOptions(asked.chain_id, stale_seconds=None),
    )
    try:
        reading = client.observe((), ())
    finally:
        client.close()
    if isinstance(reading, Unseen):
        yield wrong("grpc", reading.why, "check that the node serves gRPC, and chain.grpc in the host file")
        return
    yield _grpc(settings, reading.view)
    yield from _ours(settings, reading.view)


def _node(settings: Settings, status: NodeStatus) -> Iterator[CheckResult]:
    asked = settings.chain
    if status.chain_id != asked.chain_id:
        why = f"{asked.rpc} is on chain {status.chain_id}, not {asked.chain_id}"
        yield wrong("chain", why, "correct chain.chain_id, or name a node of that chain")
    if status.catching_up:
        yield wrong(
            "chain", f"{asked.rpc} is syncing, at height {status.height}", "wait, or configure another node"
        )
    age = time.time() - status.time
    if age > STALE_SECONDS:
        why = f"{asked.rpc} has made no block for {age:.0f} s, since height {status.height}"
        yield wrong("chain", why, "check another node: either the chain has halted or this node lags")
    if not status.indexing:
        why = f"{asked.rpc} has no transaction index: after a crash, old transactions stay unknown"
        yield warn("chain", why, 'set indexer = "kv" in the node\'s config.toml')


def _heights(settings: Settings, status: NodeStatus) -> Iterator[CheckResult]:
    """Compares the node's height with that of the journal."""
    memory = _memory(settings)
    if memory is None:
        return
    where, now = settings.chain.rpc, time.time()
    remembered = seen_height(memory)
    if (why := HeightBounds(remembered).check(status, now)) is not None:
        yield wrong("height", f"{where} {why}", "compare it with another node")
    elif remembered is not None and remembered.height > status.height + NEAR_BLOCKS:
        why = f"the journal remembers height {remembered.height}, and {where} is at {status.height}"
        yield wrong("height", f"{why} with a later block: one of the two is false", FORGET)


def _memory(settings: Settings) -> Memory | None:
    """The journal's memory; None without a journal."""
    try:
        records = open_records(settings.state)
    except JournalError:
        return None
    try:
        return records.memory()
    finally:
        records.close()


def _witness(asked: ChainSettings) -> Iterator[CheckResult]:
    """Whether the second node, if configured, can confirm closings."""
    if asked.witness is None:
        return
    witness = witness_at(asked.witness, asked.chain_id)
    why = witness.trouble()
    witness.close()
    if why:
        yield wrong(
            "witness", f"{why}; no workload is removed meanwhile", "check chain.witness in the host file"
        )
    else:
        yield ok("witness", f"{asked.witness.grpc} confirms closings")


def _grpc(settings: Settings, market: Market) -> CheckResult:
    asked = settings.chain
    shows = f"{asked.grpc} shows {len(market.orders)} open orders"
    if not market.lag_blocks:
        return ok("grpc", shows)
    why = f"{shows}, {market.lag_blocks} blocks behind {asked.rpc}: bids come that much later"
    return warn("grpc", why, "name the gRPC and RPC addresses of one node, or wait until it has caught up")


def _clock(settings: Settings, status: NodeStatus) -> CheckResult:
    skew, allowed = time.time() - status.time, settings.limits.clock_skew_seconds
    if abs(skew) <= allowed:
        return ok("clock", f"{skew:+.1f} s from the last block's time; {allowed} s are allowed")
    word = "ahead of" if skew > 0 else "behind"
    why = f"this clock is {abs(skew):.0f} s {word} the last block's time; {allowed} s are allowed"
    advice = "check timedatectl; if the clock is right, the chain has halted or the node lags"
    return wrong("clock", why, advice)


def _ours(settings: Settings, market: Market) -> Iterator[CheckResult]:
    wallet = market.wallet
    if market.provider is None:
        why = f"{wallet.address} is not a provider on {market.chain_id}: its bids are rejected"
        yield wrong(
            "provider",
            why,
            "request a record in the chain's genesis, or use the key of a registered account",
        )
    else:
        yield ok("provider", f"{wallet.address} is registered")
    if (payout := settings.limits.payout) and payout.address == wallet.address:
        yield wrong("payout", f"{wallet.address} would pay itself", "name another account in payout.address")
    yield from check_host_uri(settings.gateway, market.provider)
    memory = _memory(settings)
    yield _balance(settings.limits, market, memory.ledger if memory else None)


def _balance(limits: Limits, market: Market, ledger: WalletLedger | None) -> CheckResult:
    """Whether the account can pay a bid, and how long it lasts."""
    wallet, reserve = market.wallet, limits.balance_reserve
    need = reserve + market.rules.bid_deposit
    held = f"{wallet.address} holds {wallet.balance}uve"
    if wallet.balance < need:
        why = f"{held}; a bid's deposit of {market.rules.bid_deposit}uve beyond the reserve of "
        why = f"{why}{reserve}uve needs {need}uve".replace("; ", ", and ")
        return wrong("balance", why, f"send it {need - wallet.balance}uve, or lower limits.balance_reserve")
    left = balance_seconds_left(ledger, reserve, market.time)
    if left is None:
        falls = is_balance_falling(ledger, market.time)
        unknown = "; how long it lasts is not known before the daemon has run" if falls is None else ""
        return ok("balance", f"{held}{unknown}")
    held = f"{held}, which lasts {format_duration(left)} at the rate of the last 24 hours"
    return warn("balance", held, "send uve to it") if left < max(LOW_SECONDS) else ok("balance", held)

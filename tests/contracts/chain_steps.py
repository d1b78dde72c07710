"""What every test of the chain client does: look, bid, wait for the block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from reconciler.chain.client import ChainClient
from reconciler.values.ids import LeaseId, OrderId
from reconciler.values.intents import Intent, Prepared
from reconciler.values.messages import CreateBid
from reconciler.values.messages import Message as Ours
from reconciler.values.observed import Lease, Market
from reconciler.values.outcomes import Done, Failed
from reconciler.values.readings import Seen, Unseen
from tests.contracts.chain_backends import ChainWorld, fee_terms


def seen(client: ChainClient, hashes: Sequence[str] = (), known: Sequence[LeaseId] = ()) -> Market:
    """A look that must succeed."""
    reading = client.observe(hashes, known)
    assert isinstance(reading, Seen), reading
    return reading.view


def told(view: Market) -> Market:
    """A view without what only its reader's own history tells."""
    leases = {each: replace(lease, closed_reason="") for each, lease in view.leases.items()}
    return replace(view, leases=leases, tx_results={}, transfers=(), signed=(), block_seconds=Decimal(1))


def prepared(client: ChainClient, *messages: Ours) -> Prepared:
    """A preparation that must lead to a transaction, or to dropped messages."""
    made = client.prepare(messages, fee_terms(len(messages)))
    assert isinstance(made, Prepared), made
    return made


def landed(world: ChainWorld, client: ChainClient, *messages: Ours) -> tuple[Intent, Market]:
    """Our messages, all of them, in a block; and the view after it."""
    seen(client)
    made = prepared(client, *messages)
    assert made.dropped == ()
    assert made.intent is not None
    assert client.broadcast(made.intent) == Done()
    for _ in range(10):
        world.advance()
        view = seen(client, [made.intent.hash])
        if made.intent.hash in view.tx_results:
            assert view.tx_results[made.intent.hash].code == 0, view.tx_results
            return made.intent, view
    raise AssertionError("ten blocks without the transaction")


def offer(view: Market, order: OrderId, price: int = 2_446) -> CreateBid:
    """Our bid on an order that the view shows."""
    bid = LeaseId(order, view.wallet.address)
    return CreateBid(bid, Decimal(price), view.rules.bid_deposit, view.orders[order].units)


def lease_of(world: ChainWorld, client: ChainClient, *, usage: bool = False) -> Lease:
    """A lease of ours with the first tenant."""
    order = world.order(world.tenants[0], usage=usage)
    message = offer(seen(client), order)
    landed(world, client, message)
    world.accept(world.tenants[0], message.id)
    return seen(client).leases[message.id]


def unseen(client: ChainClient) -> str:
    """Why a look shows nothing, as it must."""
    reading = client.observe([], [])
    assert isinstance(reading, Unseen), reading
    return reading.why


def failed(outcome: object) -> Failed:
    """An outcome that must be a failure."""
    assert isinstance(outcome, Failed), outcome
    return outcome

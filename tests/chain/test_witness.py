"""What one node shows as ended counts when the second one shows it too; silence confirms nothing."""

from __future__ import annotations

import pytest

from reconciler.chain import witness as module
from reconciler.chain.client import ChainClient
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.node_address import NodeAddress
from reconciler.chain.rpc import Rpc
from reconciler.chain.witness import RETRY_SECONDS, Witness, WitnessRules, witness_at
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.values.ids import OrderId
from reconciler.values.observed import OrderSettlement, State, WitnessView
from reconciler.values.readings import Seen
from reconciler.values.subjects import PROVIDER, Subject
from tests.chain.counting import counted
from tests.contracts.chain_backends import ChainWorld, simulated
from tests.contracts.chain_steps import lease_of, seen


def chain_of(world: ChainWorld) -> SimulatedChain:
    assert world.simulated is not None
    return world.simulated


class Clock:
    """A clock that the test moves."""

    def __init__(self, world: ChainWorld) -> None:
        self.world, self.more = world, 0.0

    def __call__(self) -> float:
        return chain_of(self.world).time.timestamp() + self.more


def witness_on(world: ChainWorld, grpc: str = "", rpc: str = "") -> tuple[Witness, Clock]:
    clock = Clock(world)
    node = GrpcNode(grpc or world.node.target, timeout_seconds=1)
    return Witness(node, Rpc(rpc or world.rpc.url, 1), WitnessRules(world.chain_id, clock)), clock


def client_with(world: ChainWorld, witness: Witness) -> ChainClient:
    return world.client(witness=witness)


def test_a_lease_that_the_witness_does_not_confirm_as_closed_stays_in_view(
    world: ChainWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that nothing refers to yet, as it was never seen active: its machines are not free."""
    witness, _ = witness_on(world)
    client = client_with(world, witness)
    lease = lease_of(world, client)
    monkeypatch.setattr(witness, "unconfirmed", lambda ended: dict.fromkeys(ended, "active"))
    world.close_lease(world.tenants[0], lease.id)
    for _ in range(2):
        world.advance()
        assert seen(client).unconfirmed.keys() == {lease.id}
    monkeypatch.undo()
    assert seen(client).unconfirmed == {}
    world.advance()
    assert lease.id not in seen(client).leases


def test_a_lease_closed_on_both_nodes_is_confirmed_with_one_query(world: ChainWorld) -> None:
    witness, _ = witness_on(world)
    client = client_with(world, witness)
    lease = lease_of(world, client)
    with counted() as counts:
        assert seen(client, known=[lease.id]).unconfirmed == {}
    assert counts["status"] == 1
    world.close_lease(world.tenants[0], lease.id)
    view = seen(client, known=[lease.id])
    assert view.leases[lease.id].state is State.CLOSED
    assert view.unconfirmed == {}
    world.advance()
    with counted() as counts:
        seen(client, known=[lease.id])
    assert counts["/virtengine.market.v1beta5.Query/Lease"] == 0


def test_a_lease_that_the_witness_shows_active_is_not_confirmed(world: ChainWorld) -> None:
    lease = lease_of(world, world.client())
    witness, _ = witness_on(world)
    why = witness.unconfirmed([lease.id])
    assert why == {lease.id: f"the witness {world.node.target} reports it as active"}
    world.close_lease(world.tenants[0], lease.id)
    assert witness.unconfirmed([lease.id]) == {}


def test_a_lease_unknown_to_the_witness_is_not_confirmed(world: ChainWorld) -> None:
    lease = lease_of(world, world.client())
    with simulated() as other:
        witness, _ = witness_on(other)
        assert "does not have this lease" in witness.unconfirmed([lease.id])[lease.id]


@pytest.mark.parametrize(("grpc", "rpc"), [("127.0.0.1:1", ""), ("", "http://127.0.0.1:1")])
def test_an_unreachable_witness_confirms_nothing_and_backs_off(
    world: ChainWorld, grpc: str, rpc: str
) -> None:
    lease = lease_of(world, world.client())
    world.close_lease(world.tenants[0], lease.id)
    witness, clock = witness_on(world, grpc, rpc)
    assert "the witness cannot confirm it" in witness.unconfirmed([lease.id])[lease.id]
    assert "does not answer" in witness.trouble()
    with counted() as counts:
        assert "the witness cannot confirm it" in witness.unconfirmed([lease.id])[lease.id]
    assert not counts
    clock.more = RETRY_SECONDS + 1
    with counted() as counts:
        witness.unconfirmed([lease.id])
    assert counts["status"] == 1


def test_a_witness_on_another_chain_or_behind_confirms_nothing(world: ChainWorld) -> None:
    lease = lease_of(world, world.client())
    world.close_lease(world.tenants[0], lease.id)
    faults = chain_of(world).faults
    for name, value, words in (
        ("shown_chain_id", "other-1", "is on chain other-1"),
        ("catching_up", True, "not up to date"),
    ):
        witness, _ = witness_on(world)
        setattr(faults, name, value)
        assert words in witness.unconfirmed([lease.id])[lease.id]
        setattr(faults, name, type(value)())
    witness, clock = witness_on(world)
    clock.more = 200
    assert "not up to date" in witness.unconfirmed([lease.id])[lease.id]
    clock.more = 0
    assert witness.trouble() == ""


def test_many_leases_are_queried_over_several_views(
    world: ChainWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEASES_MAX", 1)
    client = world.client()
    leases = sorted(lease_of(world, client).id for _ in range(2))
    for each in leases:
        world.close_lease(world.tenants[0], each)
    witness, _ = witness_on(world)
    assert list(witness.unconfirmed(leases)) == leases[1:]
    assert witness.unconfirmed(leases) == {}


def test_the_view_has_the_unconfirmed_closings(world: ChainWorld) -> None:
    lease = lease_of(world, world.client())
    address = NodeAddress("127.0.0.1:1", "http://127.0.0.1:1")
    client = client_with(world, witness_at(address, world.chain_id))
    world.close_lease(world.tenants[0], lease.id)
    view = seen(client, known=[lease.id])
    assert view.leases[lease.id].state is State.CLOSED
    assert "cannot confirm" in view.unconfirmed[lease.id]


def test_the_witness_shows_the_objects_that_a_plan_names_each_asked_once_a_minute(
    world: ChainWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few a cycle; the others follow, and an answer is used again for a minute."""
    monkeypatch.setattr(module, "OBJECTS_MAX", 2)
    client = world.client()
    lease = lease_of(world, client)
    market = seen(client, known=[lease.id])
    witness, clock = witness_on(world)
    order = Subject.of_order(lease.id.order)
    deployment = Subject.of_deployment(lease.id.deployment)
    wanted = {order, deployment, Subject.of_lease(lease.id), PROVIDER}
    first = witness.view(wanted, market.wallet.address)
    assert (len(first.shown), first.why) == (2, module.LATER)
    view = witness.view(wanted, market.wallet.address)
    assert view.shown == {
        order: OrderSettlement(None),
        deployment: market.accounts[lease.id.deployment],
        Subject.of_lease(lease.id): market.leases[lease.id],
        PROVIDER: market.wallet,
    }
    with counted() as counts:
        assert witness.view(wanted, market.wallet.address) == view
    assert not counts
    clock.more = module.ANSWER_SECONDS
    assert len(witness.view(wanted, market.wallet.address).shown) == 2
    with pytest.raises(ValueError, match="nothing to confirm"):
        witness._read(Subject.of_file("config.yaml"), "")


def test_each_object_has_its_turn_where_answers_expire_before_all_are_asked(
    world: ChainWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "OBJECTS_MAX", 1)
    witness, clock = witness_on(world)
    monkeypatch.setattr(witness, "_check", lambda _: None)
    monkeypatch.setattr(witness, "_read", lambda *_: None)
    wanted = {Subject.of_order(OrderId("ve1a", number, 1, 1)) for number in range(1, 5)}
    asked: set[Subject] = set()
    for _ in range(len(wanted)):
        asked |= witness.view(wanted, "").shown.keys()
        clock.more += module.ANSWER_SECONDS
    assert asked == wanted


def test_an_unreachable_witness_shows_nothing_and_says_why(world: ChainWorld) -> None:
    witness, _ = witness_on(world, "127.0.0.1:1")
    view = witness.view({PROVIDER}, "ve1us")
    assert not view.shown
    assert "the witness cannot confirm it" in view.why


def test_the_witness_is_asked_only_what_the_last_plan_named(world: ChainWorld) -> None:
    witness, _ = witness_on(world)
    client = client_with(world, witness)
    assert seen(client).witness == WitnessView(why=module.LATER)
    reading = client.observe((), (), frozenset({PROVIDER}))
    assert isinstance(reading, Seen)
    assert reading.view.witness is not None
    assert reading.view.witness.shown == {PROVIDER: reading.view.wallet}

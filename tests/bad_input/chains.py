"""A chain that is implausible, does not know us, or refuses: workloads are still repaired."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from reconciler.devnet.accounts import PROVIDER, genesis, key_of
from reconciler.devnet.chain.gates import WITHDRAWAL
from reconciler.devnet.chain.genesis import Gates
from reconciler.devnet.chain.serving import serve
from reconciler.devnet.trading import OrderRequest
from reconciler.values.ids import workload_id
from reconciler.values.plans import PrepareAdapter, Reason
from tests.bad_input.case import Run, Workspace
from tests.simulation.outside import Outside
from tests.simulation.scenario import OURS, WEB, lease
from tests.simulation.sim import Simulation, removals, started

LAG = 5
FAIR = OrderRequest(Decimal(4000))


def unseen(make: Callable[[Simulation], None], fix: Callable[[Simulation], None]) -> Run:
    """Meanwhile drift on the cluster is repaired; nothing is sent or removed."""

    def run(workspace: Workspace) -> str:
        with started(Outside.at(workspace.mid_run, workspace.path / "world")) as sim:
            sim.blocks(1)
            served = sim.outside.served
            assert served is not None
            workspace.values.update({"rpc": served.rpc_url, "grpc": served.grpc_target})
            sim.scenario.alice.close(WEB)
            sim.scenario.alice.order(FAIR)
            sim.outside.step()
            _scale_to_nothing(sim, WEB)
            before, seen = len(sim.sent()), sim.outside.height - 2
            make(sim)

            done = sim.blocks(2)

            [hold] = [each for each in sim.holds(Reason.CHAIN_UNSEEN) if each.subject.name == "chain"]
            workspace.values.update({"seen": seen, "height": sim.outside.height - 1 - LAG})
            assert [each.describe() for each in done] == [
                f"apply workload {workload_id(lease(WEB))} on kubernetes: changed by someone else"
            ]
            assert len(sim.sent()) == before
            assert len(sim.outside.cluster.objects("deployments")) == 2
            fix(sim)
            assert removals(sim.blocks(6))
            assert len(sim.sent()) > before
            return hold.message

    return run


def _scale_to_nothing(sim: Simulation, number: int) -> None:
    subject = workload_id(lease(number))
    [deployment] = [
        each for each in sim.outside.cluster.objects("deployments") if subject in each["metadata"]["name"]
    ]
    sim.outside.cluster.store.put(deployment | {"spec": deployment["spec"] | {"replicas": 0}})


def _lag(blocks: int) -> Callable[[Simulation], None]:
    return lambda sim: setattr(sim.outside.chain.faults, "lag", blocks)


def _show_id(chain_id: str) -> Callable[[Simulation], None]:
    return lambda sim: setattr(sim.outside.chain.faults, "shown_chain_id", chain_id)


def _stop(sim: Simulation) -> None:
    assert sim.outside.served is not None
    sim.outside.served.close()


def _start(sim: Simulation) -> None:
    served = sim.outside.served
    assert served is not None
    sim.outside.served = serve(sim.outside.chain, served.grpc.port, served.rpc.port)


def not_registered(workspace: Workspace) -> str:
    """The chain has no record of us; no transaction can create it (semantics 1.5)."""
    ours = key_of(PROVIDER).address
    beginning = genesis()
    others = tuple(each for each in beginning.providers if each.owner != ours)
    with started(Outside(workspace.path / "world", replace(beginning, providers=others)).begin()) as sim:
        sim.scenario.alice.order(FAIR)
        sim.outside.step()

        done = sim.blocks(3)

        assert [type(each) for each in done] == [PrepareAdapter]
        assert sim.sent() == []
        workspace.values["us"] = OURS
        [told] = {hold.message for hold in sim.holds(Reason.NOT_REGISTERED)}
        return told


def gated(workspace: Workspace) -> str:
    """The chain requires a second factor for withdrawals; all withdrawals of a block are due at once."""
    with started(Outside.at(workspace.mid_run, workspace.path / "world")) as sim:
        sim.blocks(1)
        ante = sim.outside.chain.executor.ante
        opened = ante.genesis
        ante.genesis = replace(opened, gates=Gates(identity=False, second_factor=frozenset({WITHDRAWAL})))
        for _ in range(6):
            sim.outside.step()
        since = sim.outside.height

        sim.blocks(5)

        kinds = {each.kind for each in sim.sent() if each.height > since}
        assert kinds >= {"MsgRecordUsage", "MsgSettleOrder"}
        assert "MsgWithdrawLease" not in kinds
        [hold] = [
            each for each in sim.holds(Reason.TRY_LATER) if each.subject.name == workload_id(lease(WEB))
        ]
        ante.genesis = opened
        sim.blocks(16)
        assert "MsgWithdrawLease" in {each.kind for each in sim.sent()}
        return hold.message


DOWN = unseen(_stop, _start)
BEHIND = unseen(_lag(LAG), _lag(0))
OTHER = unseen(_show_id("virtengine-other-1"), _show_id(""))

"""A chain that is implausible, does not know us, or refuses: workloads are still repaired."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from reconciler.devnet.accounts import PROVIDER, genesis, key_of
from reconciler.devnet.chain.gates import WITHDRAWAL
from reconciler.devnet.chain.genesis import Gates
from reconciler.devnet.chain.serving import serve
from reconciler.devnet.tenant import OrderRequest
from reconciler.values.ids import workload_id
from reconciler.values.plans import PrepareAdapter, Reason
from tests.bad_input.case import Run, Workspace
from tests.simulation.outside import Outside
from tests.simulation.playing import Play, played, removals
from tests.simulation.script import OURS, WEB, lease

LAG = 5
FAIR = OrderRequest(Decimal(4000))


def unseen(make: Callable[[Play], None], fix: Callable[[Play], None]) -> Run:
    """Meanwhile drift on the cluster is repaired; nothing is sent or removed."""

    def run(workspace: Workspace) -> str:
        with played(Outside.at(workspace.midway, workspace.path / "world")) as play:
            play.blocks(1)
            served = play.outside.served
            assert served is not None
            workspace.values.update({"rpc": served.rpc_url, "grpc": served.grpc_target})
            play.stage.alice.close(WEB)
            play.stage.alice.order(FAIR)
            play.outside.step()
            _scale_to_nothing(play, WEB)
            before, seen = len(play.sent()), play.outside.height - 2
            make(play)

            done = play.blocks(2)

            [hold] = [each for each in play.holds(Reason.CHAIN_UNSEEN) if each.subject.name == "chain"]
            workspace.values.update({"seen": seen, "height": play.outside.height - 1 - LAG})
            assert [each.show() for each in done] == [
                f"apply workload {workload_id(lease(WEB))} on kubernetes: somebody changed it"
            ]
            assert len(play.sent()) == before
            assert len(play.outside.cluster.objects("deployments")) == 2
            fix(play)
            assert removals(play.blocks(6))
            assert len(play.sent()) > before
            return hold.message

    return run


def _scale_to_nothing(play: Play, number: int) -> None:
    subject = workload_id(lease(number))
    [deployment] = [
        each for each in play.outside.cluster.objects("deployments") if subject in each["metadata"]["name"]
    ]
    play.outside.cluster.store.put(deployment | {"spec": deployment["spec"] | {"replicas": 0}})


def _lag(blocks: int) -> Callable[[Play], None]:
    return lambda play: setattr(play.outside.chain.faults, "lag", blocks)


def _show_id(chain_id: str) -> Callable[[Play], None]:
    return lambda play: setattr(play.outside.chain.faults, "shown_chain_id", chain_id)


def _stop(play: Play) -> None:
    assert play.outside.served is not None
    play.outside.served.close()


def _start(play: Play) -> None:
    served = play.outside.served
    assert served is not None
    play.outside.served = serve(play.outside.chain, served.grpc.port, served.rpc.port)


def not_registered(workspace: Workspace) -> str:
    """The chain has no record of us; no transaction can create it (semantics 1.5)."""
    ours = key_of(PROVIDER).address
    beginning = genesis()
    others = tuple(each for each in beginning.providers if each.owner != ours)
    with played(Outside(workspace.path / "world", replace(beginning, providers=others)).begin()) as play:
        play.stage.alice.order(FAIR)
        play.outside.step()

        done = play.blocks(3)

        assert [type(each) for each in done] == [PrepareAdapter]
        assert play.sent() == []
        workspace.values["us"] = OURS
        [told] = {hold.message for hold in play.holds(Reason.NOT_REGISTERED)}
        return told


def gated(workspace: Workspace) -> str:
    """The chain requires a second factor for withdrawals; all withdrawals of a block are due at once."""
    with played(Outside.at(workspace.midway, workspace.path / "world")) as play:
        play.blocks(1)
        ante = play.outside.chain.executor.ante
        opened = ante.genesis
        ante.genesis = replace(opened, gates=Gates(identity=False, second_factor=frozenset({WITHDRAWAL})))
        for _ in range(6):
            play.outside.step()
        since = play.outside.height

        play.blocks(5)

        kinds = {each.kind for each in play.sent() if each.height > since}
        assert kinds >= {"MsgRecordUsage", "MsgSettleOrder"}
        assert "MsgWithdrawLease" not in kinds
        [hold] = [
            each for each in play.holds(Reason.TRY_LATER) if each.subject.name == workload_id(lease(WEB))
        ]
        ante.genesis = opened
        play.blocks(16)
        assert "MsgWithdrawLease" in {each.kind for each in play.sent()}
        return hold.message


DOWN = unseen(_stop, _start)
BEHIND = unseen(_lag(LAG), _lag(0))
OTHER = unseen(_show_id("virtengine-other-1"), _show_id(""))

"""A world without changes, one without spending, one with two daemons."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.devnet.trading import OrderRequest
from reconciler.journal.errors import JournalLockedError
from reconciler.settings import Flags, Settings, load_settings
from reconciler.values.limits import Limits
from reconciler.values.plans import Reason
from tests.simulation.daemon import Daemon
from tests.simulation.outside import Outside, WorldState
from tests.simulation.sim import Simulation, calm, started

HOST = """\
repository: {{url: {world}/desired.git}}
chain: {{grpc: "127.0.0.1:1", rpc: "http://127.0.0.1:1", chain_id: virtengine-devnet-1}}
state: {world}/state
"""


def test_without_changes_there_is_no_commit_and_no_transaction(sim: Simulation) -> None:
    calm(sim)
    sim.blocks(25)
    before = sim.outside.commits.tips(), len(sim.sent()), sim.outside.object_counts

    done = sim.blocks(30)

    assert done == []
    assert (sim.outside.commits.tips(), len(sim.sent()), sim.outside.object_counts) == before
    assert not sim.outside.chain.mempool.waiting


def test_without_changes_the_provider_still_earns(sim: Simulation) -> None:
    calm(sim)
    sim.blocks(25)
    before = sim.last.snapshot.money.accrued_uve

    sim.blocks(10)

    assert sim.last.snapshot.money.accrued_uve > before


def test_a_restart_without_changes_does_nothing(sim: Simulation) -> None:
    calm(sim)
    sim.blocks(25)
    before = _tips(sim), len(sim.sent()), sim.outside.object_counts
    sim.daemon.drop()
    sim.daemon = Daemon(sim.outside, limits=Limits)

    assert sim.blocks(10) == []

    assert (_tips(sim), len(sim.sent()), sim.outside.object_counts) == before


def _tips(sim: Simulation) -> dict[str, str]:
    """The branches but that of the snapshot: a daemon that starts does not know how old the one there is, and
    replaces it.
    """
    return {name: tip for name, tip in sim.outside.commits.tips().items() if "/snapshot/" not in name}


def test_the_stop_file_stops_spending_within_one_cycle(mid_run: WorldState, tmp_path: Path) -> None:
    world = tmp_path / "world"
    outside = Outside.at(mid_run, world)
    settings = _settings(tmp_path, world)
    with started(outside, settings.limits_now) as sim:
        settings.stop_file.touch()
        sim.scenario.alice.order(OrderRequest(Decimal(4000)))
        outside.step()
        before = len(sim.sent())

        sim.blocks(12)

        assert len(sim.sent()) == before
        assert sim.holds(Reason.SPENDING_STOPPED)
        assert sim.last.snapshot.spending_stopped

        settings.stop_file.unlink()
        sim.blocks(3)
        assert len(sim.sent()) > before


def test_a_second_daemon_is_refused_with_the_holder_of_the_state_directory(sim: Simulation) -> None:
    with pytest.raises(JournalLockedError, match=rf"another daemon is using .*state \(pid {os.getpid()} on "):
        Daemon(sim.outside)

    assert sim.blocks(1) is not None
    assert not sim.holds(Reason.CHAIN_UNSEEN, Reason.JOURNAL_NEW)


def _settings(directory: Path, world: Path) -> Settings:
    host = directory / "host.yaml"
    host.write_text(HOST.format(world=world))
    return load_settings(Flags(host), {})

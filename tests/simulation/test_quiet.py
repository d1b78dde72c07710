"""A world in which nothing happens, one in which nothing may be spent, one with two daemons."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.devnet.tenant import OrderRequest
from reconciler.journal.faults import JournalLocked
from reconciler.settings import Flags, Settings, load_settings
from reconciler.values.plans import Reason
from tests.simulation.daemon import Daemon
from tests.simulation.outside import Moment, Outside
from tests.simulation.playing import Play, calm, played

HOST = """\
repository: {{url: {world}/desired.git}}
chain: {{grpc: "127.0.0.1:1", rpc: "http://127.0.0.1:1", chain_id: virtengine-devnet-1}}
state: {world}/state
"""


def test_a_quiet_world_makes_no_commit_and_no_transaction(play: Play) -> None:
    calm(play)
    play.blocks(25)
    before = play.outside.commits.tips(), len(play.sent()), play.outside.diary

    done = play.blocks(30)

    assert done == []
    assert (play.outside.commits.tips(), len(play.sent()), play.outside.diary) == before
    assert not play.outside.chain.mempool.waiting


def test_a_quiet_world_earns_all_the_same(play: Play) -> None:
    calm(play)
    play.blocks(25)
    before = play.last.snapshot.money.accrued_uve

    play.blocks(10)

    assert play.last.snapshot.money.accrued_uve > before


def test_a_restart_in_a_quiet_world_does_nothing_either(play: Play) -> None:
    calm(play)
    play.blocks(25)
    before = _tips(play), len(play.sent()), play.outside.diary
    play.daemon.drop()
    play.daemon = Daemon(play.outside)

    assert play.blocks(10) == []

    assert (_tips(play), len(play.sent()), play.outside.diary) == before


def _tips(play: Play) -> dict[str, str]:
    """The branches but that of the snapshot: a daemon that starts does not know how old the one there is, and
    replaces it.
    """
    return {name: tip for name, tip in play.outside.commits.tips().items() if "/snapshot/" not in name}


def test_the_stop_file_stops_spending_within_one_cycle(midway: Moment, tmp_path: Path) -> None:
    world = tmp_path / "world"
    outside = Outside.at(midway, world)
    settings = _settings(tmp_path, world)
    with played(outside, settings.limits_now) as play:
        settings.stop_file.touch()
        play.stage.alice.order(OrderRequest(Decimal(4000)))
        outside.step()
        before = len(play.sent())

        play.blocks(12)

        assert len(play.sent()) == before
        assert play.holds(Reason.SPENDING_STOPPED)
        assert play.last.snapshot.spending_stopped

        settings.stop_file.unlink()
        play.blocks(3)
        assert len(play.sent()) > before


def test_a_second_daemon_is_told_who_holds_the_state_directory(play: Play) -> None:
    with pytest.raises(JournalLocked, match=rf"another daemon is using .*state \(pid {os.getpid()} on "):
        Daemon(play.outside)

    assert play.blocks(1) is not None
    assert not play.holds(Reason.CHAIN_UNSEEN, Reason.JOURNAL_NEW)


def _settings(directory: Path, world: Path) -> Settings:
    host = directory / "host.yaml"
    host.write_text(HOST.format(world=world))
    return load_settings(Flags(host), {})

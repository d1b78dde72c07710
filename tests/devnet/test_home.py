"""The directory of a devnet: its facts, its lock, its ports."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.devnet.errors import DevnetError
from reconciler.devnet.home import BlockPace, DevnetPorts, Facts, Home, ReservedPorts
from reconciler.runtime.connections import listening_sockets


def test_written_facts_are_read_again(tmp_path: Path) -> None:
    facts = Facts(DevnetPorts(1, 2, 3, 4, 5), BlockPace(0.5, 7), "/k", 42, this_machine=True)
    Home(tmp_path).write_facts(facts)
    assert Home(tmp_path).facts() == facts


def test_a_new_directory_has_the_initial_facts(tmp_path: Path) -> None:
    assert Home(tmp_path).facts() == Facts(DevnetPorts(), BlockPace(1.0, 40), "", 0)


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "devnet.json").write_text('{"a": 1}')
    with pytest.raises(
        DevnetError, match=r"devnet\.json was not written by a devnet .* choose another --home"
    ):
        Home(tmp_path).facts()


def test_a_devnet_runs_while_its_process_does(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with pytest.raises(DevnetError, match="no devnet runs in"):
        home.running()
    home.write_facts(Facts(pid=os.getpid()))
    assert home.running().pid == os.getpid()


def test_a_second_devnet_is_refused_with_the_process_of_the_first(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.write_facts(Facts(pid=4711))
    with home.locked(), pytest.raises(DevnetError, match="process 4711"), home.locked():
        pass
    with home.locked():
        pass


def test_reserved_ports_are_the_wanted_ones_unless_taken() -> None:
    reserved = ReservedPorts(DevnetPorts())
    first = reserved.ports
    assert len({first.grpc, first.rpc, first.cluster, first.api, first.metrics}) == 5
    reserved.release()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first.rpc))
        taken.listen()
        again = ReservedPorts(first)
    assert again.ports == replace(first, rpc=again.ports.rpc)
    assert again.ports.rpc != first.rpc
    again.release()


def test_a_reserved_port_is_free_for_the_program_it_is_meant_for() -> None:
    reserved = ReservedPorts(DevnetPorts())
    for _ in range(2):
        (server,) = listening_sockets("127.0.0.1", reserved.ports.api)
        server.close()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", reserved.ports.api))
    reserved.release()

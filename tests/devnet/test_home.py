import os
import socket
from pathlib import Path

import pytest

from reconciler.devnet.faults import DevnetError
from reconciler.devnet.home import BlockPace, DevnetPorts, Facts, Home, free_ports


def test_facts_come_back_as_they_were_written(tmp_path: Path) -> None:
    facts = Facts(DevnetPorts(1, 2, 3, 4, 5), BlockPace(0.5, 7), "/k", 42, this_machine=True)
    Home(tmp_path).write_facts(facts)
    assert Home(tmp_path).facts() == facts


def test_a_new_place_has_the_beginnings_facts(tmp_path: Path) -> None:
    assert Home(tmp_path).facts() == Facts(DevnetPorts(), BlockPace(1.0, 40), "", 0)


def test_somebody_elses_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "devnet.json").write_text('{"a": 1}')
    with pytest.raises(DevnetError, match=r"devnet\.json is not a devnet's .* name another --home"):
        Home(tmp_path).facts()


def test_only_a_process_that_lives_counts_as_running(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with pytest.raises(DevnetError, match="no devnet runs in"):
        home.running()
    home.write_facts(Facts(pid=os.getpid()))
    assert home.running().pid == os.getpid()


def test_a_second_devnet_is_told_who_is_there(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.write_facts(Facts(pid=4711))
    with home.locked(), pytest.raises(DevnetError, match="process 4711"), home.locked():
        pass
    with home.locked():
        pass


def test_free_ports_are_kept_and_taken_ones_replaced() -> None:
    first = free_ports(DevnetPorts())
    assert len({first.grpc, first.rpc, first.cluster, first.api, first.metrics}) == 5
    assert free_ports(first) == first
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first.rpc))
        taken.listen()
        again = free_ports(first)
    assert again.rpc != first.rpc
    assert again.grpc == first.grpc

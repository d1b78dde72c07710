"""Every recording of the real command line client, against the simulated chain in the recorded state."""

import json
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from reconciler.cli.lazy import USAGE_ERROR
from reconciler.cli.main import run_command
from reconciler.cli.virtengine.main import virtengine
from tests.cli.recorded_state import VECTORS, World, recorded_world

CLI = VECTORS / "cli"
KEYRINGS = VECTORS / "keyrings"
REFUSED = {
    "07.txt": 0,
    "08.txt": 0,
    "09.txt": 0,
    "12.txt": USAGE_ERROR,  # its `x` is no account's id, whoever is asked
    "16.txt": 0,
    "17.txt": 0,
    "18.txt": 1,
}
"""What the real client refuses, and the code with which ours ends: the sheet's flags are answered."""

NODES_OWN = "20.txt"
"""`status`: who the node is, its hashes and its clock are its own."""

SAME = sorted({path.name for path in CLI.glob("*.txt")} - {*REFUSED, NODES_OWN})


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = recorded_world()
    yield made
    made.close()


def recorded(name: str) -> tuple[list[str], str, int]:
    """The recorded command's arguments, what it printed, its exit code."""
    command, *printed, code = (CLI / name).read_text().splitlines(keepends=True)
    return shlex.split(command)[2:], "".join(printed), int(code.split()[1])


def placed(arguments: list[str], node: list[str]) -> list[str]:
    """The same command, told where the node and the keyring are."""
    return [*arguments, *(["--keyring-dir", str(KEYRINGS)] if arguments[0] == "keys" else node)]


def shape(value: Any) -> Any:
    """Names and their order, and the kinds of values."""
    if isinstance(value, dict):
        return [(key, shape(each)) for key, each in value.items()]
    return type(value).__name__


def test_every_recording_is_looked_at() -> None:
    assert len(SAME) == 13
    assert len([*SAME, *REFUSED, NODES_OWN]) == len(list(CLI.glob("*.txt")))


@pytest.mark.parametrize("way", ["gRPC", "RPC"])
@pytest.mark.parametrize("name", SAME)
def test_the_same_state_prints_the_same(
    world: World, capsys: pytest.CaptureFixture[str], name: str, way: str
) -> None:
    arguments, told, code = recorded(name)
    node = world.by_grpc if way == "gRPC" else world.by_rpc
    assert run_command(virtengine, placed(arguments, node)) == code == 0
    printed = capsys.readouterr().out
    if "json" in arguments:
        assert json.loads(printed) == json.loads(told)
    elif "-a" not in arguments:
        assert yaml.safe_load(printed) == yaml.safe_load(told)
    assert printed == told  # to the letter: order, quotes and line ends too


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_the_real_client_refuses(world: World, capsys: pytest.CaptureFixture[str], name: str) -> None:
    arguments, told, code = recorded(name)
    assert code == 1
    assert told.startswith("Error: ")
    assert run_command(virtengine, placed(arguments, world.by_grpc)) == REFUSED[name]
    printed = capsys.readouterr()
    assert bool(printed.out) == (REFUSED[name] == 0)
    assert "Traceback" not in printed.err


@pytest.mark.parametrize(("sheet", "real"), [("07.txt", "01.txt"), ("08.txt", "03.txt")])
def test_the_sheets_market_commands_print_what_the_real_names_print(
    world: World, capsys: pytest.CaptureFixture[str], sheet: str, real: str
) -> None:
    arguments, _, _ = recorded(sheet)
    assert run_command(virtengine, [*arguments, *world.by_grpc]) == 0
    assert capsys.readouterr().out == recorded(real)[1]


def test_status_is_the_nodes_own_line(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, told, _ = recorded(NODES_OWN)
    assert run_command(virtengine, placed(arguments, world.by_rpc)) == 0
    printed = capsys.readouterr().out
    ours, theirs = json.loads(printed), json.loads(told)
    assert shape(ours) == shape(theirs)
    for part, name in (("node_info", "network"), ("sync_info", "latest_block_height")):
        assert ours[part][name] == theirs[part][name]
    assert printed == json.dumps(ours, separators=(",", ":")) + "\n"

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
    "12.txt": USAGE_ERROR,  # `x` is not an account's id
    "16.txt": 0,
    "17.txt": 0,
    "18.txt": 1,
}
"""Recordings that the real client refuses, with our exit code: we accept the cheat sheet's flags."""

NODE_STATUS = "20.txt"
"""`status`: identity, hashes and clock differ from node to node."""

IDENTICAL = sorted({path.name for path in CLI.glob("*.txt")} - {*REFUSED, NODE_STATUS})


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = recorded_world()
    yield made
    made.close()


def recorded(name: str) -> tuple[list[str], str, int]:
    """The recorded command's arguments, what it printed, its exit code."""
    command, *printed, code = (CLI / name).read_text().splitlines(keepends=True)
    return shlex.split(command)[2:], "".join(printed), int(code.split()[1])


def with_target(arguments: list[str], node: list[str]) -> list[str]:
    """The command with the flags of the node or the keyring."""
    return [*arguments, *(["--keyring-dir", str(KEYRINGS)] if arguments[0] == "keys" else node)]


def shape(value: Any) -> Any:
    """Names, their order, and the types of the values."""
    if isinstance(value, dict):
        return [(key, shape(each)) for key, each in value.items()]
    return type(value).__name__


def test_every_recording_is_tested() -> None:
    assert len(IDENTICAL) == 13
    assert len([*IDENTICAL, *REFUSED, NODE_STATUS]) == len(list(CLI.glob("*.txt")))


@pytest.mark.parametrize("way", ["gRPC", "RPC"])
@pytest.mark.parametrize("name", IDENTICAL)
def test_the_output_equals_the_recording(
    world: World, capsys: pytest.CaptureFixture[str], name: str, way: str
) -> None:
    arguments, expected, code = recorded(name)
    node = world.by_grpc if way == "gRPC" else world.by_rpc
    assert run_command(virtengine, with_target(arguments, node)) == code == 0
    printed = capsys.readouterr().out
    if "json" in arguments:
        assert json.loads(printed) == json.loads(expected)
    elif "-a" not in arguments:
        assert yaml.safe_load(printed) == yaml.safe_load(expected)
    assert printed == expected  # every byte: order, quotes and line ends


@pytest.mark.parametrize("name", list(REFUSED))
def test_the_commands_that_the_real_client_refuses(
    world: World, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    arguments, expected, code = recorded(name)
    assert code == 1
    assert expected.startswith("Error: ")
    assert run_command(virtengine, with_target(arguments, world.by_grpc)) == REFUSED[name]
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


def test_status_prints_the_nodes_own_answer(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, expected, _ = recorded(NODE_STATUS)
    assert run_command(virtengine, with_target(arguments, world.by_rpc)) == 0
    printed = capsys.readouterr().out
    ours, recorded_status = json.loads(printed), json.loads(expected)
    assert shape(ours) == shape(recorded_status)
    for part, name in (("node_info", "network"), ("sync_info", "latest_block_height")):
        assert ours[part][name] == recorded_status[part][name]
    assert printed == json.dumps(ours, separators=(",", ":")) + "\n"

"""A tenant's commands, over the real sockets of a running devnet."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reconciler.chain.grpc_node import GrpcNode
from reconciler.cli.main import provider_daemon, run_command
from reconciler.devnet.accounts import PROVIDER, key_of
from reconciler.devnet.trading import Trader, TransactionClient
from tests.e2e.processes import devnet, devnet_facts, run

BLOCKS = ("--block-seconds", "0.2")
US = key_of(PROVIDER).address


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("market")
    with devnet(directory, *BLOCKS):
        yield directory


Output = pytest.CaptureFixture[str]


def tenant(output: Output, home: Path, *arguments: str) -> dict[str, Any]:
    output.readouterr()
    code = run_command(provider_daemon, ["devnet", "tenant", *arguments, "--home", str(home), "-o", "json"])
    out, err = output.readouterr()
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    assert found["simulator"] is True
    return found


def bid_as_provider(home: Path, number: int) -> None:
    """Bid as the provider, as no daemon runs here."""
    node = GrpcNode(devnet_facts(home)["grpc"])
    client = TransactionClient(node)
    order = Trader(client, key_of("alice")).trade(number).order
    Trader(client, key_of(PROVIDER)).bid(order, Decimal(10))
    node.close()


def test_order_accept_escrow_deposit_close_and_list(home: Path, capsys: Output) -> None:
    made = tenant(
        capsys, home, "order", "--cpu", "500", "--memory", "256", "--billing", "usage", "--price", "90"
    )
    number = made["dseq"]
    assert made["order"] == f"{key_of('alice').address}/{number}/1/1"
    bid_as_provider(home, number)
    dseq = str(number)
    assert tenant(capsys, home, "accept", dseq)["lease"] == f"{made['order']}/{US}"
    assert tenant(capsys, home, "escrow", dseq, "--amount", "5000")["amount_uve"] == 5000
    assert tenant(capsys, home, "deposit", dseq, "123")["deposited_uve"] == 123
    (listed,) = [d for d in tenant(capsys, home, "list")["deployments"] if d["dseq"] == number]
    assert listed["bids"] == [{"provider": US, "price_uve": "10", "state": "active"}]
    assert (listed["state"], listed["lease_state"], listed["escrow_state"]) == ("active", "active", "active")
    tenant(capsys, home, "close", dseq)
    (listed,) = [d for d in tenant(capsys, home, "list")["deployments"] if d["dseq"] == number]
    assert (listed["state"], listed["lease_state"]) == ("closed", "closed")


def test_text_output_is_marked_as_simulated(home: Path) -> None:
    done = run("devnet", "--home", str(home), "tenant", "order", "--as", "bob")
    assert done.stdout.startswith(f"(simulated) posted order {key_of('bob').address}/")
    listed = run("devnet", "tenant", "list", "--home", str(home), "--as", "bob").stdout.splitlines()
    assert listed[0].startswith("(simulated) bob (ve1")
    assert "active, order open; bids: none; lease: none; 50000000uve left" in listed[1]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("close", "7"), 1, "has no deployment 7; it has"),
        (("order", "--cpu", "5"), 64, "5 is not in the range x>=10"),
        (("order", "--as", "carol"), 64, "'carol' is not one of"),
        (("order", "--cpu", "500000"), 1, "the chain refuses it: "),
    ],
)
def test_errors(home: Path, capsys: Output, arguments: tuple[str, ...], code: int, words: str) -> None:
    assert run_command(provider_daemon, ["devnet", "tenant", *arguments, "--home", str(home)]) == code
    assert words in capsys.readouterr().err


def test_a_second_devnet_in_the_same_directory(home: Path) -> None:
    second = run("devnet", "--home", str(home))
    assert second.returncode == 1
    assert "another devnet (process" in second.stderr


def test_no_devnet_runs_in_the_directory(tmp_path: Path, capsys: Output) -> None:
    assert run_command(provider_daemon, ["devnet", "tenant", "list", "--home", str(tmp_path)]) == 1
    assert f"no devnet runs in {tmp_path}; start one with" in capsys.readouterr().err
    assert run_command(provider_daemon, ["devnet", "tenant", "list"]) == 64
    assert run_command(provider_daemon, ["devnet"]) == 64

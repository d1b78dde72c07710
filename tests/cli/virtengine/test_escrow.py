"""Escrow accounts and payments: by prefix, by id, and by provider, for which the chain has no list."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.chain.client_json import to_client_json
from reconciler.chain.proto import escrow_v1_pb2, settlement_v1_pb2
from reconciler.chain.queries import PAYMENTS
from reconciler.chain.wire_values import coin
from reconciler.cli.lazy import USAGE_ERROR
from reconciler.cli.main import run_command
from reconciler.cli.virtengine.escrow import ACCOUNTS, STATES
from reconciler.cli.virtengine.main import virtengine
from tests.cli.recorded_state import BOBS, World, crowded_world, people

Row = dict[str, Any]
PROVIDER, RIVAL, BOB = (people()[name].address for name in ("provider", "rival", "bob"))
ORDER = f"{BOB}/{BOBS[1]}/1/1"
"""Leased by the provider."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = crowded_world()
    made.next(
        "bob",
        settlement_v1_pb2.MsgCreateEscrow(
            sender=BOB, order_id=ORDER, amount=[coin(1_000_000)], expires_in=86_400
        ),
    )
    yield made
    made.close()


def every_account(world: World) -> list[Row]:
    """The expected accounts, listed without a provider."""
    rows = []
    for state in STATES:
        asked = escrow_v1_pb2.QueryAccountsRequest(state=state).SerializeToString()
        answer = escrow_v1_pb2.QueryAccountsResponse.FromString(world.chain.query(ACCOUNTS.path, asked))
        rows += [to_client_json(row) for row in answer.accounts]
    return rows


def every_payment(world: World) -> list[Row]:
    rows = []
    for state in STATES:
        asked = escrow_v1_pb2.QueryPaymentsRequest(state=state).SerializeToString()
        answer = escrow_v1_pb2.QueryPaymentsResponse.FromString(world.chain.query(PAYMENTS.path, asked))
        rows += [to_client_json(row) for row in answer.payments]
    return rows


def answered(capsys: pytest.CaptureFixture[str], *arguments: str) -> Row:
    assert run_command(virtengine, ["query", "escrow", *arguments, "-o", "json"]) == 0
    answer: Row = json.loads(capsys.readouterr().out)
    return answer


def is_of(provider: str, account: Row, payments: list[Row]) -> bool:
    """Whether it holds the deposit of one of the provider's bids, or pays one of its leases."""
    id_ = account["id"]
    if id_["scope"] == "bid":
        return str(id_["xid"]).endswith(f"/{provider}")
    return any(
        row["id"]["aid"]["xid"] == id_["xid"] and row["state"]["owner"] == provider for row in payments
    )


@pytest.mark.parametrize("way", ["gRPC", "RPC"])
@pytest.mark.parametrize("state", ["", *STATES])
@pytest.mark.parametrize("provider", [PROVIDER, RIVAL])
def test_accounts_by_provider_are_its_bids_and_those_that_pay_its_leases(
    world: World, capsys: pytest.CaptureFixture[str], provider: str, state: str, way: str
) -> None:
    node = world.by_grpc if way == "gRPC" else world.by_rpc
    payments = every_payment(world)
    truth = [
        row
        for row in every_account(world)
        if is_of(provider, row, payments) and state in ("", row["state"]["state"])
    ]
    answer = answered(capsys, "accounts", *([state] if state else []), "--provider", provider, *node)
    assert answer["accounts"] == truth
    assert bool(truth) == (state != "overdrawn")


def test_payments_by_provider_are_its_leases(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    truth = [row for row in every_payment(world) if row["state"]["owner"] == PROVIDER]
    answer = answered(capsys, "payments", "--provider", PROVIDER, *world.by_grpc)
    assert answer["payments"] == truth
    assert {row["state"]["state"] for row in truth} == {"open", "closed"}


@pytest.mark.parametrize("xid", ["bid", "deployment", f"deployment/{BOB}/7"])
def test_an_id_is_how_the_text_begins(world: World, capsys: pytest.CaptureFixture[str], xid: str) -> None:
    truth = [
        row for row in every_account(world) if f"{row['id']['scope']}/{row['id']['xid']}".startswith(xid)
    ]
    assert answered(capsys, "accounts", xid, *world.by_grpc)["accounts"] == truth
    ours = answered(capsys, "accounts", xid, "--provider", PROVIDER, *world.by_grpc)["accounts"]
    assert ours == [row for row in truth if is_of(PROVIDER, row, every_payment(world))]


def test_a_limit_cuts_although_the_chain_ignores_it(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["query", "escrow", "accounts", "--limit", "2", "-o", "json", *world.by_grpc]
    assert run_command(virtengine, command) == 0
    told = capsys.readouterr()
    answer = json.loads(told.out)
    assert answer["accounts"] == every_account(world)[:2]
    assert told.err.startswith("there are more accounts than these 2: --page-key ")
    rest = answered(capsys, "accounts", "--page-key", answer["pagination"]["next_key"], *world.by_grpc)
    assert answer["accounts"] + rest["accounts"] == every_account(world)


@pytest.mark.parametrize(
    ("name", "scope", "xid"),
    [
        (f"deployment/{BOB}/7", "deployment", f"{BOB}/7"),
        (f"{BOB}/77", "deployment", f"{BOB}/77"),
        (f"{ORDER}/{PROVIDER}", "deployment", f"{BOB}/77"),
        (f"bid/{ORDER}/{PROVIDER}", "bid", f"{ORDER}/{PROVIDER}"),
    ],
)
def test_one_account_is_the_one_that_is_named(
    world: World, capsys: pytest.CaptureFixture[str], name: str, scope: str, xid: str
) -> None:
    [truth] = [row for row in every_account(world) if row["id"] == {"scope": scope, "xid": xid}]
    assert answered(capsys, "account", "--account-id", name, *world.by_grpc) == truth


def test_account_shows_a_settlement_escrow(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    answer = answered(capsys, "account", "--account-id", "escrow-1", *world.by_rpc)
    assert (answer["escrow_id"], answer["order_id"], answer["state"]) == ("escrow-1", ORDER, "pending")
    assert answer["balance"] == [{"denom": "uve", "amount": "1000000"}]


@pytest.mark.parametrize("way", ["gRPC", "RPC"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        (f"deployment/{BOB}/999", "Deployment not found"),
        (f"bid/{BOB}/999/1/1/{PROVIDER}", "invalid bid: bid not found"),
        ("deployment/ve1nonsense/7", "invalid owner address"),
    ],
)
def test_an_unknown_account_prints_the_chains_message(
    world: World, capsys: pytest.CaptureFixture[str], name: str, words: str, way: str
) -> None:
    node = world.by_grpc if way == "gRPC" else world.by_rpc
    assert run_command(virtengine, ["query", "escrow", "account", "--account-id", name, *node]) == 1
    assert capsys.readouterr().err == f"error: account {name}: the chain says: {words}\n"


def test_an_unknown_settlement_escrow_is_an_error(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The chain itself answers with an empty escrow."""
    command = ["query", "escrow", "account", "--account-id", "escrow-999", *world.by_grpc]
    assert run_command(virtengine, command) == 1
    told = capsys.readouterr()
    assert (told.out, told.err) == (
        "",
        "error: account escrow-999: the chain has no settlement escrow of this id\n",
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("accounts", "nonsense"), "'nonsense' is not a state; write open, closed, overdrawn"),
        (("accounts", "open", "nonsense"), "'nonsense' begins with no scope; write bid or deployment"),
        (("accounts", "bid", "deployment"), "'bid' is not a state"),
        (("account", "--account-id", "x"), "names no account; write deployment/OWNER/DSEQ, "),
        (("account", "--account-id", "bid/x/1"), "names no account; write "),
        (("account", "--account-id", f"{BOB}/{10**30}"), "names no account; write "),
        (("account",), "Missing option '--account-id'"),
    ],
)
def test_usage_errors_name_the_accepted_forms(
    world: World, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert run_command(virtengine, ["query", "escrow", *arguments, *world.by_grpc]) == USAGE_ERROR
    assert words in capsys.readouterr().err

"""Lists are complete on a chain with rows in every state, although the chain's own lists leave rows out."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from google.protobuf.message import Message

from reconciler.chain.client_json import to_client_json
from reconciler.chain.node_errors import NodeError
from reconciler.chain.proto import cosmos_bank_pb2, market_v1beta5_pb2
from reconciler.chain.proto.cosmos_coin_pb2 import Coin
from reconciler.chain.proto.cosmos_paging_pb2 import PageRequest, PageResponse
from reconciler.chain.queries import BIDS, LEASES, ORDERS
from reconciler.chain.stubs import Unary
from reconciler.cli.lazy import USAGE_ERROR
from reconciler.cli.main import run_command
from reconciler.cli.virtengine import paging, queries
from reconciler.cli.virtengine.main import virtengine
from reconciler.cli.virtengine.node import NodeConnection
from reconciler.cli.virtengine.queries import BALANCES
from tests.cli.recorded_state import BOBS, World, bid_id, crowded_world, deployment, people

Row = dict[str, Any]
METHODS: dict[str, Unary[Any, Any]] = {"orders": ORDERS, "bids": BIDS, "leases": LEASES}
STATES = {
    "orders": ("open", "active", "closed"),
    "bids": ("open", "active", "lost", "closed"),
    "leases": ("active", "insufficient_funds", "closed"),
}
PROVIDER, RIVAL = people()["provider"].address, people()["rival"].address
ALICE, BOB = people()["alice"].address, people()["bob"].address

FILTERS: tuple[dict[str, str | int], ...] = (
    {},
    {"provider": PROVIDER},
    {"provider": RIVAL},
    {"owner": BOB},
    {"owner": ALICE, "provider": PROVIDER},
    {"owner": BOB, "dseq": 7},
    {"dseq": 60000001},
    {"owner": ALICE, "gseq": 1, "oseq": 2},
)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = crowded_world()
    yield made
    made.close()


def every_row(world: World, name: str) -> list[Row]:
    """The expected rows: state by state, on one page, without a provider."""
    method = METHODS[name]
    rows: list[Message] = []
    for state in STATES[name]:
        request = method.request(filters={"state": state}, pagination=PageRequest(limit=1000))
        rows += getattr(response(world, method, request), name)
    return [to_client_json(row) for row in rows]


def response(world: World, method: Unary[Any, Any], request: Message) -> Any:
    return method.response.FromString(world.chain.query(method.path, request.SerializeToString()))


def named(row: Row) -> Row:
    found: Row = row.get("bid") or row.get("lease") or row
    return found


def matches(row: Row, wanted: dict[str, str | int]) -> bool:
    found = named(row)
    return all(str((found["id"] | found)[name]) == str(value) for name, value in wanted.items())


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Row, str]:
    assert run_command(virtengine, ["query", *arguments, "-o", "json"]) == 0
    captured = capsys.readouterr()
    answer: Row = json.loads(captured.out)
    return answer, captured.err


def flags(wanted: dict[str, str | int]) -> list[str]:
    return [part for name, value in wanted.items() for part in (f"--{name}", str(value))]


def rows_by_pages(capsys: pytest.CaptureFixture[str], name: str, *arguments: str) -> list[Row]:
    """Every row, page by page with the key of the page before."""
    rows: list[Row] = []
    key: list[str] = []
    while True:
        answer, stderr = listed(capsys, "market", name, *arguments, *key)
        rows += answer[name]
        assert answer["pagination"]["total"] == str(len(answer[name]))
        following = answer["pagination"]["next_key"]
        assert bool(following) == ("there are more" in stderr)
        if not following:
            return rows
        assert f"--page-key {following}" in stderr
        key = ["--page-key", following]


@cache
def cases() -> list[tuple[str, dict[str, str | int]]]:
    """Every filter, by itself and with every state."""
    made = []
    for name, states in STATES.items():
        for wanted in FILTERS:
            if name == "orders" and "provider" in wanted:
                continue
            made.append((name, wanted))
            made += [(name, {**wanted, "state": state}) for state in states]
    return made


def test_the_chain_has_rows_in_almost_every_state(world: World) -> None:
    states = {name: {named(row)["state"] for row in every_row(world, name)} for name in METHODS}
    assert states == {
        "orders": {"open", "active", "closed"},
        "bids": {"open", "active", "lost", "closed"},
        "leases": {"active", "closed"},
    }


def test_the_chain_itself_shows_no_closed_rows_by_provider(world: World) -> None:
    """Semantics 2.2 B holds, or the next test shows nothing."""
    closed = market_v1beta5_pb2.BidFilters(provider=PROVIDER, state="closed")
    assert not response(world, BIDS, market_v1beta5_pb2.QueryBidsRequest(filters=closed)).bids


@pytest.mark.parametrize(("name", "wanted"), cases(), ids=str)
def test_a_list_has_every_matching_row(
    world: World, capsys: pytest.CaptureFixture[str], name: str, wanted: dict[str, str | int]
) -> None:
    truth = [row for row in every_row(world, name) if matches(row, wanted)]
    answer, stderr = listed(capsys, "market", name, *flags(wanted), *world.by_grpc)
    assert answer == {name: truth, "pagination": {"next_key": None, "total": str(len(truth))}}
    assert stderr == ""


@pytest.mark.parametrize("limit", range(1, 19))
@pytest.mark.parametrize(
    "wanted", [{}, {"provider": PROVIDER}, {"provider": PROVIDER, "state": "closed"}], ids=str
)
@pytest.mark.parametrize("name", ["bids", "leases"])
def test_pages_of_any_size_make_the_complete_list(
    world: World, capsys: pytest.CaptureFixture[str], name: str, wanted: dict[str, str | int], limit: int
) -> None:
    truth = [row for row in every_row(world, name) if matches(row, wanted)]
    assert rows_by_pages(capsys, name, *flags(wanted), "--limit", str(limit), *world.by_grpc) == truth


@pytest.mark.parametrize("page_rows", range(1, 14))
@pytest.mark.parametrize(
    "wanted", [{}, {"provider": PROVIDER}, {"provider": RIVAL, "state": "closed"}], ids=str
)
@pytest.mark.parametrize("name", ["bids", "leases"])
def test_no_page_size_of_the_requests_drops_rows(
    world: World,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    wanted: dict[str, str | int],
    page_rows: int,
) -> None:
    """Even if a state ends with the page (semantics 2.2 A)."""
    for module in (paging, queries):
        monkeypatch.setattr(module, "PAGE_ROWS", page_rows)
    truth = [row for row in every_row(world, name) if matches(row, wanted)]
    answer, stderr = listed(capsys, "market", name, *flags(wanted), *world.by_grpc)
    assert (answer[name], stderr) == (truth, "")


def test_pages_by_rpc_equal_pages_by_grpc(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert rows_by_pages(capsys, "orders", "--limit", "4", *world.by_rpc) == every_row(world, "orders")


def test_page_and_offset_choose_the_first_row(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    truth = every_row(world, "orders")
    second, _ = listed(capsys, "market", "orders", "--limit", "3", "--page", "2", *world.by_grpc)
    behind, stderr = listed(capsys, "market", "orders", "--offset", "15", "--count-total", *world.by_grpc)
    beyond, _ = listed(capsys, "market", "orders", "--offset", "99", "--count-total", *world.by_grpc)
    assert second["orders"] == truth[3:6]
    assert behind == {"orders": truth[15:], "pagination": {"next_key": None, "total": str(len(truth))}}
    assert stderr == ""
    assert beyond == {"orders": [], "pagination": {"next_key": None, "total": str(len(truth))}}


def test_reverse_reverses_the_rows_of_each_state(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    answer, _ = listed(capsys, "market", "orders", "--state", "open", "--reverse", *world.by_grpc)
    open_rows = [row for row in every_row(world, "orders") if row["state"] == "open"]
    assert answer["orders"] == open_rows[::-1]


def test_a_limit_of_the_row_count_has_no_next_page(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    count = len(every_row(world, "orders"))
    answer, stderr = listed(capsys, "market", "orders", "--limit", str(count), *world.by_grpc)
    assert (len(answer["orders"]), answer["pagination"]["next_key"], stderr) == (count, None, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--page-key", "nonsense"),
        ("--page-key", "LTEvLTE="),  # -1/-1
        ("--page-key", "MTEvMQ==", "--offset", "3"),
        ("--page", "2", "--offset", "3"),
        ("--page", "0"),
        ("--limit", "0"),
        ("--state", "matched"),
        ("--dseq", "18446744073709551616"),
    ],
)
def test_contradicting_flags_are_a_usage_error(
    world: World, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert run_command(virtengine, ["query", "market", "bids", *arguments, *world.by_grpc]) == USAGE_ERROR
    assert "Traceback" not in capsys.readouterr().err


def test_rows_that_change_state_between_pages_are_neither_lost_nor_repeated(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = crowded_world()
    try:
        truth = every_row(world, "orders")
        first, _ = listed(capsys, "market", "orders", "--limit", "5", *world.by_grpc)
        closing = market_v1beta5_pb2.MsgCreateLease(bid_id=bid_id(BOBS[0], "third", "bob"))
        world.next("bob", closing)
        world.next("charlie", deployment(1, "charlie"))
        assert every_row(world, "orders") != truth
        key = first["pagination"]["next_key"]
        rest, _ = listed(capsys, "market", "orders", "--page-key", key, *world.by_grpc)
    finally:
        world.close()
    assert first["orders"] + rest["orders"] == truth


def test_an_earlier_height_shows_the_state_of_then(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    answer, _ = listed(capsys, "market", "leases", "--owner", BOB, "--height", "21", *world.by_grpc)
    assert answer["leases"] == []


@pytest.mark.parametrize("ways", [("--limit", "2"), ("--limit", "1", "--offset", "1"), ("--reverse",)])
def test_provider_list_pages_and_reverses(
    world: World, capsys: pytest.CaptureFixture[str], ways: tuple[str, ...]
) -> None:
    answer, stderr = listed(capsys, "provider", "list", *world.by_grpc)
    assert {row["owner"] for row in answer["providers"]} == {
        people()[name].address for name in ("provider", "rival", "third")
    }
    assert stderr == ""
    some, _ = listed(capsys, "provider", "list", *ways, *world.by_grpc)
    begin = 1 if "--offset" in ways else 0
    every = answer["providers"][::-1] if "--reverse" in ways else answer["providers"]
    assert some["providers"] == every[begin : begin + len(some["providers"])]
    assert some["providers"]


class RepeatingNode:
    """A node whose pages all name the same next page."""

    def call(self, method: Unary[Any, Any], request: Any, height: int = 0) -> Any:
        del method, request, height
        return cosmos_bank_pb2.QueryAllBalancesResponse(
            balances=[Coin(denom="uve")], pagination=PageResponse(next_key=b"the same")
        )

    def close(self) -> None:
        """Nothing is open."""


def test_a_list_whose_pages_repeat_is_an_error() -> None:
    with pytest.raises(NodeError, match="begins again"):
        list(paging.list_rows(NodeConnection(RepeatingNode(), 0), BALANCES, {}, 1))

"""Lists of a chain with rows in every state: nothing is dropped, whatever the chain's own lists leave out."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from google.protobuf.message import Message

from reconciler.chain import queries
from reconciler.chain.client_json import printed
from reconciler.chain.node_errors import NodeError
from reconciler.chain.proto import market_v1_pb2, market_v1beta5_pb2
from reconciler.chain.proto.cosmos_coin_pb2 import Coin
from reconciler.chain.proto.cosmos_paging_pb2 import PageRequest
from reconciler.chain.stubs import Unary
from reconciler.cli.lazy import USAGE_ERROR
from reconciler.cli.main import run_command
from reconciler.cli.virtengine import lists as virtengine_lists
from reconciler.cli.virtengine import rows as virtengine_rows
from reconciler.cli.virtengine.lists import pages
from reconciler.cli.virtengine.main import virtengine
from reconciler.cli.virtengine.rows import BIDS, LEASES, ORDERS, RowKind
from tests.cli.recorded_state import BOBS, World, bid_id, crowded_world, deployment, people

Row = dict[str, Any]
KINDS = {kind.name: kind for kind in (ORDERS, BIDS, LEASES)}
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


def ask(world: World, method: Unary[Any, Any], request: Message) -> Any:
    return method.response.FromString(world.chain.query(method.path, request.SerializeToString()))


def every_row(world: World, kind: RowKind) -> list[Row]:
    """The truth: state by state, on one page, by no provider."""
    page = PageRequest(limit=1000)
    rows: list[Message] = []
    for state in kind.states:
        if kind is ORDERS:
            orders = market_v1beta5_pb2.OrderFilters(state=state)
            asked = market_v1beta5_pb2.QueryOrdersRequest(filters=orders, pagination=page)
            rows += ask(world, queries.ORDERS, asked).orders
        elif kind is BIDS:
            bids = market_v1beta5_pb2.BidFilters(state=state)
            rows += ask(
                world, queries.BIDS, market_v1beta5_pb2.QueryBidsRequest(filters=bids, pagination=page)
            ).bids
        else:
            leases = market_v1_pb2.LeaseFilters(state=state)
            wanted = market_v1beta5_pb2.QueryLeasesRequest(filters=leases, pagination=page)
            rows += ask(world, queries.LEASES, wanted).leases
    return [printed(row) for row in rows]


def named(row: Row) -> Row:
    found: Row = row.get("bid") or row.get("lease") or row
    return found


def fits(row: Row, wanted: dict[str, str | int]) -> bool:
    found = named(row)
    return all(str((found["id"] | found)[name]) == str(value) for name, value in wanted.items())


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Row, str]:
    assert run_command(virtengine, ["query", *arguments, "-o", "json"]) == 0
    told = capsys.readouterr()
    answer: Row = json.loads(told.out)
    return answer, told.err


def flags(wanted: dict[str, str | int]) -> list[str]:
    return [part for name, value in wanted.items() for part in (f"--{name}", str(value))]


def by_pages(capsys: pytest.CaptureFixture[str], name: str, *arguments: str) -> list[Row]:
    """Everything, page after page by the key that the page before gave."""
    rows: list[Row] = []
    key: list[str] = []
    while True:
        answer, told = listed(capsys, "market", name, *arguments, *key)
        rows += answer[name]
        assert answer["pagination"]["total"] == str(len(answer[name]))
        following = answer["pagination"]["next_key"]
        assert bool(following) == ("there are more" in told)
        if not following:
            return rows
        assert f"--page-key {following}" in told
        key = ["--page-key", following]


@cache
def cases() -> list[tuple[str, dict[str, str | int]]]:
    """Every filter, alone and with every state."""
    made = []
    for kind in KINDS.values():
        for wanted in FILTERS:
            if kind is ORDERS and "provider" in wanted:
                continue
            made.append((kind.name, wanted))
            made += [(kind.name, {**wanted, "state": state}) for state in kind.states]
    return made


def test_the_world_has_rows_in_almost_every_state(world: World) -> None:
    states = {name: {named(row)["state"] for row in every_row(world, kind)} for name, kind in KINDS.items()}
    assert states == {
        "orders": {"open", "active", "closed"},
        "bids": {"open", "active", "lost", "closed"},
        "leases": {"active", "closed"},
    }


def test_the_chain_itself_shows_no_closed_rows_by_provider(world: World) -> None:
    """Trap B is there, or the next test shows nothing."""
    closed = market_v1beta5_pb2.BidFilters(provider=PROVIDER, state="closed")
    assert not ask(world, queries.BIDS, market_v1beta5_pb2.QueryBidsRequest(filters=closed)).bids


@pytest.mark.parametrize(("name", "wanted"), cases(), ids=str)
def test_a_list_is_every_row_that_fits(
    world: World, capsys: pytest.CaptureFixture[str], name: str, wanted: dict[str, str | int]
) -> None:
    truth = [row for row in every_row(world, KINDS[name]) if fits(row, wanted)]
    answer, told = listed(capsys, "market", name, *flags(wanted), *world.by_grpc)
    assert answer == {name: truth, "pagination": {"next_key": None, "total": str(len(truth))}}
    assert told == ""


@pytest.mark.parametrize("limit", range(1, 19))
@pytest.mark.parametrize(
    "wanted", [{}, {"provider": PROVIDER}, {"provider": PROVIDER, "state": "closed"}], ids=str
)
@pytest.mark.parametrize("name", ["bids", "leases"])
def test_pages_of_any_size_make_up_the_list(
    world: World, capsys: pytest.CaptureFixture[str], name: str, wanted: dict[str, str | int], limit: int
) -> None:
    truth = [row for row in every_row(world, KINDS[name]) if fits(row, wanted)]
    assert by_pages(capsys, name, *flags(wanted), "--limit", str(limit), *world.by_grpc) == truth


@pytest.mark.parametrize("at_once", range(1, 14))
@pytest.mark.parametrize(
    "wanted", [{}, {"provider": PROVIDER}, {"provider": RIVAL, "state": "closed"}], ids=str
)
@pytest.mark.parametrize("name", ["bids", "leases"])
def test_however_many_rows_a_request_asks_for_none_is_dropped(
    world: World,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    wanted: dict[str, str | int],
    at_once: int,
) -> None:
    """Also where a state ends with the page: trap A."""
    for module in (virtengine_lists, virtengine_rows):
        monkeypatch.setattr(module, "PAGE_ROWS", at_once)
    truth = [row for row in every_row(world, KINDS[name]) if fits(row, wanted)]
    answer, told = listed(capsys, "market", name, *flags(wanted), *world.by_grpc)
    assert (answer[name], told) == (truth, "")


def test_pages_by_rpc_are_the_same(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert by_pages(capsys, "orders", "--limit", "4", *world.by_rpc) == every_row(world, ORDERS)


def test_page_and_offset_say_where_to_begin(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    truth = every_row(world, ORDERS)
    second, _ = listed(capsys, "market", "orders", "--limit", "3", "--page", "2", *world.by_grpc)
    behind, told = listed(capsys, "market", "orders", "--offset", "15", "--count-total", *world.by_grpc)
    beyond, _ = listed(capsys, "market", "orders", "--offset", "99", "--count-total", *world.by_grpc)
    assert second["orders"] == truth[3:6]
    assert behind == {"orders": truth[15:], "pagination": {"next_key": None, "total": str(len(truth))}}
    assert told == ""
    assert beyond == {"orders": [], "pagination": {"next_key": None, "total": str(len(truth))}}


def test_reverse_turns_the_rows_of_each_state(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    answer, _ = listed(capsys, "market", "orders", "--state", "open", "--reverse", *world.by_grpc)
    open_ones = [row for row in every_row(world, ORDERS) if row["state"] == "open"]
    assert answer["orders"] == open_ones[::-1]


def test_a_limit_of_as_many_as_there_are_cuts_nothing(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    count = len(every_row(world, ORDERS))
    answer, told = listed(capsys, "market", "orders", "--limit", str(count), *world.by_grpc)
    assert (len(answer["orders"]), answer["pagination"]["next_key"], told) == (count, None, "")


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
def test_contradictions_are_wrong_usage(
    world: World, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert run_command(virtengine, ["query", "market", "bids", *arguments, *world.by_grpc]) == USAGE_ERROR
    assert "Traceback" not in capsys.readouterr().err


def test_rows_that_move_between_pages_are_neither_lost_nor_shown_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = crowded_world()
    try:
        truth = every_row(world, ORDERS)
        first, _ = listed(capsys, "market", "orders", "--limit", "5", *world.by_grpc)
        closing = market_v1beta5_pb2.MsgCreateLease(bid_id=bid_id(BOBS[0], "third", "bob"))
        world.next("bob", closing)
        world.next("charlie", deployment(1, "charlie"))
        assert every_row(world, ORDERS) != truth
        key = first["pagination"]["next_key"]
        rest, _ = listed(capsys, "market", "orders", "--page-key", key, *world.by_grpc)
    finally:
        world.close()
    assert first["orders"] + rest["orders"] == truth


def test_an_earlier_height_shows_what_was(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    answer, _ = listed(capsys, "market", "leases", "--owner", BOB, "--height", "21", *world.by_grpc)
    assert answer["leases"] == []


@pytest.mark.parametrize("ways", [("--limit", "2"), ("--limit", "1", "--offset", "1"), ("--reverse",)])
def test_providers_are_listed(
    world: World, capsys: pytest.CaptureFixture[str], ways: tuple[str, ...]
) -> None:
    answer, told = listed(capsys, "provider", "list", *world.by_grpc)
    assert {row["owner"] for row in answer["providers"]} == {
        people()[name].address for name in ("provider", "rival", "third")
    }
    assert told == ""
    some, _ = listed(capsys, "provider", "list", *ways, *world.by_grpc)
    begin = 1 if "--offset" in ways else 0
    every = answer["providers"][::-1] if "--reverse" in ways else answer["providers"]
    assert some["providers"] == every[begin : begin + len(some["providers"])]
    assert some["providers"]


def test_a_list_that_begins_again_is_no_answer() -> None:
    def ask(_: PageRequest) -> tuple[list[Coin], bytes]:
        return [Coin(denom="uve")], b"the same"

    with pytest.raises(NodeError, match="begins again"):
        list(pages(ask, 1))

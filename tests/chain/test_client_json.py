import base64
import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format

from reconciler.chain.client_json import decimal_text, to_client_json
from reconciler.chain.proto.base_resources_v1beta4_pb2 import ResourceValue
from reconciler.chain.proto.cosmos_paging_pb2 import PageResponse
from reconciler.chain.proto.escrow_types_v1_pb2 import AccountState, Balance
from reconciler.chain.proto.market_v1beta5_pb2 import Order, QueryBidsResponse, QueryLeasesResponse
from reconciler.chain.proto.settlement_v1_pb2 import UsageRecord

CLI = Path(__file__).parents[1] / "vectors" / "cli"


def recorded(name: str) -> dict[str, Any]:
    line = (CLI / name).read_text().splitlines()[1]
    answer: dict[str, Any] = json.loads(line)
    return answer


def on_the_wire(node: Any) -> Any:
    """Printed JSON back to protobuf's own mapping: decimals as integers, texts as bytes."""
    if isinstance(node, list):
        return [on_the_wire(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {key: on_the_wire(value) for key, value in node.items() if value is not None}
    if isinstance(amount := made.get("amount"), str) and "." in amount:
        made["amount"] = amount.replace(".", "").lstrip("0") or "0"
    if isinstance(units := made.get("val"), str):
        made["val"] = base64.b64encode(units.encode()).decode()
    return made


@pytest.mark.parametrize(
    ("name", "kind", "rows"),
    [("02.txt", QueryLeasesResponse, "leases"), ("04.txt", QueryBidsResponse, "bids")],
)
def test_rows_are_printed_as_the_real_client_prints_them(name: str, kind: Any, rows: str) -> None:
    told = recorded(name)
    message = json_format.ParseDict(on_the_wire({rows: told[rows]}), kind())
    again = to_client_json(message)[rows]
    assert json.dumps(again) == json.dumps(told[rows])


def test_decimals_are_shown_with_eighteen_places() -> None:
    assert decimal_text("1500000000000000000") == "1.500000000000000000"
    assert decimal_text("-1") == "-0.000000000000000001"
    assert decimal_text("") == "0.000000000000000000"


def test_defaults_are_printed_and_64_bit_integers_are_strings() -> None:
    assert to_client_json(PageResponse()) == {"next_key": None, "total": "0"}
    assert to_client_json(PageResponse(next_key=b"key", total=2**63)) == {
        "next_key": "a2V5",
        "total": "9223372036854775808",
    }


def test_fields_come_in_the_order_of_the_proto_file() -> None:
    assert list(to_client_json(AccountState())) == [
        "owner",
        "state",
        "transferred",
        "settled_at",
        "funds",
        "deposits",
    ]


def test_digits_in_bytes_are_strings() -> None:
    assert to_client_json(ResourceValue(val=b"1000")) == {"val": "1000"}
    assert to_client_json(ResourceValue()) == {"val": ""}


def test_a_negative_balance_is_a_decimal() -> None:
    assert to_client_json(Balance(denom="uve", amount="-500000" + "0" * 18)) == {
        "denom": "uve",
        "amount": "-500000.000000000000000000",
    }


def test_an_unknown_state_is_printed_as_a_number() -> None:
    order = Order.FromString(b"\x10\x63")
    assert to_client_json(order)["state"] == 99


def test_maps_are_objects() -> None:
    record = UsageRecord(metadata={"b": "2", "a": "1"})
    assert to_client_json(record)["metadata"] == {"a": "1", "b": "2"}

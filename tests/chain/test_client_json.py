import base64
import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format

from reconciler.chain.client_json import decimal_text, printed
from reconciler.chain.proto.market_v1beta5_pb2 import QueryBidsResponse, QueryLeasesResponse

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
    again = printed(message)[rows]
    assert json.dumps(again) == json.dumps(told[rows])


def test_decimals_are_shown_with_eighteen_places() -> None:
    assert decimal_text("1500000000000000000") == "1.500000000000000000"
    assert decimal_text("-1") == "-0.000000000000000001"
    assert decimal_text("") == "0.000000000000000000"

"""The snapshot branch's file: it comes back equal, and anything else is refused with what to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from reconciler.documents.planning_snapshot import (
    FILE,
    PAGE,
    PlanningSnapshotError,
    planning_snapshot_files,
    read_planning_snapshot,
    without_times,
)
from reconciler.values.limits import Limits
from reconciler.values.memory import WalletLedger
from reconciler.values.observed import AdapterView, OrderSettlement, TxResult
from reconciler.values.planning_snapshot import PlanningSnapshot
from reconciler.values.readings import Unseen
from tests import makers


def outlook() -> PlanningSnapshot:
    leased = makers.lease(3)
    market = makers.market(
        orders=[makers.order(1, attributes=[("region", "eu")])],
        bids=[makers.bid(2)],
        leases=[leased],
        tx_results={"A" * 64: TxResult("A" * 64, 1, 0, "", "")},
        settlements={leased.id.order: OrderSettlement(None)},
    )
    adapters = {**makers.adapter(), "ansible": AdapterView(Unseen("no host"), Unseen("no host"))}
    memory = replace(makers.remembered(), ledger=WalletLedger(1, 2, 3, ((4, 5),)))
    return PlanningSnapshot("demo", makers.NOW, market, adapters, memory, Limits(), sends_notices=True)


def test_a_snapshot_round_trips_without_transactions() -> None:
    made = outlook()
    back = read_planning_snapshot(planning_snapshot_files(made)[FILE])
    assert back == replace(made, market=replace(made.market, tx_results={}, transfers=()))
    assert planning_snapshot_files(back) == planning_snapshot_files(made)


def test_the_page_escapes_foreign_names() -> None:
    page = planning_snapshot_files(replace(outlook(), provider="<b>@all|x"))[PAGE].decode()
    assert "<b>" not in page
    assert "| open orders | 1 |" in page


def test_comparison_ignores_heights_and_times() -> None:
    made = outlook()
    later = replace(made, taken_at=made.taken_at + 60, market=replace(made.market, height=2_000, time=9))
    assert without_times(later) == without_times(made)
    assert without_times(replace(made, limits=Limits(spend_per_hour=1))) != without_times(made)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is not a snapshot"),
        (b"\xff", "is not a snapshot"),
        (b"[]", "version None"),
        (b'{"version": "provider.virtengine.dev/snapshot/v9"}', "use the version of the daemon"),
        (b'{"version": "provider.virtengine.dev/snapshot/v1"}', "provider is missing"),
        (b'{"version": "provider.virtengine.dev/snapshot/v1", "extra": 1}', "has no extra"),
    ],
)
def test_invalid_content_is_refused_with_advice(content: bytes, why: str) -> None:
    with pytest.raises(PlanningSnapshotError, match=why):
        read_planning_snapshot(content)


def test_a_value_of_another_type_is_reported_with_its_path() -> None:
    tree = json.loads(planning_snapshot_files(outlook())[FILE])
    tree["market"]["height"] = "high"
    with pytest.raises(
        PlanningSnapshotError, match=r"PlanningSnapshot\.market: Market\.height: 'high' is not a whole number"
    ):
        read_planning_snapshot(json.dumps(tree).encode())


Change = Callable[[Any], None]


def _kept_under(kind: str) -> Change:
    def change(tree: Any) -> None:
        things = tree["market"][kind]
        (key,) = things
        things[key.replace("/3", "/4").replace("/2/", "/5/").replace("/1/", "/6/", 1)] = things.pop(key)

    return change


def _said(where: Sequence[str], value: object) -> Change:
    def change(tree: Any) -> None:
        for name in where[:-1]:
            tree = tree[name]
        tree[where[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_said(("market", "block_seconds"), "0"), "is inconsistent .0 s per block"),
        (_said(("market", "block_seconds"), "-5"), "is inconsistent"),
        (_said(("market", "block_seconds"), "1E+99999999999"), "was not written by a daemon of this version"),
        (_said(("market", "height"), 10**400), "was not written by a daemon of this version"),
        (_said(("memory", "applied"), "HEAD~1"), "'HEAD~1' is not a commit"),
        *((_kept_under(kind), "has the object") for kind in ("orders", "bids", "leases", "accounts")),
    ],
)
def test_inconsistent_snapshots_are_refused(change: Change, why: str) -> None:
    tree = json.loads(planning_snapshot_files(outlook())[FILE])
    change(tree)
    with pytest.raises(PlanningSnapshotError, match=why):
        read_planning_snapshot(json.dumps(tree).encode())


def test_an_oversized_number_is_refused() -> None:
    with pytest.raises(PlanningSnapshotError, match="is not a snapshot"):
        read_planning_snapshot(b"[" + b"1" * 5_000 + b"]")

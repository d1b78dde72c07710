"""The sheet's metrics, by their exact names, over a real socket."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from reconciler.serve.board import Board
from reconciler.serve.starting import Started
from reconciler.values.snapshot import Books, Counters, Snapshot
from tests.serve.asking import ask
from tests.serve.worlds import FULL

SHEET = {
    "virtengine_provider_active_leases": 2,
    "virtengine_bid_total": 5,
    "virtengine_bid_success_total": 2,
    'virtengine_provider_workloads{state="running"}': 1,
    "virtengine_escrow_settlement_amount": 330_000,
}


def page(servers: Started) -> str:
    """One scrape."""
    answer = ask(servers.ports.metrics, "/metrics")
    assert (answer.code, answer.type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return answer.body.decode()


def values(text: str) -> dict[str, float]:
    """The samples by name and labels."""
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


@pytest.mark.parametrize(("name", "value"), SHEET.items())
def test_the_sheets_metrics_have_their_exact_names(servers: Started, name: str, value: float) -> None:
    assert values(page(servers))[name] == value


def test_types_are_those_that_rate_and_sum_expect(servers: Started) -> None:
    text = page(servers)
    types = {line.split()[2]: line.split()[3] for line in text.splitlines() if line.startswith("# TYPE")}
    assert types["virtengine_escrow_settlement_amount"] == "counter"
    assert types["virtengine_bid_total"] == "counter"
    assert types["virtengine_bid_success_total"] == "counter"
    assert types["virtengine_provider_active_leases"] == "gauge"
    assert types["virtengine_provider_workloads"] == "gauge"
    assert len(list(text_string_to_metric_families(text))) == len(types)


def test_every_state_and_reason_is_there_from_the_start(board: Board, servers: Started) -> None:
    board.show(Snapshot())
    found = values(page(servers))
    states = {name.split('"')[1] for name in found if name.startswith("virtengine_provider_workloads{")}
    assert states == {
        "pending",
        "deploying",
        "running",
        "paused",
        "stopping",
        "stopped",
        "terminated",
        "failed",
    }
    assert found['virtengine_provider_holds{reason="PriceTooLow"}'] == 0
    assert found["virtengine_bid_total"] == 0
    assert found['virtengine_provider_cycles_total{outcome="quiet"}'] == 0


def test_a_scrape_follows_the_snapshot(board: Board, servers: Started) -> None:
    page(servers)
    board.show(replace(FULL, counters=Counters(9, 3), books=Books(received=1), leases=()))
    found = values(page(servers))
    assert found["virtengine_bid_total"] == 9
    assert found["virtengine_escrow_settlement_amount"] == 1
    assert found["virtengine_provider_active_leases"] == 0


def test_cycles_holds_and_money_are_told_too(servers: Started) -> None:
    found = values(page(servers))
    assert found['virtengine_provider_cycles_total{outcome="acted"}'] == 7
    assert found["virtengine_provider_cycle_duration_seconds"] == 0.25
    assert found['virtengine_provider_holds{reason="PriceTooLow"}'] == 1
    assert found["virtengine_provider_balance_uve"] == 9_000_000
    assert found["virtengine_provider_fees_uve_total"] == 59_000

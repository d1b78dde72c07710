"""The metrics in docs/monitoring match the exported ones."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.api.metrics import MetricSources, metrics_page
from reconciler.gateway.counters import GatewayCollector, GatewayCounters
from reconciler.runtime.call_timings import CallTimings
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.funding import Funding, TimeLeft
from reconciler.values.resources import Resources
from reconciler.values.views import CapacityView
from tests.api.snapshots import FULL, NOON

DOCS = Path(__file__).parents[2] / "docs" / "monitoring"
NAME = re.compile(r"\b(?:virtengine|process)_[a-z_]+")


def families() -> dict[str, str]:
    """Every metric that the page has in the end, with its type."""
    calls = CallTimings()
    with calls.timed("git", "fetch"):
        pass
    lease = replace(FULL.leases[0], funding=TimeLeft(Funding.LOW, 1, 5))
    some = Resources(1, 1, 1, 1)
    snapshots = SnapshotStore(replace(FULL, leases=(lease,), capacity=CapacityView(some, some, some)))
    gateway = GatewayCollector(GatewayCounters(), lambda: 0, lambda: 0)
    sources = MetricSources(snapshots, lambda: NOON, calls, lambda: {"HTTP API": NOON}, collectors=(gateway,))
    text = metrics_page(sources)().decode()
    return {line.split()[2]: line.split()[3] for line in text.splitlines() if line.startswith("# TYPE")}


def samples() -> set[str]:
    """Every name that a query may use."""
    made = set()
    for name, kind in families().items():
        parts = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        made |= {name + part for part in parts}
    return made


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DOCS / "dashboard.json").read_text())
    return found


def dashboard_queries() -> list[str]:
    return [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]


def alerts() -> list[dict[str, Any]]:
    [group] = yaml.safe_load((DOCS / "alerts.yml").read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def test_every_metric_of_an_alert_is_served() -> None:
    for rule in alerts():
        assert set(NAME.findall(rule["expr"])) <= samples(), rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "description"}


def test_every_metric_of_the_dashboard_is_served() -> None:
    for query in dashboard_queries():
        names = set(NAME.findall(query))
        assert names, query
        assert names <= samples(), query


def test_panels_do_not_overlap_and_have_distinct_ids() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_table_lists_exactly_the_exported_metrics() -> None:
    table = (DOCS / "README.md").read_text().partition("## All metrics")[2]
    documented = set(re.findall(r"`(virtengine_[a-z_]+)`", table))
    assert documented == {name for name in families() if name.startswith("virtengine_")}


@pytest.mark.parametrize(
    "query",
    [
        "virtengine_provider_active_leases",
        "virtengine_bid_success_total",
        "virtengine_bid_total",
        'virtengine_provider_workloads{state="running"}',
        "virtengine_escrow_settlement_amount",
    ],
)
def test_the_queries_of_the_cheat_sheet_are_documented(query: str) -> None:
    assert query in (DOCS / "README.md").read_text()

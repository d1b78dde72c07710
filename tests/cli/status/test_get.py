"""The `get` command."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml

from reconciler.cli.status.get import KINDS
from reconciler.values.plans import Reason
from reconciler.values.times import Timestamp
from reconciler.values.views import ManifestView
from tests.api.snapshots import FAILING, HEALTHY, RUNNING, hold_view
from tests.cli.conftest import SHOWN, Terminal


def test_columns_are_aligned_and_wide_has_more(terminal: Terminal) -> None:
    code, out, _ = terminal.run("get", "workloads")
    names, *rows = out.splitlines()
    assert code == 0
    assert names.split() == ["ID", "STATE", "READY", "PRICE", "TROUBLE"]
    assert {row.split()[0]: row.split()[1:] for row in rows} == {
        HEALTHY.id: ["running", "2/2", "2,446.5uve", "-"],
        FAILING.id: ["failed", "0/0", "1uve", "ImagePullFailed"],
    }
    assert {row.index(word) for row, word in zip(rows, ("running", "failed"), strict=True)} == {
        names.index("STATE")
    }
    _, wide, _ = terminal.run("get", "workloads", "-o", "wide")
    assert "ImagePullFailed: no such image; correct the image's name" in wide


SENT = ManifestView(
    tenant="ve1tenant", manifest_hash="ab" * 32, accepted_at=Timestamp(100), method="jwt", commit="cd" * 20
)


@pytest.mark.parametrize("kind", KINDS)
def test_json_and_yaml_have_the_same_rows(terminal: Terminal, kind: str) -> None:
    terminal.snapshots.publish(replace(SHOWN, workloads=(replace(HEALTHY, manifest=SENT), FAILING)))
    _, as_json, _ = terminal.run("get", kind, "-o", "json")
    _, as_yaml, _ = terminal.run("get", kind, "-o", "yaml")
    rows = json.loads(as_json)[kind]
    assert rows
    assert yaml.safe_load(as_yaml) == {kind: rows}


def test_orders_are_listed_with_their_decisions(terminal: Terminal) -> None:
    _, out, _ = terminal.run("get", "orders", "-o", "wide")
    decided = {line.split()[0]: line.split()[1] for line in out.splitlines()[1:]}
    assert decided == {"ve1tenant/1000003/1/1": "bid", "ve1tenant/1000004/1/1": "PriceTooLow"}


def test_leases_have_the_time_left(terminal: Terminal) -> None:
    _, out, _ = terminal.run("get", "leases")
    assert f"{RUNNING}   2,446.5uve   7,338uve   healthy   -" in out


def test_manifests_are_listed_with_their_tenants(terminal: Terminal) -> None:
    terminal.snapshots.publish(replace(SHOWN, workloads=(replace(HEALTHY, manifest=SENT), FAILING)))
    names, row = terminal.run("get", "manifests", "-o", "wide")[1].splitlines()
    assert names.split() == ["WORKLOAD", "TENANT", "HASH", "ACCEPTED", "STATE", "METHOD", "COMMIT", "WHY"]
    assert row.split()[:3] == [HEALTHY.id, "ve1tenant", "abababababab"]
    assert row.split()[-4:] == ["running", "jwt", "cdcdcdcdcdcd", "-"]


def test_an_empty_list(terminal: Terminal) -> None:
    terminal.snapshots.publish(replace(SHOWN, bids=()))
    assert terminal.run("get", "bids") == (0, "no bids\n", "")


@pytest.mark.parametrize("kind", ["holds", "orders"])
def test_lists_are_complete(terminal: Terminal, kind: str) -> None:
    many = tuple(hold_view(f"ve1x/{n}/1/1", Reason.PRICE_TOO_LOW, "low") for n in range(3_000))
    terminal.snapshots.publish(replace(SHOWN, bids=(), holds=many))
    code, out, err = terminal.run("get", kind)
    assert (code, len(out.splitlines()), err) == (0, 3_001, "")


def test_holds_that_can_be_approved_have_a_digest(terminal: Terminal) -> None:
    jump = hold_view("pricing.yaml", Reason.PRICE_JUMP, "far", ours=True, approval="ab" * 32)
    terminal.snapshots.publish(replace(SHOWN, holds=(jump,)))
    assert terminal.run("get", "holds", "-o", "wide")[1].splitlines() == [
        "SUBJECT        REASON      MESSAGE   PUBLISHED   APPROVAL",
        "pricing.yaml   PriceJump   far       yes         abababababababab",
    ]
    assert json.loads(terminal.run("get", "holds", "-o", "json")[1])["holds"][0]["approval"] == "ab" * 32


def test_control_characters_are_escaped(terminal: Terminal) -> None:
    bad = hold_view("x\x1b[2J", Reason.PRICE_TOO_LOW, "\x07", ours=True)
    terminal.snapshots.publish(replace(SHOWN, holds=(bad,)))
    out = terminal.run("get", "holds")[1]
    assert "x\\u001b[2J" in out
    assert "\x1b" not in out


def test_without_a_daemon_the_error_has_the_start_command(terminal: Terminal) -> None:
    terminal.servers.stop()
    code, _, err = terminal.run("get", "leases")
    assert code == 1
    assert err.startswith("error: no daemon answers on 127.0.0.1:")
    assert "start it with `provider-daemon run`" in err


def test_filters_select_rows_and_are_refused_for_other_kinds(terminal: Terminal) -> None:
    assert terminal.run("get", "workloads", "--state", "failed")[1].splitlines()[1].startswith(FAILING.id)
    assert terminal.run("get", "workloads", "--adapter", "elsewhere")[1] == "no workloads\n"
    assert (
        len(terminal.run("get", "leases", "--tenant", "ve1tenant")[1].splitlines()) == len(SHOWN.leases) + 1
    )
    code, _, err = terminal.run("get", "leases", "--adapter", "kubernetes")
    assert code == 64
    assert "--adapter is not for this kind of object" in err

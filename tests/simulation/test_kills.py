"""A daemon killed before and after each occurrence of each effect, and started again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler import ports
from reconciler.cycle.environment import EFFECTS
from tests.simulation.daemon import PAYEE
from tests.simulation.kill_points import REQUESTS
from tests.simulation.runs import Reference, Survival, survive
from tests.simulation.scenario import LATER, USAGE, WEB, lease

NEVER_IN_A_CYCLE = {
    "adapter.logs": "called by the API's threads",
    "chain.forget_height": "called by a command of the owner; the height is read again",
    "chain.transfers_between": "reads, after gaps that the scenario does not have",
    "clock.now": "reads the clock",
    "clock.wait": "called by the loop between cycles",
    "inbox.approve": "called by a command of the owner; the next cycle reads it",
    "inbox.enqueue": "called by any thread; the sender repeats a lost request",
    "inbox.take": "called by the loop between cycles; no request spends money",
    "journal.is_new": "reads",
    "records.confirmation": "read by `explain`",
    "records.decisions": "read by `explain`",
    "repo.last_fetched": "reads the mirror while the remote is unreachable",
}
"""Port methods without an effect that the scenario does not call, with a reason."""


DURING = tuple(("cluster", method) for method in REQUESTS)
"""Requests between which an effect of the adapter is half done."""


@pytest.fixture(scope="module")
def survivals() -> dict[int, Survival]:
    """The outcome of each kill; points of several effects may share a state of the world."""
    return {}


def test_the_reference_run_has_the_expected_footprint(reference: Reference) -> None:
    left = reference.footprint

    assert sorted(left.messages) == [
        ("MsgCloseBid", "1000002", "10002"),
        ("MsgCreateBid", "1000001", f"2446{'0' * 18} 500000"),
        ("MsgCreateBid", "1000002", f"2446{'0' * 18} 500000"),
        ("MsgCreateBid", "1000003", f"1{'0' * 18} 500000"),
        ("MsgCreateBid", "1000005", f"2733{'0' * 18} 500000"),
        ("MsgRecordUsage", "1000003", ""),
        ("MsgSend", PAYEE, ""),
        ("MsgSettleOrder", "1000003", ""),
        ("MsgWithdrawLease", "1000001", ""),
        ("MsgWithdrawLease", "1000005", ""),
    ]
    assert left.usage == left.settled > 0
    assert all(left.withdrawn)
    assert not left.untold
    assert not left.failed
    assert {state for _, state in left.shown} == {"success applied"}
    assert left.noticed == {
        *(f"{lease(WEB)}/low", f"{lease(LATER)}/low"),
        *(f"{lease(USAGE)}/unfunded", f"{lease(USAGE)}/critical"),
    }
    assert {key[2] for key in left.objects if key[:2] == ("removed", "deployments")} == {
        key[2] for key in left.objects if key[:2] == ("made", "deployments")
    }


def test_every_port_method_that_changes_something_is_an_effect(reference: Reference) -> None:
    """Each other method was observed to change nothing, or is listed with a reason."""
    known = {f"{port}.{method}" for port, method in EFFECTS} | reference.silent | NEVER_IN_A_CYCLE.keys()

    assert set(_port_methods()) == known


def test_every_effect_occurs_in_the_reference_run(reference: Reference) -> None:
    reached = {(point.port, point.method) for kill in reference.kills for point in kill.points}

    assert reached == {*EFFECTS, *DURING}


@pytest.mark.parametrize("effect", [*EFFECTS, *DURING], ids=".".join)
def test_a_kill_at_any_effect_changes_no_result(
    effect: tuple[str, str], reference: Reference, survivals: dict[int, Survival], tmp_path: Path
) -> None:
    """Kill before and after each chosen occurrence of the effect; the final state equals that of a run
    without a kill (permitted differences: `Footprint`). Effects on targets take place between cycles, so a
    kill finds them queued, half done, or done and not recorded.
    """
    different = []
    for at, kill in reference.kills_at(effect):
        points = [point for point in kill.points if (point.port, point.method) == effect]
        if at not in survivals:
            survivals[at] = survive(reference, kill, tmp_path / str(at))
        left = survivals[at].footprint
        if left is not None and left != reference.footprint:
            different.append((str(points[0]), left))

    assert not different, f"{different[0]} instead of {reference.footprint}"


def _port_methods() -> Iterator[str]:
    """Every method of every port, by the names of effects."""
    for name in (
        "Repo",
        "Chain",
        "Adapter",
        "Journal",
        "Intents",
        "Outbox",
        "Inbox",
        "Records",
        "Notifier",
        "Forge",
        "Clock",
    ):
        port: Any = getattr(ports, name)
        yield from (f"{name.lower()}.{each}" for each in vars(port) if not each.startswith("_"))

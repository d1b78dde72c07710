"""The history of an object is found by each of its names."""

from __future__ import annotations

import pytest

from reconciler.reports.history import join_histories
from reconciler.reports.history_filter import HistoryFilter, filter_of, matching
from reconciler.values.history import DesiredRevision, StatusRevision
from reconciler.values.ids import LeaseId, OrderId, workload_id

US = "ve1us"
ORDER = OrderId("ve1alice", 7, 1, 1)
LEASE = LeaseId(ORDER, US)
NAME = workload_id(LEASE)
NEXT = OrderId("ve1alice", 7, 1, 11)
EVENTS = (f"Bid 2446uve a block on order {ORDER}", f"Bid 1uve a block on order {NEXT}", "Bid on order x/7/1")
STATUS = StatusRevision(
    "f" * 40,
    5,
    (*EVENTS, f"Workload {NAME}: Pending -> Deploying, lease accepted"),
    (f"workloads/3f/{NAME}.yaml", "summary.yaml"),
    "a" * 40,
    (),
    "plan",
    ("AB12" * 16,),
)
OTHER = StatusRevision("e" * 40, 6, ("Bid 1uve a block on order ve1bob/7/1/1",), ("README.md",), "a" * 40)
HISTORY = join_histories(
    [
        DesiredRevision("b" * 40, ("a" * 40,), files=(f"workloads/{NAME}.yaml",)),
        DesiredRevision("a" * 40, files=("pricing.yaml",)),
    ],
    [OTHER, STATUS],
)


@pytest.mark.parametrize("text", [NAME, f"workloads/{NAME}.yaml", str(LEASE), str(ORDER)])
def test_each_name_of_an_object_gives_the_same_filter(text: str) -> None:
    found = filter_of(text, US, EVENTS)
    assert found == HistoryFilter(
        frozenset({NAME, str(LEASE), str(ORDER)}),
        frozenset({f"workloads/{NAME}.yaml", f"bids/{NAME}.yaml"}),
    )
    first, second = matching(HISTORY, found)
    assert (first.desired.id, first.status_commits) == ("b" * 40, ())
    [commit] = second.status_commits
    assert commit.lines == (EVENTS[0], STATUS.lines[3]), "order 1/1 does not match order 1/11"
    assert commit.transactions == STATUS.transactions


def test_without_an_address_a_name_matches_only_itself() -> None:
    assert filter_of(str(ORDER), "", EVENTS).names == {str(ORDER)}
    assert filter_of(NAME, "", EVENTS).names == {NAME}


def test_a_file_matches_with_all_status_commits_that_followed() -> None:
    [entry] = matching(HISTORY, filter_of("pricing.yaml", US, EVENTS))
    assert [t.id for t in entry.status_commits] == [STATUS.id, OTHER.id]


def test_a_hash_prefix_matches_commits_and_transactions() -> None:
    [entry] = matching(HISTORY, filter_of("B" * 9, US, EVENTS))
    assert entry.desired.id == "b" * 40
    for prefix in ("AB12AB12", "ab12ab12", "f" * 7):
        [entry] = matching(HISTORY, filter_of(prefix, US, EVENTS))
        assert entry.status_commits == (STATUS,)
    assert not list(matching(HISTORY, filter_of("0123456789", US, EVENTS)))


def test_unknown_names_match_nothing() -> None:
    assert not list(matching(HISTORY, filter_of("ve1alice/8/1/1", US, EVENTS)))
    assert not list(matching(HISTORY, filter_of("workloads/8-1-1-aaaaaaaaaa.yaml", US, EVENTS)))
    assert not list(matching(HISTORY, filter_of("../../etc", US, EVENTS)))

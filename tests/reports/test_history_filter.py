"""One object has many names; each finds the same."""

from __future__ import annotations

import pytest

from reconciler.reports.history import chronicle
from reconciler.reports.history_filter import HistoryFilter, about, sought
from reconciler.values.history import DesiredRevision, StatusRevision
from reconciler.values.ids import LeaseId, OrderId, workload_id

US = "ve1us"
ORDER = OrderId("ve1alice", 7, 1, 1)
LEASE = LeaseId(ORDER, US)
NAME = workload_id(LEASE)
NEXT = OrderId("ve1alice", 7, 1, 11)
SAID = (f"Bid 2446uve a block on order {ORDER}", f"Bid 1uve a block on order {NEXT}", "Bid on order x/7/1")
TOLD = StatusRevision(
    "f" * 40,
    5,
    (*SAID, f"Workload {NAME}: Pending -> Deploying, lease accepted"),
    (f"workloads/3f/{NAME}.yaml", "summary.yaml"),
    "a" * 40,
    (),
    "plan",
    ("AB12" * 16,),
)
OTHER = StatusRevision("e" * 40, 6, ("Bid 1uve a block on order ve1bob/7/1/1",), ("README.md",), "a" * 40)
WHOLE = chronicle(
    [
        DesiredRevision("b" * 40, ("a" * 40,), files=(f"workloads/{NAME}.yaml",)),
        DesiredRevision("a" * 40, files=("pricing.yaml",)),
    ],
    [OTHER, TOLD],
)


@pytest.mark.parametrize("text", [NAME, f"workloads/{NAME}.yaml", str(LEASE), str(ORDER)])
def test_each_of_its_names_finds_all_of_them(text: str) -> None:
    found = sought(text, US, SAID)
    assert found == HistoryFilter(
        frozenset({NAME, str(LEASE), str(ORDER)}),
        frozenset({f"workloads/{NAME}.yaml", f"bids/{NAME}.yaml"}),
    )
    first, second = about(WHOLE, found)
    assert (first.asked.id, first.did) == ("b" * 40, ())
    [told] = second.did
    assert told.says == (SAID[0], TOLD.says[3]), "a number that begins another's is another's"
    assert told.transactions == TOLD.transactions


def test_without_an_address_names_stand_for_themselves() -> None:
    assert sought(str(ORDER), "", SAID).names == {str(ORDER)}
    assert sought(NAME, "", SAID).names == {NAME}


def test_a_file_is_shown_with_all_that_followed() -> None:
    [entry] = about(WHOLE, sought("pricing.yaml", US, SAID))
    assert [t.id for t in entry.did] == [TOLD.id, OTHER.id]


def test_a_hash_is_a_commits_or_a_transactions() -> None:
    [asked] = about(WHOLE, sought("B" * 9, US, SAID))
    assert asked.asked.id == "b" * 40
    for beginning in ("AB12AB12", "ab12ab12", "f" * 7):
        [entry] = about(WHOLE, sought(beginning, US, SAID))
        assert entry.did == (TOLD,)
    assert not list(about(WHOLE, sought("0123456789", US, SAID)))


def test_what_nobody_knows_is_nowhere() -> None:
    assert not list(about(WHOLE, sought("ve1alice/8/1/1", US, SAID)))
    assert not list(about(WHOLE, sought("workloads/8-1-1-aaaaaaaaaa.yaml", US, SAID)))
    assert not list(about(WHOLE, sought("../../etc", US, SAID)))

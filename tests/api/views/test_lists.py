"""Lists by the page: whole pages, nothing dropped, nothing twice, rows made once."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.api.routes.snapshot import WORKLOADS
from reconciler.api.startup import Started
from reconciler.api.views import schemas_cycle as shapes_cycle
from reconciler.api.views.lists import JsonList, ListForm, ListPage
from reconciler.api.views.schemas_market import LeasesAnswer
from reconciler.api.views.schemas_work import WorkloadsAnswer, WorkloadShape
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.funding import Funding, TimeLeft
from reconciler.values.ids import workload_id
from reconciler.values.plans import Hold, Reason
from reconciler.values.snapshot import LeaseSnapshot, Snapshot, WorkloadSnapshot
from tests.api.asking import ask
from tests.api.worlds import FULL, WELL, lease

MANY = tuple(
    sorted(
        (replace(WELL, id=workload_id(lease(n)), lease=lease(n)) for n in range(1, 60)), key=lambda w: w.id
    )
)


@given(limit=st.integers(1, 70))
def test_pages_together_are_the_list(limit: int) -> None:
    listing = JsonList(WORKLOADS)
    found: list[str] = []
    after = ""
    while True:
        answer = WorkloadsAnswer.model_validate_json(listing.body(MANY, ListPage(limit, after)))
        assert answer.total == len(MANY)
        assert len(answer.workloads) <= limit
        found += [w.id for w in answer.workloads]
        after = answer.next
        if not after:
            break
    assert found == [w.id for w in MANY]


def test_a_page_goes_on_after_an_id_that_is_gone() -> None:
    listing = JsonList(WORKLOADS)
    first = WorkloadsAnswer.model_validate_json(listing.body(MANY, ListPage(10)))
    left = [w for w in MANY if w.id != first.next]
    second = WorkloadsAnswer.model_validate_json(listing.body(left, ListPage(10, first.next)))
    assert second.workloads[0].id == MANY[10].id


def test_rows_are_made_once_and_again_when_they_change() -> None:
    made: list[str] = []

    def shape(found: WorkloadSnapshot) -> WorkloadShape:
        made.append(found.id)
        return WORKLOADS.shape(found)  # type: ignore[return-value]  # the form's own shape

    listing = JsonList(ListForm("workloads", WORKLOADS.key, str, shape))
    before = listing.body(MANY, ListPage())
    assert listing.body(tuple(replace(w) for w in MANY), ListPage()) == before
    assert len(made) == len(MANY)
    changed = (replace(MANY[0], ready=False), *MANY[1:])
    assert json.loads(listing.body(changed, ListPage()))["workloads"][0]["ready"] is False
    assert made[len(MANY) :] == [MANY[0].id]


def test_rows_that_are_gone_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.api.views.lists.SPARE", 5)
    listing = JsonList(WORKLOADS)
    listing.body(MANY, ListPage())
    listing.body(MANY[:3], ListPage())
    assert len(listing._rows) == 3


def test_an_empty_list_is_a_list() -> None:
    assert json.loads(JsonList(WORKLOADS).body((), ListPage())) == {"workloads": [], "total": 0, "next": ""}


def test_leases_are_found_by_tenant_and_by_the_state_of_their_escrow(
    board: SnapshotStore, servers: Started
) -> None:
    low = TimeLeft(Funding.LOW, 10, 50)
    leases = tuple(LeaseSnapshot(lease(n), WELL.lease_state, WELL.price) for n in range(1, 5))
    board.show(replace(FULL, leases=(*leases[:3], replace(leases[3], funding=low))))
    at = servers.ports.api
    assert ask(at, "/api/v1/leases?limit=2").tree["next"] == "ve1tenant/2/1/1/ve1provider"
    answer = ask(at, "/api/v1/leases?funding=low")
    LeasesAnswer.model_validate(answer.tree)
    [found] = answer.tree["leases"]
    assert found["funding"] == {"state": "low", "blocks_left": 10, "seconds_left": 50}
    assert found["workload"] == workload_id(lease(4))
    assert ask(at, "/api/v1/leases?contains=tenant/3").tree["total"] == 1
    assert ask(at, "/api/v1/leases?contains=nobody").tree["total"] == 0
    refused = ask(at, "/api/v1/leases?after=x")
    assert (refused.code, refused.tree["advice"]) == (400, "ask with `next` of the page before")
    assert refused.tree["error"] == "after=x is not of the form ^([^/]+/[0-9]+/[0-9]+/[0-9]+/[^/]+)?$"


def test_bids_are_listed(servers: Started) -> None:
    [found] = ask(servers.ports.api, "/api/v1/bids").tree["bids"]
    assert (found["price_uve"], found["deposit_uve"], found["created_at_height"]) == ("2733", 500_000, 88)


def test_holds_are_told_page_by_page_and_none_is_lost(board: SnapshotStore, servers: Started) -> None:
    subjects = ["", "repository", *(f"ve1tenant/{n}/1/1" for n in range(30)), "workloads/a b.yaml"]
    held = [Hold(s, Reason.CEILING, f"{s} {n}", ours=n == 1) for s in subjects for n in range(3)]
    board.show(replace(FULL, holds=tuple(sorted(held))))
    found: list[dict[str, str]] = []
    after = ""
    while True:
        path = f"/api/v1/holds?limit=7&after={quote(after)}"
        page = shapes_cycle.HoldsAnswer.model_validate_json(ask(servers.ports.api, path).body)
        assert page.total == len(held)
        found += [each.model_dump() for each in page.holds]
        if not (after := page.next):
            break
    assert len(found) == len(held)
    assert {(h["subject"], h["message"]) for h in found} == {(h.subject, h.message) for h in held}
    for about, count in (("orders", 90), ("others", 9)):
        told = ask(servers.ports.api, f"/api/v1/holds?about={about}").tree
        assert (len(told["holds"]), told["total"]) == (count, count)
    assert ask(servers.ports.api, "/api/v1/holds?contains=000&about=others").tree["holds"] == []
    assert ask(servers.ports.api, "/api/v1/holds?after=nonsense").code == 400


def test_an_answer_is_made_once_for_a_snapshot_and_known_by_its_mark(
    board: SnapshotStore, servers: Started
) -> None:
    at = servers.ports.api
    first = ask(at, "/api/v1/workloads")
    again = ask(at, "/api/v1/workloads", If_None_Match=first.headers["etag"])
    assert (again.code, again.body) == (304, b"")
    board.show(Snapshot())
    other = ask(at, "/api/v1/workloads", If_None_Match=first.headers["etag"])
    assert (other.code, other.tree["total"]) == (200, 0)
    assert first.headers["cache-control"] == "no-cache"


def test_long_answers_come_compressed_to_who_reads_that(board: SnapshotStore, servers: Started) -> None:
    board.show(replace(FULL, workloads=MANY))
    at = servers.ports.api
    plain = ask(at, "/api/v1/workloads")
    zipped = ask(at, "/api/v1/workloads", Accept_Encoding="gzip, deflate")
    assert zipped.headers["content-encoding"] == "gzip"
    assert len(zipped.body) < len(plain.body) / 3
    assert gzip.decompress(zipped.body) == plain.body
    assert "content-encoding" not in plain.headers

"""Lists page by page: whole pages, no row dropped or repeated."""

from __future__ import annotations

import gzip
from dataclasses import replace
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from reconciler.api.startup import Started
from reconciler.reports.list_view import ListPage, ListView, list_view
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.funding import Funding, TimeLeft
from reconciler.values.ids import workload_id
from reconciler.values.plans import Reason
from reconciler.values.snapshot import Snapshot
from reconciler.values.views import HoldView, LeaseView, WorkloadView
from tests.api.http_client import http_request
from tests.api.snapshots import FULL, hold_view, lease, workload_of

MANY = tuple(sorted((workload_of(lease(n)) for n in range(1, 60)), key=lambda w: w.id))


def listed(items: tuple[WorkloadView, ...], page: ListPage) -> ListView[WorkloadView]:
    return list_view(items, page, lambda workload: workload.id)


@given(limit=st.integers(1, 70))
def test_pages_together_are_the_list(limit: int) -> None:
    found: list[str] = []
    after = ""
    while True:
        page = listed(MANY, ListPage(limit, after))
        assert page.total == len(MANY)
        assert len(page.items) <= limit
        found += [w.id for w in page.items]
        after = page.next
        if not after:
            break
    assert found == [w.id for w in MANY]


def test_a_page_continues_after_an_id_that_is_gone() -> None:
    first = listed(MANY, ListPage(10))
    left = tuple(w for w in MANY if w.id != first.next)
    assert listed(left, ListPage(10, first.next)).items[0].id == MANY[10].id


def test_an_empty_list_has_no_next_page() -> None:
    assert listed((), ListPage()) == ListView((), 0, "")


def test_leases_are_filtered_by_tenant_and_escrow_state(snapshots: SnapshotStore, servers: Started) -> None:
    low = TimeLeft(Funding.LOW, 10, 50)
    leases = tuple(
        replace(FULL.leases[0], id=str(lease(n)), workload=workload_id(lease(n))) for n in range(1, 5)
    )
    snapshots.publish(replace(FULL, leases=(*leases[:3], replace(leases[3], funding=low))))
    at = servers.ports.api
    assert http_request(at, "/api/v1/leases?limit=2").tree["next"] == "ve1tenant/2/1/1/ve1provider"
    response = http_request(at, "/api/v1/leases?funding=low")
    response.view(ListView[LeaseView])
    [found] = response.tree["items"]
    assert found["funding"] == {
        "state": "low",
        "blocks_left": 10,
        "seconds_left": 50,
        "accrued_uve": 0,
        "source": "account",
    }
    assert found["workload"] == workload_id(lease(4))
    assert http_request(at, "/api/v1/leases?contains=tenant/3").tree["total"] == 1
    assert http_request(at, "/api/v1/leases?contains=nobody").tree["total"] == 0
    refused = http_request(at, "/api/v1/leases?after=x")
    assert (refused.code, refused.tree["advice"]) == (400, "use `next` of the previous page")
    assert refused.tree["error"] == "after=x does not match ^([^/]+/[0-9]+/[0-9]+/[0-9]+/[^/]+)?$"


def test_bids_are_listed(servers: Started) -> None:
    [found] = http_request(servers.ports.api, "/api/v1/bids").tree["items"]
    assert (found["price_uve"], found["deposit_uve"], found["created_at_height"]) == ("2733", 500_000, 88)


def test_the_pages_of_holds_are_complete(snapshots: SnapshotStore, servers: Started) -> None:
    subjects = ["", "repository", *(f"ve1tenant/{n}/1/1" for n in range(30)), "workloads/a b.yaml"]
    holds = [hold_view(s, Reason.CEILING, f"{s} {n}", ours=n == 1) for s in subjects for n in range(3)]
    snapshots.publish(replace(FULL, holds=tuple(sorted(holds))))
    found: list[HoldView] = []
    after = ""
    while True:
        path = f"/api/v1/holds?limit=7&after={quote(after)}"
        page: ListView[HoldView] = http_request(servers.ports.api, path).view(ListView[HoldView])
        assert page.total == len(holds)
        found += page.items
        if not (after := page.next):
            break
    assert len(found) == len(holds)
    assert set(found) == set(holds)
    for about, count in (("orders", 90), ("others", 9)):
        response = http_request(servers.ports.api, f"/api/v1/holds?about={about}").tree
        assert (len(response["items"]), response["total"]) == (count, count)
    assert http_request(servers.ports.api, "/api/v1/holds?contains=000&about=others").tree["items"] == []
    assert http_request(servers.ports.api, "/api/v1/holds?after=nonsense").code == 400


def test_a_response_is_rendered_once_per_snapshot_and_has_an_etag(
    snapshots: SnapshotStore, servers: Started
) -> None:
    at = servers.ports.api
    first = http_request(at, "/api/v1/workloads")
    again = http_request(at, "/api/v1/workloads", If_None_Match=first.headers["etag"])
    assert (again.code, again.body) == (304, b"")
    snapshots.publish(Snapshot())
    other = http_request(at, "/api/v1/workloads", If_None_Match=first.headers["etag"])
    assert (other.code, other.tree["total"]) == (200, 0)
    assert first.headers["cache-control"] == "no-cache"


def test_long_responses_are_compressed_on_request(snapshots: SnapshotStore, servers: Started) -> None:
    snapshots.publish(replace(FULL, workloads=MANY))
    at = servers.ports.api
    plain = http_request(at, "/api/v1/workloads")
    zipped = http_request(at, "/api/v1/workloads", Accept_Encoding="gzip, deflate")
    assert zipped.headers["content-encoding"] == "gzip"
    assert len(zipped.body) < len(plain.body) / 3
    assert gzip.decompress(zipped.body) == plain.body
    assert "content-encoding" not in plain.headers

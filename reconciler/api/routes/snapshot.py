"""Routes that read only the latest snapshot: none waits on the chain, a cluster or the disk."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from zlib import crc32

from reconciler.api.response_cache import ResponseCache
from reconciler.api.responses import ApiResponse, accepts_gzip, error_response, view_response
from reconciler.api.routes.routing import (
    ChoiceParameter,
    IntParameter,
    Parameter,
    ParsedRequest,
    Route,
    RouteAccess,
    TextParameter,
)
from reconciler.reports.list_view import ListPage, ListView, list_view
from reconciler.reports.market_view import BidEngineView, bid_engine_view
from reconciler.reports.plan_json import PlanView, short_plan_view
from reconciler.reports.provider_view import OverviewView, PastCycles, StatusView, overview, status_view
from reconciler.reports.readiness import unready
from reconciler.reports.view_json import list_text, view_text
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.funding import Funding
from reconciler.values.ids import LeaseId
from reconciler.values.lifecycle import Phase
from reconciler.values.observed import Trouble
from reconciler.values.snapshot import Snapshot
from reconciler.values.views import BidView, HealthView, HoldView, LeaseView, WorkloadDetailView, WorkloadView

LIMIT_MAX = 100_000
STATES = tuple(phase.value.lower() for phase in Phase)
ID = Parameter("id", TextParameter(), "The workload's id.", "path")
LIMIT = Parameter("limit", IntParameter(1, LIMIT_MAX), "Rows at most; default: all.")
CONTAINS = Parameter("contains", TextParameter(), "Rows whose id or owner contains this text.", default="")
NEXT = "use `next` of the previous page"
AFTER = "Rows after this id: `next` of the previous page."
LEASE_PATTERN = "^([^/]+/[0-9]+/[0-9]+/[0-9]+/[^/]+)?$"
PAGING = (LIMIT, Parameter("after", TextParameter(), AFTER, default=""), CONTAINS)
LEASE_PAGING = (LIMIT, Parameter("after", TextParameter(LEASE_PATTERN, NEXT), AFTER, default=""), CONTAINS)
HOLD_PATTERN = "^(.* [A-Za-z]+ [0-9a-f]{8})?$"
HOLD_PAGING = (LIMIT, Parameter("after", TextParameter(HOLD_PATTERN, NEXT), AFTER, default=""), CONTAINS)
ABOUT = Parameter(
    "about", ChoiceParameter(("orders", "others")), "Holds on orders, bids and leases, or others."
)
STATE = Parameter("state", ChoiceParameter(STATES), "Workloads in this state.")
FUNDING = Parameter("funding", ChoiceParameter(tuple(Funding)), "Leases whose escrow is in this state.")

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class SnapshotRoutes:
    """The routes; `now` gives unix seconds, `troubles` those of the daemon itself."""

    snapshots: SnapshotStore
    cache: ResponseCache
    now: Callable[[], int]
    stale_seconds: int
    troubles: Callable[[], tuple[Trouble, ...]] = tuple

    def routes(self) -> tuple[Route, ...]:
        """The last cycle's state: provider, bid engine, objects, holds, health."""
        return (
            Route("get", "/api/v1/status", "The provider as a whole.", StatusView, self.status),
            Route(
                "get",
                "/api/v1/bid-engine/status",
                "Our bids, and why other orders are not bid on.",
                BidEngineView,
                self.bid_engine,
            ),
            Route(
                "get",
                "/api/v1/workloads",
                "Our workloads, by id.",
                ListView[WorkloadView],
                self.workloads,
                (STATE, *PAGING),
            ),
            Route(
                "get",
                "/api/v1/workloads/{id}",
                "One workload with its lease and holds.",
                WorkloadDetailView,
                self.workload,
                (ID,),
                errors={404: "There is no such workload."},
            ),
            Route(
                "get",
                "/api/v1/leases",
                "Our active leases, by id.",
                ListView[LeaseView],
                self.leases,
                (FUNDING, *LEASE_PAGING),
            ),
            Route("get", "/api/v1/bids", "Our open bids, by id.", ListView[BidView], self.bids, LEASE_PAGING),
            Route(
                "get",
                "/api/v1/holds",
                "What is withheld and why, by subject.",
                ListView[HoldView],
                self.holds,
                (ABOUT, *HOLD_PAGING),
            ),
            Route("get", "/api/v1/plan", "The plan of the last cycle.", PlanView, self.plan),
            Route("get", "/api/v1/overview", "What the page at / shows.", OverviewView, self.overview),
            Route(
                "get",
                "/healthz",
                "Whether the servers respond.",
                HealthView,
                self.healthz,
                access=RouteAccess.OPEN,
            ),
            Route(
                "get",
                "/readyz",
                "Whether the daemon is ready.",
                HealthView,
                self.readyz,
                access=RouteAccess.OPEN,
                also={503: HealthView},
            ),
        )

    async def status(self, request: ParsedRequest) -> ApiResponse:
        return await self._cached(request, "status", lambda s: status_view(s, self.troubles()))

    async def bid_engine(self, request: ParsedRequest) -> ApiResponse:
        now = self.now()
        return await self._cached(request, ("bid-engine", now), lambda s: bid_engine_view(s, now))

    async def plan(self, request: ParsedRequest) -> ApiResponse:
        return await self._cached(request, "plan", lambda s: short_plan_view(s.plan))

    async def overview(self, request: ParsedRequest) -> ApiResponse:
        return await self._cached(request, "overview", self.overview_of)

    def overview_of(self, snapshot: Snapshot) -> OverviewView:
        """What the page shows now."""
        past = self.snapshots.history
        past_cycles = PastCycles(past.money(), *past.commits())
        return overview(status_view(snapshot, self.troubles()), snapshot, past_cycles, self.now())

    async def workloads(self, request: ParsedRequest) -> ApiResponse:
        page, state, text = _page(request), request.values["state"], request.values["contains"]

        def listed(snapshot: Snapshot) -> ListView[WorkloadView]:
            matching = _matching(
                snapshot.workloads,
                lambda w: state in (None, w.state) and (text in w.id or text in w.lease),
                filtered=bool(state or text),
            )
            return list_view(matching, page, lambda w: w.id)

        return await self._cached(request, ("workloads", page, state), listed)

    async def leases(self, request: ParsedRequest) -> ApiResponse:
        page, funding, text = _page(request), request.values["funding"], request.values["contains"]

        def listed(snapshot: Snapshot) -> ListView[LeaseView]:
            matching = _matching(
                snapshot.leases,
                lambda x: funding in (None, x.funding.state) and text in x.id,
                filtered=bool(funding or text),
            )
            return list_view(matching, page, lambda x: x.id, LeaseId.parse)

        return await self._cached(request, ("leases", page, funding), listed)

    async def bids(self, request: ParsedRequest) -> ApiResponse:
        page, text = _page(request), request.values["contains"]

        def listed(snapshot: Snapshot) -> ListView[BidView]:
            matching = _matching(snapshot.bids, lambda b: text in b.id, filtered=bool(text))
            return list_view(matching, page, lambda b: b.id, LeaseId.parse)

        return await self._cached(request, ("bids", page), listed)

    async def holds(self, request: ParsedRequest) -> ApiResponse:
        page, about, text = _page(request), request.values["about"], request.values["contains"]

        def matches(hold: HoldView) -> bool:
            return (about is None or bool(hold.order) is (about == "orders")) and text in hold.subject

        def listed(snapshot: Snapshot) -> ListView[HoldView]:
            matching = _matching(snapshot.holds, matches, filtered=bool(about or text))
            ordered = sorted(matching, key=lambda hold: _hold_order(_hold_id(hold)))
            return list_view(ordered, page, _hold_id, _hold_order)

        return await self._cached(request, ("holds", page, about), listed)

    async def workload(self, request: ParsedRequest) -> ApiResponse:
        snapshot = self.snapshots.snapshot
        found = find_workload(snapshot, request)
        if isinstance(found, ApiResponse):
            return found
        return view_response(WorkloadDetailView(found, lease_of(snapshot, found)))

    async def healthz(self, _: ParsedRequest) -> ApiResponse:
        return view_response(HealthView("ok"))

    async def readyz(self, request: ParsedRequest) -> ApiResponse:
        why = unready(self.snapshots.snapshot, self.now(), self.stale_seconds)
        if why and not request.trusted:
            why = "authenticate to see why"
        return view_response(HealthView("not ready" if why else "ok", why), 503 if why else 200)

    async def _cached(
        self, request: ParsedRequest, key: Hashable, view: Callable[[Snapshot], object]
    ) -> ApiResponse:
        def render(snapshot: Snapshot) -> bytes:
            found = view(snapshot)
            return (list_text(found) if isinstance(found, ListView) else view_text(found)).encode()

        found = await self.cache.get(key, render, gzipped=accepts_gzip(request.raw))
        return ApiResponse(found.body, etag=found.etag, gzipped=found.gzipped)


def find_workload(snapshot: Snapshot, request: ParsedRequest) -> WorkloadView | ApiResponse:
    """The workload that the request names, or the error that there is none."""
    wanted = request.values["id"]
    found = next((w for w in snapshot.workloads if w.id == wanted), None)
    if found is not None:
        return found
    advice = "GET /api/v1/workloads lists all; `provider-daemon explain` has former ones"
    return error_response(404, f"there is no workload {wanted}", advice)


def lease_of(snapshot: Snapshot, workload: WorkloadView) -> LeaseView | None:
    """The lease of a workload, if it is active."""
    return next((lease for lease in snapshot.leases if lease.id == workload.lease), None)


def _page(request: ParsedRequest) -> ListPage:
    return ListPage(request.values["limit"], request.values["after"], request.values["contains"])


def _matching(items: Sequence[Item], matches: Callable[[Item], bool], *, filtered: bool) -> Sequence[Item]:
    return [item for item in items if matches(item)] if filtered else items


def _hold_id(hold: HoldView) -> str:
    """Two holds on one subject may differ in their message alone."""
    return f"{hold.subject} {hold.reason.value} {crc32(hold.message.encode()):08x}"


def _hold_order(hold_id: str) -> tuple[str, ...]:
    return tuple(hold_id.rsplit(" ", 2))

"""Routes that answer from the snapshot alone: none of them waits on the chain, the cluster or the disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.api.response_cache import ResponseCache
from reconciler.api.responses import Reply, refused, shown, takes_zipped
from reconciler.api.routes.routing import Choice, Count, Parameter, ParsedRequest, Route, RouteAccess, Text
from reconciler.api.views import views as answers
from reconciler.api.views import views_cycle as answers_cycle
from reconciler.api.views import views_market as answers_market
from reconciler.api.views import views_page as answers_page
from reconciler.api.views import views_work as answers_work
from reconciler.api.views.lists import JsonList, ListForm, ListPage
from reconciler.api.views.schemas import HealthAnswer, Shape, StatusAnswer
from reconciler.api.views.schemas_cycle import HoldsAnswer, PlanAnswer
from reconciler.api.views.schemas_market import BidEngineAnswer, BidsAnswer, LeasesAnswer
from reconciler.api.views.schemas_page import OverviewAnswer
from reconciler.api.views.schemas_work import WorkloadAnswer, WorkloadsAnswer
from reconciler.api.views.views_market import is_about_order
from reconciler.runtime.readiness import unready
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.funding import Funding
from reconciler.values.ids import LeaseId
from reconciler.values.lifecycle import Phase
from reconciler.values.observed import Trouble
from reconciler.values.plans import Hold
from reconciler.values.snapshot import BidSnapshot, LeaseSnapshot, Snapshot, WorkloadSnapshot

LIMIT_MAX = 100_000
PHASES = {phase.value.lower(): phase for phase in Phase}
ID = Parameter("id", Text(), "The workload's id.", "path")
LIMIT = Parameter("limit", Count(1, LIMIT_MAX), "So many at most; left out: all.")
CONTAINS = Parameter(
    "contains", Text(), "Those whose id, owner's address included, contains this.", default=""
)
NEXT = "ask with `next` of the page before"
AFTER = "Those after this id: `next` of the page before."
LEASE_FORM = "^([^/]+/[0-9]+/[0-9]+/[0-9]+/[^/]+)?$"
PAGING = (LIMIT, Parameter("after", Text(), AFTER, default=""), CONTAINS)
LEASE_PAGING = (LIMIT, Parameter("after", Text(LEASE_FORM, NEXT), AFTER, default=""), CONTAINS)
HOLD_FORM = "^(.* [A-Za-z]+ [0-9a-f]{8})?$"
HOLD_PAGING = (LIMIT, Parameter("after", Text(HOLD_FORM, NEXT), AFTER, default=""), CONTAINS)
ABOUT = Parameter("about", Choice(("orders", "others")), "Those on orders and our bids, or all others.")
STATE = Parameter("state", Choice(tuple(PHASES)), "Those in this state.")
FUNDING = Parameter("funding", Choice(tuple(Funding)), "Those whose escrow is in this state.")

WORKLOADS: ListForm[WorkloadSnapshot] = ListForm(
    "workloads", lambda w: w.id, str, answers_work.workload_shape
)
LEASES: ListForm[LeaseSnapshot] = ListForm("leases", lambda x: x.id, LeaseId.parse, answers_market.lease)
BIDS: ListForm[BidSnapshot] = ListForm("bids", lambda b: b.id, LeaseId.parse, answers.bid)
HOLDS: ListForm[Hold] = ListForm(
    "holds", answers_cycle.hold_place, answers_cycle.HoldPlace.parse, answers_cycle.hold
)


@dataclass(frozen=True, slots=True)
class SnapshotRoutes:
    """The routes over a board; `now` gives unix seconds, `troubles` those of the daemon itself."""

    board: SnapshotStore
    press: ResponseCache
    now: Callable[[], int]
    stale_seconds: int
    workload_list: JsonList[WorkloadSnapshot]
    lease_list: JsonList[LeaseSnapshot]
    bid_list: JsonList[BidSnapshot]
    hold_list: JsonList[Hold]
    troubles: Callable[[], tuple[Trouble, ...]] = tuple

    def routes(self) -> tuple[Route, ...]:
        """In the order of the operator's sheet."""
        unknown = {404: "There is no such workload."}
        unready = {503: HealthAnswer}
        return (
            Route("get", "/api/v1/status", "The provider as a whole.", StatusAnswer, self.status),
            Route(
                "get",
                "/api/v1/bid-engine/status",
                "What is bid on, and why the rest is not.",
                BidEngineAnswer,
                self.bid_engine,
            ),
            Route(
                "get",
                "/api/v1/workloads",
                "Workloads of ours.",
                WorkloadsAnswer,
                self.workloads,
                (STATE, *PAGING),
            ),
            Route(
                "get",
                "/api/v1/workloads/{id}",
                "One of them, with its lease and what is withheld from it.",
                WorkloadAnswer,
                self.workload,
                (ID,),
                refusals=unknown,
            ),
            Route(
                "get",
                "/api/v1/leases",
                "Active leases of ours.",
                LeasesAnswer,
                self.leases,
                (FUNDING, *LEASE_PAGING),
            ),
            Route("get", "/api/v1/bids", "Open bids of ours.", BidsAnswer, self.bids, LEASE_PAGING),
            Route(
                "get",
                "/api/v1/holds",
                "What is withheld, and why.",
                HoldsAnswer,
                self.holds,
                (ABOUT, *HOLD_PAGING),
            ),
            Route("get", "/api/v1/plan", "What the last cycle decided.", PlanAnswer, self.plan),
            Route("get", "/api/v1/overview", "What the page at / shows.", OverviewAnswer, self.overview),
            Route(
                "get",
                "/healthz",
                "Whether the servers answer.",
                HealthAnswer,
                self.healthz,
                access=RouteAccess.OPEN,
            ),
            Route(
                "get",
                "/readyz",
                "Whether the daemon may be relied on.",
                HealthAnswer,
                self.readyz,
                access=RouteAccess.OPEN,
                also=unready,
            ),
        )

    async def status(self, asked: ParsedRequest) -> Reply:
        return await self._whole(asked, "status", lambda s: answers.status(s, self.troubles()))

    async def bid_engine(self, asked: ParsedRequest) -> Reply:
        now = self.now()
        return await self._whole(asked, ("bid-engine", now), lambda s: answers_market.bid_engine(s, now))

    async def plan(self, asked: ParsedRequest) -> Reply:
        return await self._whole(asked, "plan", lambda s: answers_cycle.plan_answer(s.plan))

    async def overview(self, asked: ParsedRequest) -> Reply:
        return await self._whole(asked, "overview", self.overview_of)

    def overview_of(self, snapshot: Snapshot) -> OverviewAnswer:
        """What the page shows now."""
        course = self.board.course
        past = answers_page.Past(course.money(), *course.commits(), self.troubles())
        return answers_page.overview(snapshot, past, self.now())

    async def workloads(self, asked: ParsedRequest) -> Reply:
        page, state, text = _page(asked), asked.values["state"], asked.values["contains"]

        def fits(found: WorkloadSnapshot) -> bool:
            right = state is None or found.phase is PHASES[state]
            return right and (not text or text in found.id or text in str(found.lease))

        wanted = fits if state or text else None
        key = ("workloads", page, state)
        return await self._printed(asked, key, lambda s: self.workload_list.body(s.workloads, page, wanted))

    async def leases(self, asked: ParsedRequest) -> Reply:
        page, funding, text = _page(asked), asked.values["funding"], asked.values["contains"]

        def fits(found: LeaseSnapshot) -> bool:
            return (funding is None or found.funding.state == funding) and text in str(found.id)

        wanted = fits if funding or text else None
        key = ("leases", page, funding)
        return await self._printed(asked, key, lambda s: self.lease_list.body(s.leases, page, wanted))

    async def bids(self, asked: ParsedRequest) -> Reply:
        page, text = _page(asked), asked.values["contains"]
        wanted = (lambda b: text in str(b.id)) if text else None
        return await self._printed(asked, ("bids", page), lambda s: self.bid_list.body(s.bids, page, wanted))

    async def holds(self, asked: ParsedRequest) -> Reply:
        page, about, text = _page(asked), asked.values["about"], asked.values["contains"]

        def fits(found: Hold) -> bool:
            right = about is None or is_about_order(found) is (about == "orders")
            return right and text in found.subject

        def body(snapshot: Snapshot) -> bytes:
            listed = sorted(snapshot.holds, key=answers_cycle.hold_place)
            return self.hold_list.body(listed, page, fits if about or text else None)

        return await self._printed(asked, ("holds", page, about), body)

    async def workload(self, asked: ParsedRequest) -> Reply:
        snapshot = self.board.snapshot
        found = find(snapshot, asked)
        return found if isinstance(found, Reply) else shown(answers_work.workload(snapshot, found))

    async def healthz(self, _: ParsedRequest) -> Reply:
        return shown(HealthAnswer(status="ok", why=""))

    async def readyz(self, asked: ParsedRequest) -> Reply:
        why = unready(self.board.snapshot, self.now(), self.stale_seconds)
        if why and not asked.trusted:
            why = "ask with a token to learn why"
        return shown(HealthAnswer(status="not ready" if why else "ok", why=why), 503 if why else 200)

    async def _whole(self, asked: ParsedRequest, key: object, make: Callable[[Snapshot], Shape]) -> Reply:
        return await self._printed(asked, key, lambda snapshot: shown(make(snapshot)).body)

    async def _printed(self, asked: ParsedRequest, key: object, make: Callable[[Snapshot], bytes]) -> Reply:
        found = await self.press.print(key, make, zipped=takes_zipped(asked.request))
        return Reply(found.body, etag=found.etag, zipped=found.zipped)


def reads(
    board: SnapshotStore, press: ResponseCache, now: Callable[[], int], stale_seconds: int
) -> SnapshotRoutes:
    """The routes with empty lists."""
    return SnapshotRoutes(
        board,
        press,
        now,
        stale_seconds,
        JsonList(WORKLOADS),
        JsonList(LEASES),
        JsonList(BIDS),
        JsonList(HOLDS),
    )


def find(snapshot: Snapshot, asked: ParsedRequest) -> WorkloadSnapshot | Reply:
    """The workload that is asked about, or that there is none."""
    wanted = asked.values["id"]
    found = next((w for w in snapshot.workloads if w.id == wanted), None)
    if found is not None:
        return found
    advice = "GET /api/v1/workloads lists those there are; `provider-daemon explain` knows former ones"
    return refused(404, f"there is no workload {wanted}", advice)


def _page(asked: ParsedRequest) -> ListPage:
    return ListPage(asked.values["limit"], asked.values["after"], asked.values["contains"])

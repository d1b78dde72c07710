"""Routes that may wait: on an adapter (logs, events, metrics), or on the journal's file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from reconciler.api.responses import TEXT, ApiResponse, error_response, view_response
from reconciler.api.routes.routing import (
    ChoiceParameter,
    IntParameter,
    Parameter,
    ParsedRequest,
    Route,
    RouteAccess,
    RouteHandler,
    TextParameter,
    WrongParameterError,
)
from reconciler.api.routes.snapshot import ID, find_workload, lease_of
from reconciler.journal.errors import JournalError
from reconciler.ports import History, Inspector
from reconciler.reports.explanation import ExplainedCase, explanation
from reconciler.reports.journal_view import EVENTS_MAX, JournalView, journal_view
from reconciler.reports.ledger import LedgerKey, LedgerSumsView, RunningSums
from reconciler.reports.market_view import OrderDecisionView, order_decision
from reconciler.reports.workload_view import ExplanationView, UseView, WorkloadEventsView, use_view
from reconciler.runtime.bounded_executor import BoundedExecutor, ExecutorBusyError, collect
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.ids import LeaseId, OrderId
from reconciler.values.memory import Memory
from reconciler.values.snapshot import Snapshot
from reconciler.values.subjects import Subject
from reconciler.values.views import WorkloadDetailView, WorkloadView

TAIL_DEFAULT = 1_000
TAIL_MAX = 10_000
PAGE_DEFAULT = 50
PAGE_MAX = 500
NUMBER_MAX = 2**64 - 1

TAIL = Parameter("tail", IntParameter(1, TAIL_MAX), "Last lines of each container.", default=TAIL_DEFAULT)
JOURNAL_PAGE = (
    Parameter("limit", IntParameter(1, PAGE_MAX), "Transactions at most.", default=PAGE_DEFAULT),
    Parameter("before", IntParameter(0, 2**62), "Positions below: `next` of the previous page.", default=0),
)
LEDGER_KEY = Parameter(
    "by",
    ChoiceParameter(tuple(key.value for key in LedgerKey)),
    "What entries are summed by.",
    default=LedgerKey.TENANT.value,
)
ORDER = (
    Parameter("owner", TextParameter(), "The tenant's address.", "path"),
    Parameter("dseq", IntParameter(0, NUMBER_MAX), "The deployment's number.", "path"),
    Parameter("gseq", IntParameter(0, NUMBER_MAX), "The group's number.", "path"),
    Parameter("oseq", IntParameter(0, NUMBER_MAX), "The order's number.", "path"),
)
UNKNOWN_WORKLOAD = {404: "There is no such workload."}
JOURNAL_ERRORS = {
    503: "The journal cannot be read, or too many requests are reading it.",
    504: "The journal does not respond.",
}
ADAPTER_ERRORS = UNKNOWN_WORKLOAD | {
    502: "The adapter responds with an error.",
    503: "Too many requests are reading from adapters.",
    504: "The adapter does not respond.",
}

AdapterRead = Callable[[Inspector, WorkloadView, threading.Event], ApiResponse]


class LedgerReader:
    """The sums of the ledger; each request reads only what was booked since the last one. Thread-safe."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._lock = threading.Lock()
        self._sums, self._row, self._deletions = RunningSums(), 0, 0

    def view(self, by: LedgerKey) -> LedgerSumsView:
        """The sums by a key. Raises JournalError."""
        with self._lock:
            page = self._history.ledger_after(self._row)
            if page.deletions != self._deletions:
                self._sums, page = RunningSums(), self._history.ledger_after(0)
            self._row, self._deletions = page.last_row, page.deletions
            self._sums.add(page.entries)
            return self._sums.view(by)


@dataclass(frozen=True, slots=True)
class LiveRoutes:
    """The routes; adapters and journal have an executor each."""

    snapshots: SnapshotStore
    inspectors: Mapping[str, Inspector]
    history: History
    ledger_reader: LedgerReader
    adapter_reads: BoundedExecutor
    journal_reads: BoundedExecutor

    def routes(self) -> tuple[Route, ...]:
        """Logs, resource usage and events of a workload, explanations, decisions and the journal."""
        return (
            _adapter_route("logs", "The last lines of its containers.", TEXT, self.logs, TAIL),
            _adapter_route("metrics", "Its resource usage.", UseView, self.metrics),
            _adapter_route("events", "The adapter's events about it.", WorkloadEventsView, self.events),
            Route(
                "get",
                "/api/v1/workloads/{id}/explain",
                "Why the workload is in its state.",
                ExplanationView,
                self.explain,
                (ID,),
                errors=UNKNOWN_WORKLOAD | JOURNAL_ERRORS,
                access=RouteAccess.EXPENSIVE,
            ),
            Route(
                "get",
                "/api/v1/orders/{owner}/{dseq}/{gseq}/{oseq}/decision",
                "Why an order was or was not bid on.",
                OrderDecisionView,
                self.decision,
                ORDER,
                errors={404: "The order is unknown."} | JOURNAL_ERRORS,
                access=RouteAccess.EXPENSIVE,
            ),
            Route(
                "get",
                "/api/v1/journal",
                "Transactions, and the latest events and decisions.",
                JournalView,
                self.journal,
                JOURNAL_PAGE,
                errors=JOURNAL_ERRORS,
                access=RouteAccess.EXPENSIVE,
            ),
            Route(
                "get",
                "/api/v1/ledger",
                "Income, fees, deposits and other changes of the wallet, by lease, tenant or day.",
                LedgerSumsView,
                self.ledger,
                (LEDGER_KEY,),
                errors=JOURNAL_ERRORS,
                access=RouteAccess.EXPENSIVE,
            ),
        )

    async def logs(self, request: ParsedRequest) -> ApiResponse:
        lines = request.values["tail"]

        def read(inspector: Inspector, workload: WorkloadView, gone: threading.Event) -> ApiResponse:
            return ApiResponse(collect(inspector.logs(workload.id, lines), gone), TEXT)

        return await self._read_adapter(request, "logs", read)

    async def metrics(self, request: ParsedRequest) -> ApiResponse:
        def read(inspector: Inspector, workload: WorkloadView, _: threading.Event) -> ApiResponse:
            return view_response(use_view(workload.id, inspector.use(workload.id)))

        return await self._read_adapter(request, "metrics", read)

    async def events(self, request: ParsedRequest) -> ApiResponse:
        def read(inspector: Inspector, workload: WorkloadView, _: threading.Event) -> ApiResponse:
            found = inspector.events(workload.id)
            return view_response(WorkloadEventsView(workload.id, found.listed, found.complete))

        return await self._read_adapter(request, "events", read)

    async def explain(self, request: ParsedRequest) -> ApiResponse:
        snapshot = self.snapshots.snapshot
        workload = find_workload(snapshot, request)
        if isinstance(workload, ApiResponse):
            return workload
        return await self._read_journal(lambda: self._explanation(snapshot, workload))

    async def decision(self, request: ParsedRequest) -> ApiResponse:
        values = request.values
        try:
            order = OrderId.parse(f"{values['owner']}/{values['dseq']}/{values['gseq']}/{values['oseq']}")
        except ValueError as error:
            advice = "use /api/v1/orders/OWNER/DSEQ/GSEQ/OSEQ/decision"
            raise WrongParameterError(str(error), advice) from None
        snapshot = self.snapshots.snapshot
        return await self._read_journal(lambda: self._decision(snapshot, order))

    async def journal(self, request: ParsedRequest) -> ApiResponse:
        before, limit = request.values["before"], request.values["limit"]

        def read() -> ApiResponse:
            events = self.history.events(0, EVENTS_MAX)
            return view_response(journal_view(self.history.page(before, limit), events))

        return await self._read_journal(read)

    async def ledger(self, request: ParsedRequest) -> ApiResponse:
        key = LedgerKey(request.values["by"])
        return await self._read_journal(lambda: view_response(self.ledger_reader.view(key)))

    def _explanation(self, snapshot: Snapshot, workload: WorkloadView) -> ApiResponse:
        lease = LeaseId.parse(workload.lease)
        case = ExplainedCase(
            order=lease.order,
            lease=lease,
            workload=workload.id,
            decisions=(),
            memory=snapshot.plan.memory if snapshot.plan else Memory(),
            observed=WorkloadDetailView(workload, lease_of(snapshot, workload)),
        )
        decisions = tuple(d for subject in case.subjects for d in self.history.decisions(subject))
        return view_response(ExplanationView(workload.id, explanation(replace(case, decisions=decisions))))

    def _decision(self, snapshot: Snapshot, order: OrderId) -> ApiResponse:
        found = order_decision(snapshot, order, self.history.decisions(Subject.of_order(order)))
        if found is not None:
            return view_response(found)
        advice = "a decision exists once the daemon has seen an order; it is kept for two weeks"
        return error_response(404, f"order {order} is unknown", advice)

    async def _read_journal(self, read: Callable[[], ApiResponse]) -> ApiResponse:
        try:
            return await self.journal_reads.run(lambda _: read())
        except ExecutorBusyError:
            return error_response(503, "too many requests are reading the journal", "try again in a moment")
        except TimeoutError:
            return error_response(504, "the journal did not respond in time", "check its disk")
        except JournalError as error:
            return error_response(503, str(error), "`provider-daemon doctor` checks its disk")

    async def _read_adapter(self, request: ParsedRequest, what: str, read: AdapterRead) -> ApiResponse:
        workload = find_workload(self.snapshots.snapshot, request)
        if isinstance(workload, ApiResponse):
            return workload
        adapter = workload.adapter
        inspector = self.inspectors.get(adapter)
        state = f"GET /api/v1/workloads/{workload.id} has its state"
        if inspector is None:
            advice = f"add its file, and its entry in the host file; {state}"
            return error_response(
                502, f"there is no adapter {adapter}" if adapter else "no adapter runs it", advice
            )
        try:
            return await self.adapter_reads.run(lambda gone: read(inspector, workload, gone))
        except ExecutorBusyError:
            return error_response(503, "too many requests are reading from adapters", "try again in a moment")
        except TimeoutError:
            message = f"the {what} of {workload.id} did not arrive in time"
            return error_response(504, message, f"check that {adapter} responds")
        except OSError as error:
            message = f"the {what} of {workload.id} cannot be read: {error}"
            return error_response(502, message, f"check that {adapter} responds; {state}")


def _adapter_route(
    what: str, summary: str, response: type | str, handler: RouteHandler, *parameters: Parameter
) -> Route:
    return Route(
        "get",
        f"/api/v1/workloads/{{id}}/{what}",
        summary,
        response,
        handler,
        (ID, *parameters),
        errors=ADAPTER_ERRORS,
        access=RouteAccess.EXPENSIVE,
    )

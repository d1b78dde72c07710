"""Routes that may wait: on an adapter's machines (logs, events, metrics), or on the journal's file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from reconciler.api.responses import TEXT, Reply, refused, shown
from reconciler.api.routes.routing import (
    Act,
    Count,
    Parameter,
    ParsedRequest,
    Route,
    RouteAccess,
    Text,
    WrongParameterError,
)
from reconciler.api.routes.snapshot import ID, find
from reconciler.api.views import views_cycle as answers_cycle
from reconciler.api.views import views_market as answers_market
from reconciler.api.views import views_work as answers_work
from reconciler.api.views.schemas import Shape
from reconciler.api.views.schemas_cycle import JournalAnswer
from reconciler.api.views.schemas_market import OrderDecisionAnswer
from reconciler.api.views.schemas_work import CauseAnswer, EventsAnswer, UseAnswer
from reconciler.journal.faults import JournalError
from reconciler.ports import History, Inspector
from reconciler.reports.explanation import ExplainedCase
from reconciler.runtime.bounded_executor import BoundedExecutor, ExecutorBusyError, collect
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.ids import OrderId
from reconciler.values.snapshot import Snapshot, WorkloadSnapshot

TAIL_DEFAULT = 1_000
TAIL_MAX = 10_000
PAGE_DEFAULT = 50
PAGE_MAX = 500
NUMBER_MAX = 2**64 - 1

TAIL = Parameter("tail", Count(1, TAIL_MAX), "So many last lines of each container.", default=TAIL_DEFAULT)
JOURNAL_PAGE = (
    Parameter("limit", Count(1, PAGE_MAX), "So many transactions.", default=PAGE_DEFAULT),
    Parameter("before", Count(0, 2**62), "Those before this position: `next` of the page before.", default=0),
)
ORDER = (
    Parameter("owner", Text(), "The tenant's address.", "path"),
    Parameter("dseq", Count(0, NUMBER_MAX), "The deployment's number.", "path"),
    Parameter("gseq", Count(0, NUMBER_MAX), "The group's number.", "path"),
    Parameter("oseq", Count(0, NUMBER_MAX), "The order's number.", "path"),
)

JOURNAL_REFUSALS = {
    503: "The journal cannot be read, or is being read by as many as read it at once.",
    504: "The journal does not answer.",
}


@dataclass(frozen=True, slots=True)
class LiveRoutes:
    """The routes; each kind of wait has a desk of its own."""

    board: SnapshotStore
    inspectors: Mapping[str, Inspector]
    history: History
    machines: BoundedExecutor
    journal_desk: BoundedExecutor

    def routes(self) -> tuple[Route, ...]:
        """In the order of the operator's sheet."""
        unknown = {404: "There is no such workload."}
        return (
            _machines("logs", "The last lines of its containers.", TEXT, self.logs, TAIL),
            _machines("metrics", "What it uses.", UseAnswer, self.metrics),
            _machines("events", "What the machines said about it.", EventsAnswer, self.events),
            Route(
                "get",
                "/api/v1/workloads/{id}/explain",
                "Why it is as it is.",
                CauseAnswer,
                self.explain,
                (ID,),
                refusals=unknown | JOURNAL_REFUSALS,
                access=RouteAccess.EXPENSIVE,
            ),
            Route(
                "get",
                "/api/v1/orders/{owner}/{dseq}/{gseq}/{oseq}/decision",
                "Why we did or did not bid on an order.",
                OrderDecisionAnswer,
                self.decision,
                ORDER,
                refusals={404: "Nothing is known of it."} | JOURNAL_REFUSALS,
                access=RouteAccess.EXPENSIVE,
            ),
            Route(
                "get",
                "/api/v1/journal",
                "Transactions and the latest decisions.",
                JournalAnswer,
                self.journal,
                JOURNAL_PAGE,
                refusals=JOURNAL_REFUSALS,
                access=RouteAccess.EXPENSIVE,
            ),
        )

    async def logs(self, asked: ParsedRequest) -> Reply:
        lines = asked.values["tail"]

        def read(inspector: Inspector, found: WorkloadSnapshot, gone: threading.Event) -> Reply:
            return Reply(collect(inspector.logs(found.id, lines), gone), TEXT)

        return await self._inspect(asked, "logs", read)

    async def metrics(self, asked: ParsedRequest) -> Reply:
        def read(inspector: Inspector, found: WorkloadSnapshot, _: threading.Event) -> Reply:
            return shown(answers_work.use(found, inspector.use(found.id)))

        return await self._inspect(asked, "metrics", read)

    async def events(self, asked: ParsedRequest) -> Reply:
        def read(inspector: Inspector, found: WorkloadSnapshot, _: threading.Event) -> Reply:
            return shown(answers_work.events(found, inspector.happenings(found.id)))

        return await self._inspect(asked, "events", read)

    async def explain(self, asked: ParsedRequest) -> Reply:
        snapshot = self.board.snapshot
        found = find(snapshot, asked)
        if isinstance(found, Reply):
            return found
        case = answers_work.case(snapshot, found)
        return await self._remember(lambda: shown(answers_work.cause(self._recorded(case))))

    async def decision(self, asked: ParsedRequest) -> Reply:
        values = asked.values
        try:
            order = OrderId.parse(f"{values['owner']}/{values['dseq']}/{values['gseq']}/{values['oseq']}")
        except ValueError as error:
            raise WrongParameterError(
                str(error), "ask as /api/v1/orders/OWNER/DSEQ/GSEQ/OSEQ/decision"
            ) from None
        snapshot = self.board.snapshot
        return await self._remember(lambda: self._decision(snapshot, order))

    async def journal(self, asked: ParsedRequest) -> Reply:
        before, limit = asked.values["before"], asked.values["limit"]

        def read() -> Reply:
            events = self.history.events(0, answers_cycle.EVENTS_MAX)
            return shown(answers_cycle.journal(self.history.look(before, limit), events))

        return await self._remember(read)

    def _decision(self, snapshot: Snapshot, order: OrderId) -> Reply:
        found = answers_market.order_decision(snapshot, order, self.history.decisions(str(order)))
        if found is not None:
            return shown(found)
        advice = (
            "a decision is made once the daemon has seen an order; old ones are forgotten after two weeks"
        )
        return refused(404, f"nothing is known of order {order}", advice)

    def _recorded(self, case: ExplainedCase) -> ExplainedCase:
        decisions = tuple(d for name in case.subjects for d in self.history.decisions(name))
        return replace(case, decisions=decisions)

    async def _remember(self, read: Callable[[], Reply]) -> Reply:
        try:
            return await self.journal_desk.ask(lambda _: read())
        except ExecutorBusyError:
            return refused(503, "the journal is being read by others", "try again in a moment")
        except TimeoutError:
            return refused(504, "the journal did not answer in time", "see whether its disk is well")
        except JournalError as error:
            return refused(503, str(error), "`provider-daemon doctor` looks at its disk")

    async def _inspect(
        self,
        asked: ParsedRequest,
        what: str,
        read: Callable[[Inspector, WorkloadSnapshot, threading.Event], Reply],
    ) -> Reply:
        found = find(self.board.snapshot, asked)
        if isinstance(found, Reply):
            return found
        inspector = self.inspectors.get(found.adapter)
        told = f"GET /api/v1/workloads/{found.id} tells its state"
        if inspector is None:
            return refused(502, f"no adapter {found.adapter} is here", f"name it in the host file; {told}")
        try:
            return await self.machines.ask(lambda gone: read(inspector, found, gone))
        except ExecutorBusyError:
            return refused(503, f"as many {what} as are read at once are being read", "try again in a moment")
        except TimeoutError:
            return refused(
                504,
                f"the {what} of {found.id} did not come in time",
                f"see whether its {found.adapter} answers",
            )
        except OSError as error:
            advice = f"see whether its {found.adapter} answers; {told}"
            return refused(502, f"the {what} of {found.id} cannot be read: {error}", advice)


def _machines(what: str, words: str, answer: type[Shape] | str, act: Act, *parameters: Parameter) -> Route:
    refusals = {
        404: "There is no such workload.",
        502: "Its adapter's machines answer with an error.",
        503: "As many are being read as are read at once.",
        504: "Its adapter's machines do not answer.",
    }
    return Route(
        "get",
        f"/api/v1/workloads/{{id}}/{what}",
        words,
        answer,
        act,
        (ID, *parameters),
        refusals=refusals,
        access=RouteAccess.EXPENSIVE,
    )

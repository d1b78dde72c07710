"""Why something is as it is: from the order over bid, lease and workload to the next try. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.values.durations import lasting
from reconciler.values.ids import LeaseId, OrderId, WorkloadId
from reconciler.values.memory import Memory, Retry, WorkloadMemory
from reconciler.values.money import plain
from reconciler.values.records import Decision
from reconciler.values.snapshot import LeaseSnapshot, WorkloadSnapshot

EFFECTS = ("ApplyWorkload", "RemoveWorkload")
BIDDING = ("CreateBid", "CloseBid")


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the chain: `word` is its state in one word, `since` and `until` unix seconds (0: not known,
    or not over).
    """

    step: str
    word: str
    says: str
    since: int = 0
    until: int = 0


@dataclass(frozen=True, slots=True)
class ExplanationBasis:
    """What a running daemon saw last of a workload; its lease, where that is active."""

    workload: WorkloadSnapshot
    lease: LeaseSnapshot | None


@dataclass(frozen=True, slots=True)
class ExplainedCase:
    """What is asked about, by all of its ids, what the journal has on it (decisions newest first), and what
    is seen of it, where a daemon runs.
    """

    order: OrderId | None
    lease: LeaseId | None
    workload: WorkloadId | None
    decisions: tuple[Decision, ...]
    memory: Memory
    sight: ExplanationBasis | None = None

    @property
    def subjects(self) -> tuple[str, ...]:
        """By what names decisions on it are kept; those on its order are those on its lease, too."""
        order = () if self.order is None else (str(self.order),)
        return order if self.workload is None else (*order, self.workload, _file(self))


def causes(case: ExplainedCase) -> tuple[Link, ...]:
    """The links that are known, in the order of cause and effect; what is over comes last."""
    return (*_market(case), *_work(case), *_next_tries(case), *_over(case.decisions))


def decided(found: Decision, step: str) -> Link:
    """A decision as a link."""
    return Link(step, found.word, found.message, found.first_seen, found.ended_at)


def _market(case: ExplainedCase) -> Iterator[Link]:
    if case.order is not None:
        yield Link("order", "", f"{case.order}, of tenant {case.order.owner}")
        yield from (decided(d, "decision") for d in _standing(case, str(case.order)))
    if case.lease is None:
        return
    bid = str(case.lease)
    yield from (decided(d, "bid") for d in _on(case, bid) if d.word in BIDDING)
    yield from (decided(d, "held") for d in _standing(case, bid))
    if case.sight is not None:
        yield Link("lease", case.sight.workload.lease_state.value, _money(case.sight))
    elif known := _remembered(case):
        word = "closed" if known.closed_first else "active"
        billed = "; billed by usage" if known.usage_billed else ""
        yield Link("lease", word, f"{case.lease}{billed}")
    money = (d for d in _on(case, bid) if not d.held and d.word not in BIDDING)
    yield from (decided(d, "money") for d in money)


def _work(case: ExplainedCase) -> Iterator[Link]:
    if case.workload is None:
        return
    if case.sight is not None:
        yield from _seen(case.sight.workload)
    elif known := _remembered(case):
        yield Link("workload", known.phase.value, f"{case.workload}, its file is {_file(case)}")
        pods = f"pods {', '.join(known.pods)}" if known.pods else "no pods seen"
        yield Link("adapter", known.adapter, pods)
    outcomes = [d for d in _on(case, case.workload) if d.word in EFFECTS]
    yield from (decided(d, "outcome") for d in outcomes[:1])
    for subject in (case.workload, _file(case)):
        yield from (decided(d, "held") for d in _standing(case, subject))


def _money(sight: ExplanationBasis) -> str:
    name = f"{sight.workload.lease}, billed by {sight.workload.billing}"
    if (lease := sight.lease) is None:
        return name
    return (
        f"{name}; {plain(lease.price)}uve a block, {lease.accrued}uve accrued, {lease.withdrawn}uve "
        f"withdrawn; funds {lease.funding.state}{lasting(lease.funding.seconds)}"
    )


def _seen(found: WorkloadSnapshot) -> Iterator[Link]:
    yield Link("workload", found.phase.value, f"{found.id}, its file is {found.path}")
    ready = f"{found.replicas_ready} of {found.replicas} replicas are ready"
    yield Link("adapter", found.adapter, ready)
    if found.trouble is not None:
        advice = f"; {found.trouble.advice}" if found.trouble.advice else ""
        yield Link("trouble", found.trouble.reason, f"{found.trouble.message}{advice}")


def _next_tries(case: ExplainedCase) -> Iterator[Link]:
    keys = [f"{kind}:{case.workload}" for kind in EFFECTS]
    keys += [f"{kind}:{case.lease}" for kind in (*BIDDING, "WithdrawLease", "RecordUsage")]
    for key in keys:
        if retry := case.memory.retries.get(key):
            yield Link("next try", retry.reason, _try(key.partition(":")[0], retry), until=retry.next_try)


def _try(kind: str, retry: Retry) -> str:
    advice = f"; {retry.advice}" if retry.advice else ""
    when = "it is tried again" if retry.next_try else "it is not tried again as it is"
    return f"{kind} failed {retry.times}, last: {retry.why}{advice}; {when}"


def _over(decisions: Iterable[Decision]) -> Iterator[Link]:
    yield from (decided(d, "was held") for d in decisions if d.held and d.ended_at)


def _remembered(case: ExplainedCase) -> WorkloadMemory | None:
    return case.memory.workloads.get(case.workload) if case.workload is not None else None


def _file(case: ExplainedCase) -> str:
    return f"workloads/{case.workload}.yaml"


def _on(case: ExplainedCase, subject: str) -> list[Decision]:
    return [d for d in case.decisions if d.subject == subject]


def _standing(case: ExplainedCase, subject: str) -> list[Decision]:
    return [d for d in _on(case, subject) if d.stands]

"""Explains the state of a workload or order, from the order to the next retry. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from reconciler.values.addresses import ServiceAddress
from reconciler.values.ids import LeaseId, OrderId, WorkloadId
from reconciler.values.memory import Memory, Retry, WorkloadMemory
from reconciler.values.money import plain
from reconciler.values.observed import State
from reconciler.values.readings import CHAIN, workloads_source
from reconciler.values.records import Decision
from reconciler.values.subjects import EffectKey, Subject
from reconciler.values.times import Timestamp, format_remaining, utc_text
from reconciler.values.views import ManifestView, WorkloadDetailView, WorkloadView

EFFECTS = ("ApplyWorkload", "RemoveWorkload")
BIDDING = ("CreateBid", "CloseBid")
MONEY = ("WithdrawLease", "RecordUsage")
LAST_KNOWN = "last known"
"""Before values of a source that is unseen now."""
ADDRESSES_MAX = 20
"""Addresses of a workload that are listed."""


@dataclass(frozen=True, slots=True)
class ExplanationStep:
    """One step from cause to effect. `step` is order, decision, bid, lease, money, workload, adapter,
    manifest, address, trouble, cluster, outcome, held, next try or was held; `state` is its state in one
    word, since when and until when. A next try is due at `until`.
    """

    step: str
    state: str
    message: str
    since: Timestamp = field(default_factory=Timestamp)
    until: Timestamp = field(default_factory=Timestamp)


@dataclass(frozen=True, slots=True)
class ExplainedCase:
    """What is explained, by all of its ids: the journal's decisions on it (newest first), the planner's
    memory, and what a running daemon sees of it.
    """

    order: OrderId | None
    lease: LeaseId | None
    workload: WorkloadId | None
    decisions: tuple[Decision, ...]
    memory: Memory
    observed: WorkloadDetailView | None = None

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The subjects of its decisions; those of its order include its lease's."""
        order = () if self.order is None else (Subject.of_order(self.order),)
        return order if self.workload is None else (*order, Subject.of_workload(self.workload), _file(self))


def explanation(case: ExplainedCase) -> tuple[ExplanationStep, ...]:
    """The known steps in the order of cause and effect; holds that ended come last."""
    return (*_market(case), *_work(case), *_next_tries(case), *_ended(case.decisions))


def decision_step(decision: Decision, step: str) -> ExplanationStep:
    """A decision as a step."""
    return ExplanationStep(
        step,
        decision.reason,
        decision.message,
        Timestamp(decision.first_seen),
        Timestamp(decision.ended_at),
    )


def _market(case: ExplainedCase) -> Iterator[ExplanationStep]:
    if case.order is not None:
        yield ExplanationStep("order", "", f"{case.order}, of tenant {case.order.owner}")
        yield from (
            decision_step(d, "decision") for d in _active_decisions(case, Subject.of_order(case.order))
        )
    if case.lease is None:
        return
    bid = Subject.of_lease(case.lease)
    yield from (decision_step(d, "bid") for d in _on(case, bid) if d.reason in BIDDING)
    yield from (decision_step(d, "held") for d in _active_decisions(case, bid))
    if case.observed is not None:
        lease_state = case.observed.workload.lease_state
        shown = "unknown" if lease_state is State.INVALID else lease_state.value
        yield ExplanationStep("lease", shown, _money(case.observed))
    elif known := _workload_memory(case):
        state = "closed" if known.closed_first else "active"
        billed = "; billed by usage" if known.usage_billed else ""
        yield ExplanationStep("lease", state, f"{case.lease}{billed}")
    money = (d for d in _on(case, bid) if not d.held and d.reason not in BIDDING)
    yield from (decision_step(d, "money") for d in money)


def _work(case: ExplainedCase) -> Iterator[ExplanationStep]:
    if case.workload is None:
        return
    if case.observed is not None:
        yield from _workload_steps(case.observed.workload)
    elif known := _workload_memory(case):
        state = known.phase.value.lower()
        yield ExplanationStep("workload", state, f"{case.workload}, its file is {_file(case)}")
        pods = f"pods {', '.join(known.pods)}" if known.pods else "no pods seen"
        yield ExplanationStep("adapter", known.adapter or "none", pods)
        yield from _addresses(known.addresses)
    subject = Subject.of_workload(case.workload)
    outcomes = [d for d in _on(case, subject) if d.reason in EFFECTS]
    yield from (decision_step(d, "outcome") for d in outcomes[:1])
    for held in (subject, _file(case)):
        yield from (decision_step(d, "held") for d in _active_decisions(case, held))


def _money(observed: WorkloadDetailView) -> str:
    name = f"{observed.workload.lease}, billed by {observed.workload.billing}"
    if CHAIN in observed.workload.unseen:
        name += f", {LAST_KNOWN}, as the chain is unseen"
    if (lease := observed.lease) is None:
        return name
    funds = lease.funding
    metered = f"{plain(lease.metered_uve)}uve metered, " if observed.workload.billing == "usage" else ""
    return (
        f"{name}; {plain(lease.price_uve)}uve a block, {funds.accrued_uve}uve accrued, {metered}"
        f"{lease.withdrawn_uve}uve withdrawn; funds {funds.state}{format_remaining(funds.seconds_left)}"
    )


def _workload_steps(workload: WorkloadView) -> Iterator[ExplanationStep]:
    yield ExplanationStep("workload", workload.state, f"{workload.id}, its file is {workload.file}")
    ready = f"{workload.replicas_ready} of {workload.replicas} replicas are ready"
    if workloads_source(workload.adapter) in workload.unseen:
        ready = f"{LAST_KNOWN}: {ready}" if workload.replicas else "unseen, nothing is known of its replicas"
    yield ExplanationStep("adapter", workload.adapter or "none", ready)
    if workload.manifest is not None:
        yield ExplanationStep("manifest", *_manifest(workload.manifest))
    yield from _addresses(workload.addresses)
    if workload.trouble is not None:
        advice = f"; {workload.trouble.advice}" if workload.trouble.advice else ""
        yield ExplanationStep("trouble", workload.trouble.reason, f"{workload.trouble.message}{advice}")


def _manifest(sent: ManifestView) -> tuple[str, str]:
    """The state of a manifest, and who sent it when."""
    where = f"commit {sent.commit[:12]}" if sent.commit else "an earlier commit"
    words = f"{sent.manifest_hash[:12]}, sent by {sent.tenant} at {utc_text(sent.accepted_at)}"
    words += f" ({sent.method}), {where}"
    return ("unusable", f"{words}; {sent.fault}") if sent.fault else ("accepted", words)


def _addresses(addresses: Sequence[ServiceAddress]) -> Iterator[ExplanationStep]:
    for address in addresses[:ADDRESSES_MAX]:
        yield ExplanationStep("address", address.kind, address.describe())


def _next_tries(case: ExplainedCase) -> Iterator[ExplanationStep]:
    keys: list[EffectKey] = []
    if case.workload is not None:
        keys += [EffectKey(kind, Subject.of_workload(case.workload)) for kind in EFFECTS]
    if case.lease is not None:
        keys += [EffectKey(kind, Subject.of_lease(case.lease)) for kind in (*BIDDING, *MONEY)]
    for key in keys:
        if retry := case.memory.retries.get(key):
            yield ExplanationStep(
                "next try", retry.reason, _try(key.kind, retry), until=Timestamp(retry.retry_at or 0)
            )


def _try(kind: str, retry: Retry) -> str:
    advice = f"; {retry.advice}" if retry.advice else ""
    when = "it is not retried unchanged" if retry.retry_at is None else "it is retried"
    return f"{kind} failed {retry.times}, last: {retry.why}{advice}; {when}"


def _ended(decisions: Iterable[Decision]) -> Iterator[ExplanationStep]:
    yield from (decision_step(d, "was held") for d in decisions if d.held and d.ended_at)


def _workload_memory(case: ExplainedCase) -> WorkloadMemory | None:
    return case.memory.workloads.get(case.workload) if case.workload is not None else None


def _file(case: ExplainedCase) -> Subject:
    return Subject.of_file(f"workloads/{case.workload}.yaml")


def _on(case: ExplainedCase, subject: Subject) -> list[Decision]:
    return [d for d in case.decisions if d.subject == subject]


def _active_decisions(case: ExplainedCase, subject: Subject) -> list[Decision]:
    return [d for d in _on(case, subject) if d.is_active]

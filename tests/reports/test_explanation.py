"""Explanations, from the order to the next try."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from reconciler.reports.explanation import ExplainedCase, ExplanationStep, explanation
from reconciler.values.addresses import AddressKind, ServiceAddress
from reconciler.values.funding import Funding, TimeLeft
from reconciler.values.ids import workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.memory import Memory, Retry, WorkloadMemory
from reconciler.values.observed import State, Trouble
from reconciler.values.records import Decision
from reconciler.values.subjects import EffectKey, Subject
from reconciler.values.times import Timestamp
from reconciler.values.views import LeaseView, WorkloadDetailView, WorkloadView
from tests.makers import lease_id

LEASE = lease_id()
ORDER, ID = LEASE.order, workload_id(LEASE)
AT = Timestamp(1_800_000_000)


def decision(subject: str, word: str, *, held: bool = True, ended_at: int = 0) -> Decision:
    return Decision(Subject.parse(subject), word, held, f"{word} it is", AT, AT + 5, ended_at=ended_at)


def memory() -> Memory:
    known = WorkloadMemory(LEASE, "kubernetes", Phase.FAILED, usage_billed=True, pods=("web-1",))
    return Memory(workloads={ID: known}, retries={})


CASE = ExplainedCase(ORDER, LEASE, ID, (), Memory())


def steps(case: ExplainedCase) -> list[tuple[str, str]]:
    return [(step.step, step.state) for step in explanation(case)]


def test_an_order_without_a_bid_has_current_and_past_reasons() -> None:
    found = (
        decision(str(ORDER), "PriceTooLow"),
        decision(str(ORDER), "NoCapacity", ended_at=AT + 60),
    )
    assert explanation(replace(CASE, decisions=found)) == (
        ExplanationStep("order", "", f"{ORDER}, of tenant {ORDER.owner}"),
        ExplanationStep("decision", "PriceTooLow", "PriceTooLow it is", AT),
        ExplanationStep("was held", "NoCapacity", "NoCapacity it is", AT, Timestamp(AT + 60)),
    )


def test_steps_are_in_the_order_of_cause_and_effect() -> None:
    found = (
        decision(ID, "ApplyWorkload", held=False),
        decision(f"workloads/{ID}.yaml", "FileFaulty"),
        decision(ID, "EscrowLow"),
        decision(str(LEASE), "WithdrawLease", held=False),
        decision(str(LEASE), "CreateBid", held=False),
    )
    retry = Retry(2, AT + 30, "QuotaExceeded", "exceeded quota: q", "Increase quotas")
    known = Memory(workloads=memory().workloads, retries={EffectKey.parse(f"ApplyWorkload:{ID}"): retry})
    case = replace(CASE, decisions=found, memory=known)
    assert steps(case) == [
        ("order", ""),
        ("bid", "CreateBid"),
        ("lease", "active"),
        ("money", "WithdrawLease"),
        ("workload", "failed"),
        ("adapter", "kubernetes"),
        ("outcome", "ApplyWorkload"),
        ("held", "EscrowLow"),
        ("held", "FileFaulty"),
        ("next try", "QuotaExceeded"),
    ]
    last = explanation(case)[-1]
    assert last.message == (
        "ApplyWorkload failed 2 times, last: exceeded quota: q; Increase quotas; it is retried"
    )
    assert last.until == AT + 30


def test_an_effect_that_is_not_retried() -> None:
    retry = Retry(1, None, "Invalid", "spec is wrong")
    case = replace(CASE, memory=Memory(retries={EffectKey.parse(f"CreateBid:{LEASE}"): retry}))
    assert explanation(case)[-1].message.endswith("once, last: spec is wrong; it is not retried unchanged")


def test_observed_state_replaces_remembered_state() -> None:
    found = WorkloadView(
        id=ID,
        lease=str(LEASE),
        adapter="kubernetes",
        state="failed",
        lease_state=State.ACTIVE,
        price_uve=Decimal(5),
        file=f"workloads/{ID}.yaml",
        replicas=2,
        addresses=(ServiceAddress("web", AddressKind.PORT, "nodes.example.com", 80, 31080),),
        trouble=Trouble("CrashLoop", "it ended with 1", "Read its logs"),
    )
    leased = LeaseView(
        id=str(LEASE),
        order=str(LEASE.order),
        workload=ID,
        state=State.ACTIVE,
        price_uve=Decimal(5),
        withdrawn_uve=30,
        funding=TimeLeft(Funding.LOW, 9, 61, 70),
    )
    case = replace(CASE, memory=memory(), observed=WorkloadDetailView(found, leased))
    assert explanation(case)[1:] == (
        ExplanationStep(
            "lease",
            "active",
            f"{LEASE}, billed by lease; 5uve a block, 70uve accrued, 30uve withdrawn; funds low, they last "
            "1m 1s",
        ),
        ExplanationStep("workload", "failed", f"{ID}, its file is workloads/{ID}.yaml"),
        ExplanationStep("adapter", "kubernetes", "0 of 2 replicas are ready"),
        ExplanationStep("address", "port", "nodes.example.com:31080 (service web, port 80)"),
        ExplanationStep("trouble", "CrashLoop", "it ended with 1; Read its logs"),
    )
    ended = replace(case, observed=WorkloadDetailView(replace(found, lease_state=State.CLOSED), None))
    assert explanation(ended)[1] == ExplanationStep("lease", "closed", f"{LEASE}, billed by lease")

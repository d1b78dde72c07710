"""Similar log lines share one, which has the first as it stands, a count, and the next subjects."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.reports.log_lines import (
    SEPARATE_MAX,
    LogLine,
    hold_lines,
    merge_lines,
    plan_lines,
    result_lines,
)
from reconciler.values.ids import workload_id
from reconciler.values.intents import Confirmation, IntentOutcome
from reconciler.values.lifecycle import Phase
from reconciler.values.messages import CreateBid, RecordUsage
from reconciler.values.outcomes import Done, Failed, Outcome
from reconciler.values.plans import Hold, Plan, Reason, Transition
from reconciler.values.records import EffectResult
from reconciler.values.subjects import EffectKey, Subject
from tests import makers
from tests.cycle.worlds import intent

MANY = 400


def hold(dseq: int, reason: Reason = Reason.PRICE_TOO_LOW) -> Hold:
    return Hold(Subject.of_order(makers.order_id(dseq)), reason, f"it pays at most {dseq}uve")


def step(dseq: int, end: Phase = Phase.PENDING) -> Transition:
    lease = makers.lease_id(dseq)
    return Transition(workload_id(lease), lease, Phase.PENDING, end, "Lease created")


def texts(lines: list[LogLine]) -> list[str]:
    return [line.text for line in lines]


def test_few_holds_have_a_line_each() -> None:
    lines = texts(merge_lines(hold_lines(map(hold, (1, 2, 3)))))
    assert lines[0] == "bid withheld: order ve1alice/1/1/1: PriceTooLow: it pays at most 1uve"
    assert len(lines) == 3


def test_the_holds_of_400_orders_share_a_line_for_each_reason() -> None:
    reasons = (Reason.PRICE_TOO_LOW, Reason.NO_CAPACITY)
    lines = texts(merge_lines(hold_lines(hold(n, reasons[n % 2]) for n in range(MANY))))
    assert lines == [
        (
            "bid withheld: order ve1alice/0/1/1: PriceTooLow: it pays at most 0uve (1 of 200 such lines; "
            "also ve1alice/2/1/1, ve1alice/4/1/1, ve1alice/6/1/1 and 196 more: provider-daemon explain ID)"
        ),
        (
            "bid withheld: order ve1alice/1/1/1: NoCapacity: it pays at most 1uve (1 of 200 such lines; "
            "also ve1alice/3/1/1, ve1alice/5/1/1, ve1alice/7/1/1 and 196 more: provider-daemon explain ID)"
        ),
    ]


def test_the_steps_of_400_workloads_share_a_line_and_failures_are_warnings() -> None:
    steps = tuple(step(n, Phase.FAILED if n % 2 else Phase.PENDING) for n in range(MANY))
    lines = merge_lines(plan_lines(Plan("", (), (), steps, makers.remembered())))
    assert [line.is_warning for line in lines] == [False, True]
    first = f"adapter none: Workload {steps[0].workload} is Pending: lease created (1 of 200 such lines; "
    assert lines[0].text.startswith(first)
    assert lines[0].text.endswith("and 196 more: provider-daemon events)")


def test_the_messages_of_a_transaction_share_a_line_for_each_kind() -> None:
    bids = tuple(CreateBid(makers.lease_id(n), Decimal(7), 500_000, ()) for n in range(4))
    usage = RecordUsage(makers.lease_id(9), 100, 1, 2)
    landed = replace(intent(), messages=(*bids, usage))
    plan = Plan(
        "", (), (), (), makers.remembered(), confirmations=(Confirmation(landed, IntentOutcome.LANDED),)
    )
    assert texts(merge_lines(plan_lines(plan))) == [
        (
            "Bid 7uve a block on order ve1alice/0/1/1 (1 of 4 such lines; also "
            "ve1alice/1/1/1, ve1alice/2/1/1, ve1alice/3/1/1: provider-daemon events)"
        ),
        f"usage submitted: 100uve for lease {workload_id(usage.lease)}",
    ]


@pytest.mark.parametrize("outcome", [Done(), Failed("Unreachable", "no answer")])
def test_the_results_of_400_applies_share_a_line(outcome: Outcome) -> None:
    results = [
        EffectResult(
            EffectKey("ApplyWorkload", Subject.of_workload(step(n).workload)), f"apply {n}", outcome, 0
        )
        for n in range(MANY)
    ]
    (line,) = merge_lines(line for each in results for line in result_lines([each], "adapter a: "))
    assert line.text.startswith("adapter a: apply 0: ")
    assert "(1 of 400 such lines" in line.text
    assert line.is_warning is isinstance(outcome, Failed)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.integers(0, 99)), max_size=60))
def test_every_line_is_written_or_counted(made: list[tuple[int, bool, int]]) -> None:
    lines = [LogLine((kind,), f"s{n}", f"text {n}", is_warning=warns) for kind, warns, n in made]
    merged = merge_lines(lines)
    for kind, warns in {(kind, warns) for kind, warns, _ in made}:
        similar = [each for each in lines if each.kind == (kind,) and each.is_warning is warns]
        found = [each for each in merged if each.kind == (kind,) and each.is_warning is warns]
        if len(similar) <= SEPARATE_MAX:
            assert found == similar
        else:
            (one,) = found
            assert one.text.startswith(f"{similar[0].text} (1 of {len(similar)} such lines; ")

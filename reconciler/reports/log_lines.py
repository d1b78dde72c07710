"""The log lines of a cycle: lines of one kind about many objects share one line, with a count. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from reconciler.reports.events import event_lines, landed_sentence
from reconciler.reports.grouping import subject_of_message
from reconciler.values.intents import Confirmation, IntentOutcome
from reconciler.values.lifecycle import Phase
from reconciler.values.messages import CloseBid
from reconciler.values.outcomes import Failed, Refused
from reconciler.values.plans import Hold, Plan
from reconciler.values.records import EffectResult, describe_outcome
from reconciler.values.subjects import SubjectKind

SEPARATE_MAX = 3
"""Lines of one kind that stay separate; more become one line."""
NAMED_MAX = 4
"""Objects that a shared line names."""

EVENTS = "provider-daemon events"
EXPLAIN = "provider-daemon explain ID"
"""Commands that print what a shared line omits."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line about one object. Lines of equal `kind` may share one, which names `command` for the others."""

    kind: tuple[object, ...]
    subject: str
    text: str
    command: str = EVENTS
    is_warning: bool = False


def merge_lines(lines: Iterable[LogLine]) -> list[LogLine]:
    """At most SEPARATE_MAX lines of each kind, in the order of their first ones."""
    kinds: dict[tuple[object, ...], list[LogLine]] = {}
    for line in lines:
        kinds.setdefault((line.kind, line.is_warning), []).append(line)
    return [line for similar in kinds.values() for line in _merge_similar(similar)]


def _merge_similar(similar: list[LogLine]) -> list[LogLine]:
    if len(similar) <= SEPARATE_MAX:
        return similar
    first, others = similar[0], similar[1:NAMED_MAX]
    names = ", ".join(each.subject for each in others)
    rest = len(similar) - len(others) - 1
    more = f"{names} and {rest} more" if rest else names
    return [
        replace(first, text=f"{first.text} (1 of {len(similar)} such lines; also {more}: {first.command})")
    ]


def hold_lines(holds: Iterable[Hold]) -> Iterator[LogLine]:
    """The lines of new holds, of one kind where they share a reason."""
    for hold in holds:
        is_order = hold.subject.kind is SubjectKind.ORDER
        word = "bid withheld: order" if is_order else "held:"
        text = f"{word} {hold.subject}: {hold.reason}: {hold.message}"
        yield LogLine(("hold", is_order, hold.reason), str(hold.subject), text, EXPLAIN)


def plan_lines(plan: Plan) -> Iterator[LogLine]:
    """The lines of a plan's confirmations and lifecycle transitions."""
    for end in plan.confirmations:
        yield from _confirmation_lines(end)
    for step in plan.transitions:
        memory = plan.memory.workloads.get(step.workload)
        adapter = (memory and memory.adapter) or "none"
        kind = ("transition", adapter, step.from_phase, step.to_phase, step.trigger)
        for line in event_lines([step]):
            text = f"adapter {adapter}: {line}"
            yield LogLine(kind, step.workload, text, is_warning=step.to_phase is Phase.FAILED)


def _confirmation_lines(end: Confirmation) -> Iterator[LogLine]:
    if end.outcome is not IntentOutcome.LANDED:
        yield from (LogLine((end.intent.hash,), end.intent.hash[:12], line) for line in event_lines([end]))
        return
    for message in end.intent.messages:
        kind = ("landed", type(message), isinstance(message, CloseBid) and message.lease)
        yield LogLine(kind, str(subject_of_message(message, {})), landed_sentence(message))


def result_lines(results: Iterable[EffectResult], prefix: str) -> Iterator[LogLine]:
    """The lines of the results of one action, each after `prefix`; a failure's kind includes its reason."""
    for result in results:
        outcome = result.outcome
        is_warning = isinstance(outcome, Refused | Failed)
        reason = outcome.reason if isinstance(outcome, Refused | Failed) else ""
        kind = ("result", prefix, result.key.kind, type(outcome), reason)
        text = f"{prefix}{result.effect}: {describe_outcome(outcome)}"
        yield LogLine(kind, str(result.key.subject), text, is_warning=is_warning)

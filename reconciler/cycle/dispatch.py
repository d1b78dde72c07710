"""Dispatches effects: one port call per action, without decisions."""

from __future__ import annotations

import logging

from reconciler.cycle.environment import Environment
from reconciler.cycle.exceptions import format_origin, sentence_of
from reconciler.planning.memory_update import refusal
from reconciler.reports.log_lines import LogLine, merge_lines, result_lines
from reconciler.values.intents import Confirmation, Intent, IntentOutcome, Prepared
from reconciler.values.messages import describe
from reconciler.values.outcomes import Done, Failed, Outcome, Refused, Unknown
from reconciler.values.plans import (
    Action,
    ApplyWorkload,
    NotifyTenant,
    Plan,
    PrepareAdapter,
    Rebroadcast,
    RemoveWorkload,
    SendTransaction,
)
from reconciler.values.records import EffectResult, applied, describe_outcome, message_result

log = logging.getLogger(__name__)

ADVICE = "this is a bug in provider-daemon; report it with its log line"


def dispatch_all(plan: Plan, environment: Environment, intents: tuple[Intent, ...]) -> None:
    """Execute a plan in its order; a failure affects no other effect, and each result is recorded
    immediately.
    """
    lines: list[LogLine] = []
    for action in plan.actions:
        try:
            outcomes = _apply(action, environment, intents)
        except OSError as error:
            failure = Failed("Unreachable", f"{action.describe()}: {error}")
            outcomes = applied(action, failure, environment.clock.now())
        except Exception as error:  # an error of one object must not withhold every other effect
            log.error("%s failed%s", action.describe(), format_origin(error))
            failure = Failed("InternalError", f"{action.describe()}: {sentence_of(error)}", ADVICE)
            outcomes = applied(action, failure, environment.clock.now())
        lines += result_lines(outcomes, _prefix(action))
        environment.store.journal.record([each for each in outcomes if not isinstance(each.outcome, Unknown)])
    for line in merge_lines(lines):
        log.log(logging.WARNING if line.is_warning else logging.INFO, "%s", line.text)


def _apply(action: Action, environment: Environment, intents: tuple[Intent, ...]) -> tuple[EffectResult, ...]:
    now = environment.clock.now()
    match action:
        case SendTransaction():
            return _send(action, environment)
        case Rebroadcast(hash=tx):
            for intent in intents:
                if intent.hash == tx:
                    environment.chain.broadcast(intent)
            return ()
        case PrepareAdapter(adapter=name, quota=quota):
            return applied(action, environment.adapters[name].prepare(quota), now)
        case ApplyWorkload(workload=workload, digest=digest):
            return applied(action, environment.adapters[workload.adapter].apply(workload, digest), now)
        case RemoveWorkload(adapter=name, id=subject):
            return applied(action, environment.adapters[name].remove(subject), now)
        case NotifyTenant():
            assert environment.notifier is not None, "notices are planned only where there is a receiver"
            return applied(action, environment.notifier.notify(action), now)


def _send(action: SendTransaction, environment: Environment) -> tuple[EffectResult, ...]:
    """Prepare, record the intent, then broadcast: after a crash in between, the recorded bytes are
    authoritative.
    """
    now = environment.clock.now()
    prepared = environment.chain.prepare(action.messages, action.fee_max)
    if not isinstance(prepared, Prepared):
        return applied(action, prepared, now)
    outcomes = tuple(message_result(m, refusal(words), now) for m, words in prepared.dropped)
    if prepared.intent is None:
        return outcomes
    environment.store.intents.record_intent(prepared.intent)
    sent = environment.chain.broadcast(prepared.intent)
    _log_sent(prepared.intent, sent)
    if isinstance(sent, Refused):
        end = Confirmation(prepared.intent, IntentOutcome.REFUSED, log=sent.why)
        never = tuple(message_result(m, refusal(sent.why), now) for m in prepared.intent.messages)
        environment.store.intents.record_end(end, never)
    return outcomes


def _log_sent(intent: Intent, outcome: Outcome) -> None:
    words = "; ".join(describe(m) for m in intent.messages)
    state = "sent" if isinstance(outcome, Done) else describe_outcome(outcome)
    log.info("transaction %s (%suve fee): %s: %s", intent.hash[:12], intent.fee, words, state)


def _prefix(action: Action) -> str:
    """The prefix of an adapter's log lines."""
    match action:
        case ApplyWorkload(workload=workload):
            return f"adapter {workload.adapter}: "
        case PrepareAdapter(adapter=name) | RemoveWorkload(adapter=name):
            return f"adapter {name}: "
        case _:
            return ""

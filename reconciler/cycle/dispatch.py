"""Dispatches actions in the plan's order; a transaction is prepared, recorded, then broadcast."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import partial

from reconciler.cycle.environment import Environment
from reconciler.cycle.exceptions import failure_of
from reconciler.ports import Adapter, StorageError
from reconciler.reports.log_lines import LogLine, merge_lines, result_lines
from reconciler.values.desired import Workload
from reconciler.values.intents import Confirmation, Intent, IntentOutcome, Prepared
from reconciler.values.messages import describe
from reconciler.values.outcomes import GAS_PRICE, Done, Failed, Outcome, Refused, Unknown
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
from reconciler.values.work import FORGE, GIT, SNAPSHOT, TENANTS, WorkItem, work_key

log = logging.getLogger(__name__)

OWN = frozenset({GIT, SNAPSHOT, TENANTS, FORGE})
"""Targets whose results are collected by their publishers."""


def dispatch_all(plan: Plan, environment: Environment, intents: tuple[Intent, ...]) -> None:
    """Send a plan's transactions, and hand each other effect to the queue of its target, in the plan's order.
    A failure affects no other effect.
    """
    waiting: list[LogLine] = []
    for action in plan.actions:
        if (key := work_key(action)) is None:
            _record(environment, [(action, _transact(action, environment, intents))])
            continue
        item = WorkItem(key, action.describe(), action)
        if not environment.queues.submit(item, partial(_perform, action, environment)):
            text = f"{item.description} waits: the work queue of {key.target} does not take it now"
            waiting.append(LogLine(("waiting", key.target), item.description, text, "provider-daemon status"))
    _log(waiting)
    record_results(environment)


def record_results(environment: Environment) -> None:
    """Record how dispatched effects ended, each once; an unknown outcome is observed instead."""
    queues = environment.queues
    ended = [each for target in queues.targets() if target not in OWN for each in queues.collect(target)]
    _record(
        environment,
        [(action, applied(action, x.outcome, x.ended_at)) for x in ended if (action := x.item.action)],
    )


def _record(environment: Environment, results: Sequence[tuple[Action, Sequence[EffectResult]]]) -> None:
    _log(line for action, parts in results for line in result_lines(parts, _prefix(action)))
    found = [each for _, parts in results for each in parts if not isinstance(each.outcome, Unknown)]
    if found:
        environment.store.journal.record(found)


def _log(lines: Iterable[LogLine]) -> None:
    for line in merge_lines(lines):
        log.log(logging.WARNING if line.is_warning else logging.INFO, "%s", line.text)


def _transact(
    action: Action, environment: Environment, intents: tuple[Intent, ...]
) -> tuple[EffectResult, ...]:
    try:
        if isinstance(action, SendTransaction):
            return _send(action, environment)
        for intent in intents:
            if isinstance(action, Rebroadcast) and intent.hash == action.hash:
                environment.chain.broadcast(intent)
        return ()
    except StorageError:  # an intent that is not on disk is not sent, and the cycle fails
        raise
    except Exception as error:  # an error of one object must not withhold every other effect
        return applied(action, failure_of(action.describe(), error), environment.clock.now())


def _perform(action: Action, environment: Environment) -> Outcome:
    """The effect of an action on its target; called by the target's queue."""
    match action:
        case PrepareAdapter(adapter=name, quota=quota):
            return _adapter(environment, name).prepare(quota)
        case ApplyWorkload(workload=workload, digest=digest):
            plain = _unsealed(environment, workload)
            if not isinstance(plain, Workload):
                return plain
            return _adapter(environment, workload.adapter).apply(plain, digest)
        case RemoveWorkload(adapter=name, id=subject):
            return _adapter(environment, name).remove(subject)
        case NotifyTenant():
            assert environment.notifier is not None, "notices are planned only where there is a receiver"
            return environment.notifier.notify(action)
        case SendTransaction() | Rebroadcast():
            raise AssertionError("transactions are sent by the cycle's thread")


def _unsealed(environment: Environment, workload: Workload) -> Workload | Outcome:
    """The workload with plain values, which nothing but its adapter gets."""
    if not workload.has_sealed_values:
        return workload
    if environment.manifests is None:
        why = "its values are sealed, and the host file has no sealing section"
        return Failed("SealedValue", why, "add sealing.recipient there")
    return environment.manifests.unsealed(workload)


def _adapter(environment: Environment, name: str) -> Adapter:
    """OSError if a revision removed it while the effect was in the queue."""
    adapter = environment.adapters.get(name)
    if adapter is None:
        raise OSError(f"adapter {name} has no file any more")
    return adapter


def _send(action: SendTransaction, environment: Environment) -> tuple[EffectResult, ...]:
    """Prepare, record the intent, then broadcast: after a crash in between, the recorded bytes are
    authoritative. A gas price that is too low is no failure of a message: the next cycle pays the node's.
    """
    now = environment.clock.now()
    prepared = environment.chain.prepare(action.messages, action.terms)
    if not isinstance(prepared, Prepared):
        return applied(action, prepared, now)
    outcomes = tuple(message_result(message, outcome, now) for message, outcome in prepared.dropped)
    if prepared.intent is None:
        return outcomes
    environment.store.intents.record_intent(prepared.intent)
    sent = environment.chain.broadcast(prepared.intent)
    _log_sent(prepared.intent, sent)
    if isinstance(sent, Refused | Failed):
        end = Confirmation(prepared.intent, IntentOutcome.REFUSED, log=sent.why)
        failed = () if sent.reason == GAS_PRICE else prepared.intent.messages
        environment.store.intents.record_end(end, [message_result(m, sent, now) for m in failed])
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

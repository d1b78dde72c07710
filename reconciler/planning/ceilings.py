"""The ceiling on a cycle's effects; each effect above it gets a hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.planning.transactions import hold_subject
from reconciler.values.limits import Limits
from reconciler.values.plans import Action, Hold, Reason, SendTransaction, subjects_of
from reconciler.values.subjects import Subject


@dataclass(frozen=True, slots=True)
class CappedActions:
    """The effects of this cycle, and holds on those left for the next."""

    actions: tuple[Action, ...]
    holds: tuple[Hold, ...]


def cap_actions(actions: Sequence[Action], limits: Limits) -> CappedActions:
    """The first `actions_per_cycle` effects; the rest are held."""
    most = limits.actions_per_cycle
    why = f"actions_per_cycle of the host file ({most}) is reached; retried in the next cycle"
    over = (subject for action in actions[most:] for subject in _held_subjects(action))
    return CappedActions(tuple(actions[:most]), tuple(Hold(each, Reason.CEILING, why) for each in over))


def _held_subjects(action: Action) -> Iterator[Subject]:
    if isinstance(action, SendTransaction):
        yield from map(hold_subject, action.messages)
    else:
        yield from subjects_of(action)

"""The ceilings on a cycle's effects; each effect above one gets a hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.planning.transactions import hold_subject
from reconciler.values.limits import Limits
from reconciler.values.plans import Action, Hold, Reason, SendTransaction, subjects_of
from reconciler.values.subjects import Subject
from reconciler.values.work import InFlight, work_key


@dataclass(frozen=True, slots=True)
class CappedActions:
    """The effects of this cycle, and holds on those left for the next."""

    actions: tuple[Action, ...]
    holds: tuple[Hold, ...]


def cap_actions(
    actions: Sequence[Action], limits: Limits, in_flight: Sequence[InFlight] = ()
) -> CappedActions:
    """The first `actions_per_cycle` effects, as far as the queues of their targets have room; the rest are
    held.
    """
    most = limits.actions_per_cycle
    why = f"actions_per_cycle of the host file ({most}) is reached; retried in the next cycle"
    holds = [Hold(each, Reason.CEILING, why) for action in actions[most:] for each in _held_subjects(action)]
    keys = {each.item.key for each in in_flight}
    depths = Counter(key.target for key in keys)
    kept: list[Action] = []
    for action in actions[:most]:
        key = work_key(action)
        if key is not None and key not in keys:
            if depths[key.target] >= limits.queued_effects:
                why = (
                    f"{limits.queued_effects} effects are in flight on {key.target} (queued_effects of the "
                    "host file); retried when one has ended"
                )
                holds += [Hold(each, Reason.CEILING, why) for each in _held_subjects(action)]
                continue
            depths[key.target] += 1
        kept.append(action)
    return CappedActions(tuple(kept), tuple(holds))


def _held_subjects(action: Action) -> Iterator[Subject]:
    if isinstance(action, SendTransaction):
        yield from map(hold_subject, action.messages)
    else:
        yield from subjects_of(action)

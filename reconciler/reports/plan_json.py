"""A plan for programs: stable keys, decimals as text, amounts in whole uve. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from reconciler.reports.view_json import view_json, view_text
from reconciler.values.lifecycle import Phase
from reconciler.values.messages import (
    CloseBid,
    CreateBid,
    Message,
    PayOut,
    RecordUsage,
    SettleUsage,
    WithdrawLease,
    describe,
    subject_of,
)
from reconciler.values.money import plain
from reconciler.values.plans import (
    Action,
    ApplyWorkload,
    NotifyTenant,
    Plan,
    PrepareAdapter,
    Rebroadcast,
    RemoveWorkload,
    SendTransaction,
    subjects_of,
)
from reconciler.values.views import HoldView

LISTED_MAX = 1_000
"""Actions, holds and transitions that the API lists."""


@dataclass(frozen=True, slots=True)
class ActionView:
    """An effect of the plan: its kind (SendTransaction, Rebroadcast, PrepareAdapter, ApplyWorkload,
    RemoveWorkload, NotifyTenant), what it is about, a sentence, and details by its kind.
    """

    kind: str
    subjects: tuple[str, ...]
    message: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TransitionView:
    """A step of a workload's lifecycle."""

    workload: str
    lease: str
    start: Phase
    end: Phase
    trigger: str
    detail: str


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan without its memory; `quiet`: nothing to do. `GET /api/v1/plan` lists at most 1,000 of
    each, holds on our objects first; `holds_total` counts all.
    """

    revision: str
    quiet: bool
    actions: tuple[ActionView, ...]
    holds: tuple[HoldView, ...]
    holds_total: int
    transitions: tuple[TransitionView, ...]


EMPTY_PLAN = PlanView("", quiet=True, actions=(), holds=(), holds_total=0, transitions=())


def plan_view(plan: Plan) -> PlanView:
    """The whole plan."""
    return PlanView(
        revision=plan.revision,
        quiet=plan.quiet,
        actions=tuple(map(_action, plan.actions)),
        holds=tuple(map(HoldView.of, plan.holds)),
        holds_total=len(plan.holds),
        transitions=tuple(
            TransitionView(
                step.workload, str(step.lease), step.from_phase, step.to_phase, step.trigger, step.detail
            )
            for step in plan.transitions
        ),
    )


def short_plan_view(plan: Plan | None) -> PlanView:
    """The plan as the API shows it; an empty one before the first cycle."""
    if plan is None:
        return EMPTY_PLAN
    holds = tuple(sorted(plan.holds, key=lambda hold: not hold.ours))[:LISTED_MAX]
    shortened = replace(
        plan,
        actions=plan.actions[:LISTED_MAX],
        holds=holds,
        transitions=plan.transitions[:LISTED_MAX],
    )
    return replace(plan_view(shortened), holds_total=len(plan.holds))


def plan_json(plan: Plan) -> str:
    """The plan as indented JSON."""
    return view_text(plan_view(plan))


def plan_digest(plan: Plan) -> str:
    """Identifies the actions, transitions and holds, as 64 hex digits; the memory is excluded.

    Holds are hashed one by one: tenants control their number, and one long call would block every other
    thread.
    """
    digest = hashlib.sha256(view_json(plan_view(replace(plan, holds=()))))
    digest.update(str(len(plan.holds)).encode())
    for hold in plan.holds:
        # Each text after its length, so that no two plans have the same bytes.
        texts = (hold.subject.name, hold.reason, hold.message, "1" if hold.ours else "", hold.approval)
        digest.update("".join([f"{len(text)}:{text}" for text in texts]).encode())
    return digest.hexdigest()


def _action(action: Action) -> ActionView:
    return ActionView(
        type(action).__name__, tuple(map(str, subjects_of(action))), action.describe(), _details(action)
    )


def _details(action: Action) -> Mapping[str, Any]:
    match action:
        case SendTransaction(messages=messages, terms=terms):
            described = [_message(message) for message in messages]
            return {"messages": described, "fee_uve": terms.fee, "fees_max_uve": list(terms.fees_max)}
        case Rebroadcast(hash=tx):
            return {"hash": tx}
        case PrepareAdapter(adapter=adapter, quota=quota):
            return {"adapter": adapter, "quota": quota}
        case ApplyWorkload(workload=workload, digest=digest, why=why):
            return {
                "adapter": workload.adapter,
                "digest": digest,
                "lease": str(workload.lease),
                "paused": workload.paused,
                "resources": workload.resources,
                "why": why,
            }
        case RemoveWorkload(adapter=adapter, why=why):
            return {"adapter": adapter, "why": why}
        case NotifyTenant(lease=lease, left=left):
            return {"lease": str(lease), "funding": left.state}


def _message(message: Message) -> ActionView:
    details = _message_details(message)
    return ActionView(type(message).__name__, (str(subject_of(message)),), describe(message), details)


def _message_details(message: Message) -> Mapping[str, Any]:
    match message:
        case CreateBid(price=price, deposit=deposit):
            return {"price_uve": plain(price), "deposit_uve": deposit}
        case CloseBid(reason=reason, lease=lease):
            return {"reason": reason, "closes_lease": lease}
        case WithdrawLease(expected=expected):
            return {"expected_uve": expected}
        case RecordUsage(amount=amount, period_start=start, period_end=end):
            return {"amount_uve": amount, "period_start": start, "period_end": end}
        case SettleUsage(records=records, amount=amount):
            return {"records": records, "amount_uve": amount}
        case PayOut(recipient=recipient, amount=amount):
            return {"recipient": recipient, "amount_uve": amount}

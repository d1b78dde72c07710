"""A plan as programs read it: stable keys in a stable order, decimals as text, amounts in whole uve."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from reconciler.values.messages import (
    CloseBid,
    CreateBid,
    Message,
    RecordUsage,
    SettleUsage,
    WithdrawLease,
    describe,
    subject,
)
from reconciler.values.money import plain
from reconciler.values.plans import (
    Action,
    ApplyWorkload,
    BroadcastAgain,
    Hold,
    NotifyTenant,
    Plan,
    PrepareAdapter,
    RemoveWorkload,
    SendTransaction,
    Transition,
    subjects,
)
from reconciler.values.resources import Resources

Fields = dict[str, Any]
"""A JSON object."""


def plan_json(plan: Plan) -> str:
    """The plan as indented JSON with a line's end."""
    return json.dumps(plan_fields(plan), indent=2, sort_keys=True) + "\n"


def plan_digest(plan: Plan) -> str:
    """Identifies what is done and withheld, as 64 hex digits; the memory has no part in it.

    Piece by piece: strangers decide how many holds there are, and one long call would keep every other thread
    waiting.
    """
    rest = {**plan_fields(replace(plan, holds=())), "holds": len(plan.holds)}
    whole = hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode())
    for hold in plan.holds:
        # Each text with its length before it: no two plans read the same.
        texts = (hold.subject, hold.reason, hold.message, "1" if hold.ours else "", hold.approval)
        whole.update("".join([f"{len(text)}:{text}" for text in texts]).encode())
    return whole.hexdigest()


def plan_fields(plan: Plan) -> Fields:
    """The plan as a JSON object; its memory is the journal's and left out."""
    return {
        "revision": plan.revision,
        "quiet": plan.quiet,
        "actions": [_action(action) for action in plan.actions],
        "holds": [hold_fields(hold) for hold in plan.holds],
        "transitions": [_transition(step) for step in plan.transitions],
    }


def _action(action: Action) -> Fields:
    return {
        "kind": type(action).__name__,
        "subjects": list(subjects(action)),
        "what": action.show(),
        **_action_details(action),
    }


def _action_details(action: Action) -> Fields:
    match action:
        case SendTransaction(messages=messages, fee_max=fee):
            return {"messages": [_message(message) for message in messages], "fee_max_uve": fee}
        case BroadcastAgain(hash=tx):
            return {"hash": tx}
        case PrepareAdapter(adapter=adapter, quota=quota):
            return {"adapter": adapter, "quota": resources_fields(quota)}
        case ApplyWorkload(workload=workload, digest=digest, why=why):
            return {
                "adapter": workload.adapter,
                "digest": digest,
                "lease": str(workload.lease),
                "paused": workload.paused,
                "resources": resources_fields(workload.resources),
                "why": why,
            }
        case RemoveWorkload(adapter=adapter, why=why):
            return {"adapter": adapter, "why": why}
        case NotifyTenant(lease=lease, left=left):
            return {"lease": str(lease), "funding": left.state.value}


def _message(message: Message) -> Fields:
    return {
        "kind": type(message).__name__,
        "subject": subject(message),
        "what": describe(message),
        **_message_details(message),
    }


def _message_details(message: Message) -> Fields:
    match message:
        case CreateBid(price=price, deposit=deposit):
            return {"price_uve": plain(price), "deposit_uve": deposit}
        case CloseBid(reason=reason, lease=lease):
            return {"reason": reason.value, "closes_lease": lease}
        case WithdrawLease(expected=expected):
            return {"expected_uve": expected}
        case RecordUsage(amount=amount, period_start=start, period_end=end):
            return {"amount_uve": amount, "period_start": start, "period_end": end}
        case SettleUsage(records=records, amount=amount):
            return {"records": list(records), "amount_uve": amount}


def hold_fields(hold: Hold) -> Fields:
    """A hold as a JSON object."""
    return {
        "subject": hold.subject,
        "reason": hold.reason.value,
        "message": hold.message,
        "ours": hold.ours,
        "approval": hold.approval,
    }


def _transition(step: Transition) -> Fields:
    return {
        "workload": step.workload,
        "lease": str(step.lease),
        "from": step.start.value,
        "to": step.end.value,
        "trigger": step.trigger,
        "detail": step.detail,
    }


def resources_fields(resources: Resources) -> Fields:
    """Resources as a JSON object."""
    return {
        "cpu_milli": resources.cpu_milli,
        "memory_bytes": resources.memory_bytes,
        "storage_bytes": resources.storage_bytes,
        "gpu": resources.gpu,
    }

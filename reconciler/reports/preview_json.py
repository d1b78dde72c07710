"""A preview as programs read it: stable keys in a stable order, decimals as text, amounts in uve."""

from __future__ import annotations

import json

from reconciler.reports.faults import fault_fields
from reconciler.reports.plan_json import Fields, hold_fields, plan_fields, resources_fields
from reconciler.reports.preview_effects import effects_of, headline
from reconciler.values.money import plain
from reconciler.values.preview import BidDecision, FileChange, FreeCapacity, Preview, Price, Quote


def preview_json(preview: Preview) -> str:
    """The preview as indented JSON with a line's end; `plan` is that of the changed side, whole."""
    return json.dumps(_fields(preview), indent=2, sort_keys=True) + "\n"


def _fields(preview: Preview) -> Fields:
    sight, costs = preview.sight, preview.costs
    before, after = preview.rooms
    effects = effects_of(preview)
    return {
        "summary": headline(preview, effects),
        "takes_effect": preview.changes and not effects.nothing,
        "changes": preview.changes,
        "base": preview.base,
        "head": preview.head,
        "snapshot": {
            "provider": sight.provider,
            "chain_id": sight.chain_id,
            "height": sight.height,
            "taken_at": sight.taken_at,
            "applied": sight.applied,
        },
        "costs": {
            "take_percent": costs.take_percent,
            "month_fees_uve": costs.month_fees,
            "block_seconds": plain(costs.block_seconds),
        },
        "files": [_file(file) for file in preview.files],
        "prices": [_price(price) for price in preview.prices],
        "orders": [
            {"order": str(o.order), "before": _verdict(o.old), "after": _verdict(o.new)}
            for o in preview.orders
        ],
        "workloads": [{"id": w.id, "path": w.path, "verb": w.verb} for w in preview.workloads],
        "orders_open": preview.orders_open,
        "bids_open": preview.bids_open,
        "capacity": {"before": _room(before), "after": _room(after)},
        "ceilings": [hold_fields(hold) for hold in preview.ceilings],
        "faults": [fault_fields(fault) for fault in preview.faults],
        "warnings": list(preview.warnings),
        "notes": list(preview.notes),
        "withheld": [hold_fields(hold) for hold in preview.withheld],
        "plan": plan_fields(preview.after),
    }


def _file(file: FileChange) -> Fields:
    fields = [{"key": f.name, "old": f.old, "new": f.new} for f in file.fields]
    return {"path": file.path, "verb": file.verb, "was": file.was, "fields": fields}


def _price(price: Price) -> Fields:
    return {
        "order": price.name,
        "resources": resources_fields(price.resources),
        "old": _quote(price.old),
        "new": _quote(price.new),
    }


def _quote(quote: Quote | None) -> Fields | None:
    if quote is None:
        return None
    return {
        "block_uve": plain(quote.rate),
        "hour_uve": plain(round(quote.hour, 6)),
        "month_uve": plain(round(quote.month, 6)),
        "month_net_uve": quote.net,
        "break_even_seconds": quote.break_even_seconds,
    }


def _verdict(verdict: BidDecision) -> Fields:
    return {
        "bid_uve": None if verdict.bid is None else plain(verdict.bid),
        "reason": verdict.reason.value if verdict.reason else None,
        "message": verdict.message,
    }


def _room(room: FreeCapacity | None) -> Fields | None:
    return {"usable": resources_fields(room.usable), "free": resources_fields(room.free)} if room else None

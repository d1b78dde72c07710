"""A preview for programs: stable keys, decimals as text, amounts in uve. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from reconciler.reports.faults import fault_fields
from reconciler.reports.plan_json import plan_view
from reconciler.reports.preview_effects import effects_of, headline
from reconciler.reports.view_json import view_text
from reconciler.values.money import plain
from reconciler.values.preview import BidDecision, Preview, Quote
from reconciler.values.views import HoldView

Fields = Mapping[str, Any]


def preview_json(preview: Preview) -> str:
    """The preview as indented JSON; `plan` is the whole plan of the changed side."""
    effects, (before, after) = effects_of(preview), preview.rooms
    return view_text(
        {
            "summary": headline(preview, effects),
            "takes_effect": preview.changes and not effects.nothing,
            "changes": preview.changes,
            "base": preview.base,
            "head": preview.head,
            "snapshot": preview.basis,
            "costs": {
                "take_percent": preview.costs.take_percent,
                "month_fees_uve": preview.costs.month_fees,
                "block_seconds": plain(preview.costs.block_seconds),
            },
            "files": preview.files,
            "prices": [
                {"order": p.name, "resources": p.resources, "old": _quote(p.old), "new": _quote(p.new)}
                for p in preview.prices
            ],
            "orders": [
                {"order": str(o.order), "before": _decision(o.old), "after": _decision(o.new)}
                for o in preview.orders
            ],
            "price_moves": [
                {"subject": m.subject, "id": m.id, "old_uve": _plain(m.old), "new_uve": _plain(m.new)}
                for m in preview.moves
            ],
            "workloads": preview.workloads,
            "orders_open": preview.orders_open,
            "bids_open": preview.bids_open,
            "capacity": {"before": before, "after": after},
            "ceilings": list(map(HoldView.of, preview.ceilings)),
            "faults": list(map(fault_fields, preview.faults)),
            "warnings": preview.warnings,
            "notes": preview.notes,
            "withheld": list(map(HoldView.of, preview.withheld)),
            "plan": plan_view(preview.after),
        }
    )


def _plain(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)


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


def _decision(decision: BidDecision) -> Fields:
    return {
        "bid_uve": None if decision.bid is None else plain(decision.bid),
        "reason": decision.reason,
        "message": decision.message,
    }

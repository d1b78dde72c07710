"""How properties look at plans; `EXAMPLES=5000 pytest tests/planning` looks further, elsewhere each time."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest
from hypothesis import settings

from reconciler.planning.planning_input import PlanningInput
from reconciler.values.ids import WorkloadId
from reconciler.values.messages import CreateBid, Message
from reconciler.values.observed import AdapterView, Market, ObservedWorkload
from reconciler.values.plans import Plan, SendTransaction
from reconciler.values.readings import Seen

EXAMPLES = int(os.environ.get("EXAMPLES", "0"))
many_worlds = settings(max_examples=EXAMPLES or 40, derandomize=not EXAMPLES, deadline=None)
few_worlds = settings(max_examples=EXAMPLES or 20, derandomize=not EXAMPLES, deadline=None)


def messages(made: Plan) -> list[Message]:
    return [m for a in made.actions if isinstance(a, SendTransaction) for m in a.messages]


def bids(made: Plan) -> list[CreateBid]:
    return [m for m in messages(made) if isinstance(m, CreateBid)]


def seen_market(world: PlanningInput) -> Market:
    return world.market.view if isinstance(world.market, Seen) else pytest.fail("the market is unseen")


def shown(view: AdapterView) -> Mapping[WorkloadId, ObservedWorkload]:
    return view.workloads.view if isinstance(view.workloads, Seen) else {}

"""One cycle's input and plan."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.planning.planning_input import PlanningInput
from reconciler.values.plans import Plan


@dataclass(frozen=True, slots=True)
class PlannedCycle:
    """A plan with its input."""

    inputs: PlanningInput
    plan: Plan

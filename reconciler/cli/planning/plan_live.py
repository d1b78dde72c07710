"""The plan and the planning snapshot of this host now; imported on demand, as `--offline` needs no cluster or
chain library.
"""

from __future__ import annotations

from pathlib import Path

from reconciler.cli.errors import CliError
from reconciler.cli.options import settings_of
from reconciler.cycle.snapshot_publisher import planning_snapshot_of
from reconciler.values.planning_snapshot import PlanningSnapshot
from reconciler.values.plans import Plan
from reconciler.wiring import open_planner


def plan_now(host: Path | None) -> Plan:
    """The plan of the next cycle."""
    with open_planner(settings_of(host)) as runner:
        return runner.plan_cycle().plan


def planning_snapshot_now(host: Path | None) -> PlanningSnapshot:
    """The planning snapshot as of now; CliError while the chain is unseen."""
    settings = settings_of(host)
    with open_planner(settings) as runner:
        found = planning_snapshot_of(settings.provider, runner.plan_cycle())
    if found is None:
        raise CliError("error: the chain is unseen, so nothing can be planned; see provider-daemon doctor")
    return found

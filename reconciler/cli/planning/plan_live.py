"""What the daemon of this machine sees and would do now; imported only where that is asked, as `--offline`
needs no library of the cluster's or the chain's.
"""

from __future__ import annotations

from pathlib import Path

from reconciler.cli.errors import CliError
from reconciler.cli.options import settings_of
from reconciler.cycle.snapshot_publisher import planning_snapshot_of
from reconciler.values.planning_snapshot import PlanningSnapshot
from reconciler.values.plans import Plan
from reconciler.wiring import looking


def plan_now(host: Path | None) -> Plan:
    """What the next cycle would do."""
    with looking(settings_of(host)) as runner:
        return runner.look().plan


def outlook_now(host: Path | None) -> PlanningSnapshot:
    """What a snapshot taken now would hold; ToldError while the chain is not seen."""
    settings = settings_of(host)
    with looking(settings) as runner:
        found = planning_snapshot_of(settings.provider, runner.look())
    if found is None:
        raise CliError("error: the chain is not seen, so nothing can be planned; see provider-daemon doctor")
    return found

"""`usage.meter: metrics`: cpu and memory are billed as measured, at most as requested, and never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.cycle.object_views import object_views
from reconciler.cycle.planned_cycle import PlannedCycle
from reconciler.cycle.snapshot import status_of
from reconciler.documents.status import status_files
from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import Config, Usage, UsageMeter
from reconciler.values.ids import WorkloadId
from reconciler.values.inspection import ServiceUse
from reconciler.values.intents import Confirmation, IntentOutcome
from reconciler.values.measured_use import MeasuredUse
from reconciler.values.messages import RecordUsage, describe
from reconciler.values.observed import AdapterView
from reconciler.values.plans import Reason, SendTransaction
from reconciler.values.pricing import price
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.resources import MB, Demand, Resources
from tests import makers
from tests.cycle.worlds import intent
from tests.makers import HEIGHT, NOW, PRICING, lease_id
from tests.planning.money.usage_cases import FILE, RATE, metered, side_of, usage_case
from tests.planning.money.usage_cases import escrow as paying

Use = Reading[Mapping[WorkloadId, tuple[ServiceUse, ...]]] | None
BY_METRICS = makers.desired(FILE, config=Config(usage=Usage(meter=UsageMeter.METRICS)))
NO_API = Unseen("the cluster has no metrics API: install its metrics-server")


def showing(use: Use) -> dict[str, AdapterView]:
    view = makers.adapter(makers.running(FILE))["kubernetes"]
    return {"kubernetes": replace(view, use=use)}


def web(cpu_milli: int, memory_mb: int, pods: int = 1) -> Use:
    return Seen({FILE.id: (ServiceUse("web", cpu_milli, memory_mb * MB, pods),)})


def case(use: Use, **changes: object) -> PlanningInput:
    return usage_case(wanted=BY_METRICS, adapters=showing(use), **changes)  # type: ignore[arg-type]


def rate(cpu_milli: int, memory_mb: int) -> Decimal:
    """Storage is reserved, so it is billed as requested."""
    ran = Resources(cpu_milli, memory_mb * MB, FILE.services[0].resources.storage_bytes)
    return price(Demand(ran), PRICING) - 1


@pytest.mark.parametrize(
    ("use", "billed"),
    [
        (web(100, 64), rate(100, 64)),
        (web(0, 0), rate(0, 0)),
        (web(9_000, 64), rate(500, 64)),
        (web(100, 9_000), rate(100, 256)),
        (web(100, 64, pods=3), rate(100, 64)),
        (Seen({}), 0),
        (NO_API, 0),
        (None, 0),
    ],
    ids=[
        "less",
        "idle",
        "more cpu",
        "more memory",
        "old pods",
        "not measured yet",
        "no API",
        "no adapter that measures",
    ],
)
def test_a_block_is_billed_as_measured_at_most_as_requested(use: Use, billed: Decimal) -> None:
    found = plan(case(use)).memory.usage[lease_id()]
    assert found.metered == 100_000 + billed <= 100_000 + RATE


def test_what_is_requested_is_billed_by_default_whatever_is_measured() -> None:
    found = plan(usage_case(adapters=showing(web(1, 1)))).memory.usage[lease_id()]
    assert found.metered == 100_000 + RATE
    assert not found.measured


@pytest.mark.parametrize(
    ("use", "why"),
    [
        (NO_API, "the cluster has no metrics API: install its metrics-server; "),
        (None, "adapter kubernetes measures no use: set usage.meter: requests, or move it to a cluster; "),
        (web(1, 1), ""),
    ],
)
def test_an_unmeasured_workload_is_held_with_advice(use: Use, why: str) -> None:
    held = [h for h in plan(case(use)).holds if h.reason is Reason.USAGE_UNMEASURED]
    why = why and f"{why}what it uses is not billed meanwhile (usage.meter: metrics)"
    assert [h.message for h in held] == ([why] if why else [])


def test_the_averages_of_a_period_are_journalled_with_its_record_and_published() -> None:
    used = MeasuredUse("web", 40, 40 * 200, 40 * 100 * MB)
    before = metered("60000000", billed_until=NOW - 90_000, measured=(used,))
    side = side_of(paying(activated_at=NOW - 99_000))
    inputs = case(web(450, 350), usage=before, side=side)
    [sent] = [a for a in plan(inputs).actions if isinstance(a, SendTransaction)]
    [record] = [m for m in sent.messages if isinstance(m, RecordUsage)]
    assert (record.measured[0].blocks, record.measured[0].cpu_milli) == (41, (40 * 200 + 450) // 41)
    assert describe(record).endswith(": web 206m and 106 MB on average")

    end = Confirmation(intent(record), IntentOutcome.LANDED, HEIGHT, NOW)
    landed = replace(inputs, memory=plan(inputs).memory, confirmations=(end,))
    planned = PlannedCycle(landed, plan(landed))
    usage = planned.plan.memory.usage[lease_id()]
    assert (usage.recorded, usage.measured) == (record.measured, ())
    status = status_of("first", planned, object_views(planned), None)
    assert status is not None
    [file] = [c.decode() for path, c in status_files(status).items() if path.startswith("workloads/")]
    assert "usage_measured:\n  - service: web\n    cpu: 206m\n    memory: 106MB\n" in file

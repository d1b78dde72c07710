"""The demo's last part: usage, a tenant who leaves, earnings, and a run without anything to do."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.devnet.audit import audit
from reconciler.devnet.demo import Demo, Step
from reconciler.devnet.demo_manifest import MANIFEST_STEPS
from reconciler.devnet.demo_market import MARKET_STEPS
from reconciler.devnet.demo_workloads import WORKLOAD_STEPS, transitions_published
from reconciler.devnet.operator_git import DESIRED, STATUS, TENANTS
from reconciler.values.observed import State

DUE_BLOCKS = 80
"""Money is due every 40 s, which are 40 blocks."""


def usage_settled(demo: Demo) -> str:
    """Usage is recorded, and every record is settled."""
    records = demo.probe.usage(demo.order("metered"))
    cost = sum(record.cost for record in records)
    if not cost or not all(record.settled for record in records):
        return ""
    return f"{len(records)} record of {cost:,}uve, settled"


def _lease_paid(demo: Demo) -> str:
    lease = demo.probe.lease(demo.bid("web"))
    if lease is None or lease.state is not State.CLOSED or not lease.payment.withdrawn:
        return ""
    return f"its lease is closed and paid {lease.payment.withdrawn:,}uve in all"


def _removed(demo: Demo) -> str:
    left, others = demo.probe.objects(demo.workload("web")), demo.probe.objects(demo.workload("second"))
    if left or not others:
        return ""
    return "no Deployment, ReplicaSet, Service or pod of `web` is left; the others still run"


def _withdrawn(demo: Demo) -> str:
    lease = demo.probe.lease(demo.bid("second"))
    if lease is None or lease.state is not State.ACTIVE or not lease.payment.withdrawn:
        return ""
    return f"{lease.payment.withdrawn:,}uve were withdrawn from `second`, which is still active"


def _all_published(demo: Demo) -> str:
    status, published = demo.probe.api("/api/v1/status"), demo.probe.status_messages()
    is_waiting = status["intents"] or status["revisions"]["published"] != demo.probe.head(STATUS)
    withdrawal = f"from lease {demo.workload('second')}"
    if is_waiting or "usage submitted" not in published or withdrawal not in published:
        return ""
    return "the status branch has the usage and the withdrawal"


def _stop(demo: Demo) -> None:
    demo.daemon.stop()
    demo.traces = traces(demo)


def traces(demo: Demo) -> tuple[object, ...]:
    """All that the daemon changes: its transactions, both branches, the cluster's objects."""
    transactions = [tx for tx in demo.probe.transactions() if tx.payer == demo.provider]
    return (*transactions, demo.probe.head(DESIRED), demo.probe.head(STATUS), *demo.probe.versions())


def _run_once(demo: Demo) -> None:
    demo.once = demo.daemon.once()


def nothing_changed(demo: Demo) -> str:
    """`run --once` succeeded and left everything as it was."""
    code, output = demo.once
    if code != 0 or not demo.traces or traces(demo) != demo.traces:
        return ""
    last = output.strip().splitlines()[-1] if output.strip() else ""
    return f"no transaction, no commit, no change in the cluster ({last})"


def _earned(demo: Demo) -> str:
    sheet = audit(demo)
    if not sheet.is_balanced or sheet.earned <= 0:
        return ""
    return f"{sheet.income:,}uve of income, {sheet.fees:,}uve of fees: {sheet.earned:,}uve earned"


MONEY_STEPS = (
    Step(
        "usage",
        "The usage of `metered` is due: it is recorded and settled",
        usage_settled,
        "no usage of `metered` is recorded and settled",
        blocks=DUE_BLOCKS,
    ),
    Step(
        "withdrawn",
        "The earnings of `second` are due",
        _withdrawn,
        "nothing was withdrawn from `second`, or its lease ended",
        blocks=DUE_BLOCKS,
    ),
    Step(
        "left",
        "Alice closes `web`",
        _lease_paid,
        "the lease of `web` is not closed and paid",
        lambda demo: demo.trader("alice").close(demo.order("web").dseq),
    ),
    Step(
        "removed",
        "The daemon removes it",
        _removed,
        "an object of `web` is left in the cluster, or another workload was removed",
    ),
    Step(
        "terminated",
        "and publishes its end",
        lambda demo: transitions_published(
            demo, "web", "Running -> Stopping", "Stopping -> Stopped", "Stopped -> Terminated"
        ),
        "the status branch does not have Stopping, Stopped, Terminated",
    ),
    Step(
        "published",
        "The daemon has published everything",
        _all_published,
        "the status branch does not have the usage and the withdrawal, or something is unpublished",
        blocks=40,
    ),
    Step(
        "stopped",
        "The daemon is stopped",
        lambda demo: "" if demo.daemon.is_alive() else "it has ended",
        "the daemon has not ended",
        _stop,
    ),
    Step(
        "once",
        "`run --once` runs before anything is due again",
        nothing_changed,
        "`run --once` failed, or changed something though nothing was due",
        _run_once,
    ),
    Step(
        "audit",
        "The provider's money, computed from every block",
        _earned,
        "the balance sheet does not match the balance, or nothing was earned",
    ),
)

STEPS: tuple[Step, ...] = (*MARKET_STEPS, *WORKLOAD_STEPS, *MANIFEST_STEPS, *MONEY_STEPS)


def summary(demo: Demo) -> Iterator[str]:
    """The history of both branches, and the balance sheet."""
    for name, branch in (("desired", DESIRED), ("tenants", TENANTS), ("status", STATUS)):
        if not demo.probe.head(branch):
            continue
        yield f"git log of the {name} branch"
        yield from (f"  {line}" for line in demo.probe.log(branch))
    yield "balance sheet of the provider (coins of a SIMULATED chain)"
    yield from (f"  {line}" for line in audit(demo).lines())

"""The story's last part: usage, a tenant who leaves, earnings, and a quiet end."""

from __future__ import annotations

from reconciler.devnet.audit import audit
from reconciler.devnet.probe_git import DESIRED, STATUS
from reconciler.devnet.stage import Stage
from reconciler.devnet.steps import Step
from reconciler.devnet.story_workloads import told

DUE_BLOCKS = 80
"""Money falls due every 40 s, which are 40 blocks."""


def settled(stage: Stage) -> str:
    """Usage is on record and all of it is settled."""
    records = stage.chain.usage(stage.order("metered"))
    if not records or not all(r.settled for r in records):
        return ""
    cost = sum(int(coin.amount) for r in records for coin in r.total_cost)
    return f"{len(records)} record of {cost:,}uve, settled" if cost > 0 else ""


def leave(stage: Stage) -> None:
    """Alice needs `web` no longer."""
    stage.person("alice").close(stage.order("web").dseq)


def left(stage: Stage) -> str:
    """Its lease is closed and paid."""
    lease = stage.chain.lease(stage.order("web"), stage.provider)
    if lease is None or lease.state != "closed" or not lease.withdrawn:
        return ""
    return f"its lease is closed and paid {lease.withdrawn:,}uve in all"


def gone(stage: Stage) -> str:
    """Nothing of it is left in the cluster."""
    if stage.cluster.objects(stage.workload("web")):
        return ""
    if not stage.cluster.objects(stage.workload("second")):
        return ""
    return "no Deployment, ReplicaSet, Service or pod of `web` is left; the others run on"


def told_terminated(stage: Stage) -> str:
    """The status branch tells its end."""
    return told(stage, "web", "Running -> Stopping", "Stopping -> Stopped", "Stopped -> Terminated")


def withdrawn(stage: Stage) -> str:
    """Something was drawn from a lease that goes on."""
    lease = stage.chain.lease(stage.order("second"), stage.provider)
    if lease is None or lease.state != "active" or not lease.withdrawn:
        return ""
    return f"{lease.withdrawn:,}uve were drawn from `second`, which goes on"


def told_all(stage: Stage) -> str:
    """The last of it is published, nothing waits any more."""
    status, published = stage.api.ask("/api/v1/status"), stage.git.told()
    waits = status["intents"] or status["revisions"]["published"] != stage.git.head(STATUS)
    drawn = f"from lease {stage.workload('second')}"
    if waits or "usage submitted" not in published or drawn not in published:
        return ""
    return "the status branch tells the usage and the withdrawal"


def stop(stage: Stage) -> None:
    """Ask the daemon to end."""
    stage.daemon.stop()
    stage.before = traces(stage)


def traces(stage: Stage) -> tuple[object, ...]:
    """Whatever the daemon could have changed: its transactions, both branches, the cluster's objects."""
    ours = [done.hash for done in stage.chain.happenings() if done.payer == stage.provider]
    heads = stage.git.head(DESIRED), stage.git.head(STATUS)
    return (*ours, *heads, *stage.cluster.versions())


def stopped(stage: Stage) -> str:
    """It has ended."""
    return "" if stage.daemon.is_alive() else "it has ended"


def run_once(stage: Stage) -> None:
    """Once more over the same world."""
    stage.once = stage.daemon.once()


def did_nothing(stage: Stage) -> str:
    """Exit code 0, and the world as it was."""
    code, printed = stage.once
    if code != 0 or not stage.before or traces(stage) != stage.before:
        return ""
    last = printed.strip().splitlines()[-1] if printed.strip() else ""
    return f"no transaction, no commit, no change in the cluster ({last})"


def earned(stage: Stage) -> str:
    """The books agree with the balance, to the uve, and more came in than went out."""
    books = audit(stage)
    if not books.agree or books.earned <= 0:
        return ""
    return f"{books.income:,}uve came in, {books.fees:,}uve went out in fees: {books.earned:,}uve earned"


MONEY = (
    Step(
        "usage",
        "The usage of `metered` falls due: it is recorded and settled",
        settled,
        "no usage of `metered` is recorded and settled",
        blocks=DUE_BLOCKS,
    ),
    Step(
        "withdrawn",
        "The earnings of `second` fall due",
        withdrawn,
        "nothing was withdrawn from `second`, or its lease ended",
        blocks=DUE_BLOCKS,
    ),
    Step("left", "Alice closes `web`", left, "the lease of `web` is not closed and paid", leave),
    Step(
        "gone",
        "The daemon takes it down",
        gone,
        "something of `web` is left in the cluster, or more than it was taken down",
    ),
    Step(
        "terminated",
        "and publishes its end",
        told_terminated,
        "the status branch does not tell Stopping, Stopped, Terminated",
    ),
    Step(
        "told",
        "The daemon has published all of it",
        told_all,
        "the status branch does not tell the usage and the withdrawal, or something still waits",
        blocks=40,
    ),
    Step("stopped", "The daemon is asked to stop", stopped, "the daemon has not ended", stop),
    Step(
        "once",
        "`run --once` over the same world, before anything is due again",
        did_nothing,
        "`run --once` failed, or did something where nothing was to be done",
        run_once,
    ),
    Step(
        "books",
        "The books, reckoned from every block",
        earned,
        "the books do not agree with the balance, or nothing was earned",
    ),
)

"""The story's second part: workloads by commits, a new price, a pause, and a kill."""

from __future__ import annotations

from decimal import Decimal

from reconciler.devnet.stage import Stage
from reconciler.devnet.steps import Step

NEW_PRICE = Decimal(2733)
"""As the old one, with 1.25uve a millicore."""

BIDS_EVER = 4


def pending(stage: Stage) -> str:
    """Leases without files wait, and say for what."""
    web, metered = stage.workload("web"), stage.workload("metered")
    if (stage.api.state(web), stage.api.state(metered)) != ("pending", "pending"):
        return ""
    why = stage.api.waits_for_file(web)
    return f"both are Pending; {why}" if why else ""


def make_escrow(stage: Stage) -> None:
    """Alice puts money aside for usage."""
    stage.person("alice").escrow(stage.bid("metered"))


def escrowed(stage: Stage) -> str:
    """The settlement escrow is active, and ours to bill."""
    found = stage.chain.settlement_escrow(stage.order("metered"))
    if found is None or (found.state, found.recipient) != ("active", stage.provider):
        return ""
    return f"{found.escrow_id} holds {int(found.balance[0].amount):,}uve for a day"


def commit_files(stage: Stage) -> None:
    """The operator says what runs for both leases."""
    files = {stage.workload_path(n): stage.workload_file(n) for n in ("web", "metered")}
    stage.operator.write("Run what alice leased", files)


def both_running(stage: Stage) -> str:
    """The cluster shows a ready pod for each, the daemon calls them running."""
    return _running(stage, "web", "metered")


def _running(stage: Stage, *names: str) -> str:
    for name in names:
        workload = stage.workload(name)
        if stage.cluster.pods_ready(workload) != (1, 1) or stage.api.state(workload) != "running":
            return ""
    return ", ".join(f"`{n}` runs as {stage.workload(n)}" for n in names)


def told_running(stage: Stage) -> str:
    """The status branch tells each step of the lifecycle."""
    return told(stage, "web", "Pending -> Deploying", "Deploying -> Running")


def told(stage: Stage, name: str, *steps: str) -> str:
    """Whether the status branch tells these transitions of a workload."""
    published = stage.git.told()
    if any(f"{stage.workload(name)}: {step}" not in published for step in steps):
        return ""
    return f"the status branch tells {', '.join(steps)}"


def raise_price(stage: Stage) -> None:
    """The operator asks a quarter more for cores."""
    change = ("cpu_millicores: 1uve", "cpu_millicores: 1.25uve")
    stage.commits["price"] = stage.operator.edit("Cores cost a quarter more", "pricing.yaml", change)


def price_applied(stage: Stage) -> str:
    """The commit is in force."""
    commit = stage.commits.get("price", "")
    return f"commit {commit[:7]} is in force" if commit and stage.api.applied() == commit else ""


def post_second(stage: Stage) -> None:
    """Alice wants one more."""
    stage.post("second")


def bid_at_new_price(stage: Stage) -> str:
    """The next bid follows the commit."""
    bid = stage.chain.bid(stage.order("second"), stage.provider)
    return f"our bid is {NEW_PRICE}uve a block" if bid and bid.price == NEW_PRICE else ""


def accept_second(stage: Stage) -> None:
    """Alice takes it."""
    stage.person("alice").accept(stage.bid("second"))


def second_leased(stage: Stage) -> str:
    """It is ours."""
    lease = stage.chain.lease(stage.order("second"), stage.provider)
    return "`second` is ours" if lease and lease.state == "active" else ""


def commit_second(stage: Stage) -> None:
    """The operator says what runs for it."""
    stage.operator.write(
        "Run alice's second lease", {stage.workload_path("second"): stage.workload_file("second")}
    )


def second_running(stage: Stage) -> str:
    """It runs."""
    return _running(stage, "second")


def pause(stage: Stage) -> None:
    """One word in one file."""
    _say_paused(stage, "Pause alice's second lease", ("paused: false", "paused: true"))


def _say_paused(stage: Stage, message: str, change: tuple[str, str]) -> None:
    stage.operator.edit(message, stage.workload_path("second"), change)


def paused(stage: Stage) -> str:
    """No pod is left, the lease goes on."""
    workload = stage.workload("second")
    lease = stage.chain.lease(stage.order("second"), stage.provider)
    if stage.cluster.pods_ready(workload) != (0, 0) or stage.api.state(workload) != "paused":
        return ""
    return "no pod runs, the lease goes on" if lease and lease.state == "active" else ""


def kill(stage: Stage) -> None:
    """As a power cut would."""
    stage.daemon.kill()


def dead(stage: Stage) -> str:
    """Nobody answers."""
    return "" if stage.daemon.is_alive() or stage.api.answers() else "nobody answers on its ports"


def resume_and_start(stage: Stage) -> None:
    """A commit comes while nobody is there; then the daemon is started again."""
    _say_paused(stage, "Resume alice's second lease", ("paused: true", "paused: false"))
    stage.daemon.start()


def resumed(stage: Stage) -> str:
    """All three run, and no order was bid on twice."""
    running = _running(stage, "web", "metered", "second")
    bids = sum(
        done.actions.count("MsgCreateBid")
        for done in stage.chain.happenings()
        if done.payer == stage.provider
    )
    if not running or bids != BIDS_EVER:
        return ""
    return f"`second` runs again; {bids} bids in all, none made twice"


WORKLOADS = (
    Step(
        "pending",
        "A lease without a file is Pending, and the daemon says which file it waits for",
        pending,
        "the daemon does not show both leases as Pending with the file that it waits for",
    ),
    Step(
        "escrow",
        "Alice puts 1,000,000uve aside to pay `metered` by usage",
        escrowed,
        "there is no active settlement escrow for `metered` with us as its recipient",
        make_escrow,
    ),
    Step(
        "running",
        "The operator commits a workload file for each",
        both_running,
        "the cluster does not show a ready pod for each workload",
        commit_files,
    ),
    Step(
        "lifecycle",
        "The daemon publishes what became of them",
        told_running,
        "the status branch does not tell Pending, Deploying, Running",
    ),
    Step(
        "new-price",
        "The operator commits a new price for cores to pricing.yaml",
        price_applied,
        "the daemon does not apply the commit with the new price",
        raise_price,
    ),
    Step(
        "second-bid",
        "Alice posts `second`, which is like `web`",
        bid_at_new_price,
        "the chain does not show our bid of 2,733uve on `second`",
        post_second,
    ),
    Step(
        "second-lease",
        "She accepts",
        second_leased,
        "the chain does not show our lease of `second`",
        accept_second,
    ),
    Step(
        "second-running",
        "The operator commits its workload file",
        second_running,
        "the cluster does not show a ready pod for `second`",
        commit_second,
    ),
    Step(
        "paused",
        "The operator pauses `second` with a commit",
        paused,
        "pods of `second` still run, or it is not called paused",
        pause,
    ),
    Step("killed", "The daemon is killed (SIGKILL)", dead, "the daemon still runs", kill),
    Step(
        "resumed",
        "The operator commits `paused: false` while it is dead; then it is started again",
        resumed,
        "`second` does not run again, or an order was bid on twice",
        resume_and_start,
        blocks=40,
    ),
)

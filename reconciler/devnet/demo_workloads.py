"""The demo's second part: workloads by commits, a new price, a pause, and a kill."""

from __future__ import annotations

from decimal import Decimal

from reconciler.devnet.demo import Demo, Step
from reconciler.values.observed import State

SECOND_PRICE = Decimal(2733)
"""As the first one, with 1.25uve a millicore."""

BID_COUNT = 4
PAUSE = ("paused: false", "paused: true")
RESUME = ("paused: true", "paused: false")


def _pending(demo: Demo) -> str:
    web, metered = demo.workload("web"), demo.workload("metered")
    if any(demo.probe.workload_state(each) != "pending" for each in (web, metered)):
        return ""
    message = demo.probe.missing_file(web)
    return f"both are Pending; {message}" if message else ""


def _make_escrow(demo: Demo) -> None:
    demo.trader("alice").escrow(demo.bid("metered"))


def _escrow_active(demo: Demo) -> str:
    escrow = demo.probe.settlement_escrow(demo.order("metered"))
    if escrow is None or (escrow.state, escrow.recipient) != (State.ACTIVE, demo.provider):
        return ""
    return f"{escrow.id} holds {escrow.balance:,}uve for a day"


def _commit_files(demo: Demo, message: str, *names: str) -> None:
    demo.operator.write(message, {demo.workload_path(n): demo.workload_file(n) for n in names})


def running(demo: Demo, *names: str) -> str:
    """The cluster shows a ready pod for each, and the daemon's API says `running`."""
    for name in names:
        workload = demo.workload(name)
        if demo.probe.pods_ready(workload) != (1, 1) or demo.probe.workload_state(workload) != "running":
            return ""
    return ", ".join(f"`{n}` runs as {demo.workload(n)}" for n in names)


def transitions_published(demo: Demo, name: str, *transitions: str) -> str:
    """The status branch has these transitions of a workload."""
    published = demo.probe.status_messages()
    if any(f"{demo.workload(name)}: {each}" not in published for each in transitions):
        return ""
    return f"the status branch has {', '.join(transitions)}"


def _raise_price(demo: Demo) -> None:
    change = ("cpu_millicores: 1uve", "cpu_millicores: 1.25uve")
    demo.price_commit = demo.operator.edit("Cores cost a quarter more", "pricing.yaml", change)


def _price_applied(demo: Demo) -> str:
    commit = demo.price_commit
    return f"commit {commit[:7]} is in force" if commit and demo.probe.applied_revision() == commit else ""


def _bid_at_second_price(demo: Demo) -> str:
    bid = demo.probe.bid(demo.bid("second"))
    return f"our bid is {SECOND_PRICE}uve a block" if bid and bid.price == SECOND_PRICE else ""


def _second_leased(demo: Demo) -> str:
    lease = demo.probe.lease(demo.bid("second"))
    return "`second` is ours" if lease and lease.state is State.ACTIVE else ""


def _edit_second(demo: Demo, message: str, change: tuple[str, str]) -> None:
    demo.operator.edit(message, demo.workload_path("second"), change)


def _paused(demo: Demo) -> str:
    workload, lease = demo.workload("second"), demo.probe.lease(demo.bid("second"))
    if demo.probe.pods_ready(workload) != (0, 0) or demo.probe.workload_state(workload) != "paused":
        return ""
    return "no pod runs, the lease is active" if lease and lease.state is State.ACTIVE else ""


def _dead(demo: Demo) -> str:
    return "" if demo.daemon.is_alive() or demo.probe.api_answers() else "its ports are closed"


def _resume_and_start(demo: Demo) -> None:
    _edit_second(demo, "Resume alice's second lease", RESUME)
    demo.daemon.start()


def _resumed(demo: Demo) -> str:
    effect = running(demo, "web", "metered", "second")
    bids = sum(
        tx.messages.count("MsgCreateBid") for tx in demo.probe.transactions() if tx.payer == demo.provider
    )
    return f"`second` runs again; {bids} bids in all, none twice" if effect and bids == BID_COUNT else ""


WORKLOAD_STEPS = (
    Step(
        "pending",
        "A lease without a workload file is Pending, and the daemon names the missing file",
        _pending,
        "the daemon does not show both leases as Pending with the missing file",
    ),
    Step(
        "escrow",
        "Alice puts 50,000,000uve into a settlement escrow to pay `metered` by usage",
        _escrow_active,
        "there is no active settlement escrow for `metered` with us as its recipient",
        _make_escrow,
    ),
    Step(
        "running",
        "The operator commits a workload file for each",
        lambda demo: running(demo, "web", "metered"),
        "the cluster does not show a ready pod for each workload",
        lambda demo: _commit_files(demo, "Run alice's leases", "web", "metered"),
    ),
    Step(
        "lifecycle",
        "The daemon publishes their lifecycle",
        lambda demo: transitions_published(demo, "web", "Pending -> Deploying", "Deploying -> Running"),
        "the status branch does not have Pending, Deploying, Running",
    ),
    Step(
        "new-price",
        "The operator commits a new price for cores to pricing.yaml",
        _price_applied,
        "the daemon does not apply the commit with the new price",
        _raise_price,
    ),
    Step(
        "second-bid",
        "Alice posts `second`, which is like `web`",
        _bid_at_second_price,
        "the chain does not show our bid of 2,733uve on `second`",
        lambda demo: demo.post("second"),
    ),
    Step(
        "second-lease",
        "She accepts",
        _second_leased,
        "the chain does not show our lease of `second`",
        lambda demo: demo.trader("alice").accept(demo.bid("second")),
    ),
    Step(
        "second-running",
        "The operator commits its workload file",
        lambda demo: running(demo, "second"),
        "the cluster does not show a ready pod for `second`",
        lambda demo: _commit_files(demo, "Run alice's second lease", "second"),
    ),
    Step(
        "paused",
        "The operator pauses `second` with a commit",
        _paused,
        "pods of `second` still run, or its state is not paused",
        lambda demo: _edit_second(demo, "Pause alice's second lease", PAUSE),
    ),
    Step(
        "killed",
        "The daemon is killed (SIGKILL)",
        _dead,
        "the daemon still runs",
        lambda demo: demo.daemon.kill(),
    ),
    Step(
        "resumed",
        "The operator commits `paused: false` while the daemon is down; then it is started again",
        _resumed,
        "`second` does not run again, or an order was bid on twice",
        _resume_and_start,
        blocks=40,
    ),
)

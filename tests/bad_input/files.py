"""Bad files in a real repository, beside good files of the same commit; then a bid at the prices in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.documents.desired import DesiredReader
from reconciler.git.remote import Remote
from reconciler.git.repository import GitRepository
from reconciler.planning.planner import plan
from reconciler.values.desired import Desired
from reconciler.values.ids import workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.memory import WorkloadMemory
from reconciler.values.messages import CreateBid
from reconciler.values.plans import Plan, Reason, RemoveWorkload, SendTransaction
from reconciler.values.readings import Seen
from tests.bad_input.case import Run, Workspace
from tests.documents.texts import PRICING, PROVIDER, SHEET_PRICING, lease, repository, workload, workload_path
from tests.git.forge import Forge
from tests.makers import adapter, has_errors, market, order, planning_input, remembered, running
from tests.makers import lease as leased
from tests.makers import workload as workload_of

BOMB = b"a: &a [x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (c, c, c - 1, c - 1) for c in b"bcdefghij")
FIRST, SECOND = workload_path(1), workload_path(2)
OUR_PRICE = 2446


class History:
    """Commits of a forge, as the daemon reads them in sequence."""

    def __init__(self, workspace: Workspace) -> None:
        self.forge = Forge.make(workspace.path / "forge")
        self._repository = GitRepository(Remote(str(self.forge.path)), workspace.path / "state")
        self._reader = DesiredReader(PROVIDER)

    def commit(self, files: Mapping[str, bytes], good: Mapping[str, str]) -> Desired:
        """Write the files, commit them, and read the commit."""
        for name, content in files.items():
            path = self.forge.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)  # or a link's aim, outside, would be written over
            path.write_bytes(content)
        self.forge.commit()
        reading = self._repository.fetch("")
        assert isinstance(reading, Seen)
        newest = reading.view[0]
        return self._reader.desired(newest, good, self._repository.read(self._reader.unread(newest, good)))


def bid_price(made: Plan) -> int:
    """The price of the plan's only bid."""
    sent = [m for action in made.actions if isinstance(action, SendTransaction) for m in action.messages]
    [bid] = [message for message in sent if isinstance(message, CreateBid)]
    return int(bid.price)


def bad_file(path: str, content: bytes, link: bool = False) -> Run:
    """A commit with this file (or a link to it outside the repository) and a good change."""

    def run(workspace: Workspace) -> str:
        history = History(workspace)
        before = history.commit(repository(1, 2), {})
        files = {SECOND: workload(2, "paused: true"), path: content}
        if link:
            del files[path]
            outside = workspace.path / "outside.yaml"
            outside.write_bytes(content)
            (history.forge.path / path).unlink()
            (history.forge.path / path).symlink_to(outside)
        after = history.commit(files, before.valid_blobs)

        made = plan(planning_input(market(orders=[order(7)]), after))
        assert bid_price(made) == OUR_PRICE
        assert (after.config, after.pricing) == (before.config, before.pricing)
        assert after.workloads[workload_id(lease(1))] == before.workloads[workload_id(lease(1))]
        assert after.workloads[workload_id(lease(2))].paused
        assert has_errors(after)
        assert not has_errors(history.commit(repository(1, 2), after.valid_blobs))
        workspace.values["first"] = FIRST
        return "\n".join(hold.message for hold in made.holds if hold.reason is Reason.FILE_FAULTY)

    return run


def sheets_own_file(workspace: Workspace) -> str:
    """The cheat sheet's pricing file, verbatim."""
    made = History(workspace).commit(repository(1) | {"pricing.yaml": SHEET_PRICING}, {})
    assert not has_errors(made)
    assert bid_price(plan(planning_input(market(orders=[order(7)]), made))) == 1
    return "\n".join(fault.describe() for fault in made.faults)


def served(made: Desired) -> Plan:
    """The plan while the workload of the active lease 1 runs."""
    before = replace(workload_of(1), id=workload_id(lease(1)), lease=lease(1))
    held = replace(leased(1), id=lease(1), payment=replace(leased(1).payment, lease=lease(1)))
    known = remembered(
        workloads={before.id: WorkloadMemory(lease(1), "kubernetes", Phase.RUNNING)}, applied=made.commit
    )
    world = market(orders=[order(7)], leases=[held])
    return plan(planning_input(world, made, adapters=adapter(running(before)), memory=known))


def renamed(workspace: Workspace) -> str:
    """A workload file with another name: the running workload is not touched."""
    history = History(workspace)
    before = history.commit(repository(1, 2), {})
    (history.forge.path / FIRST).unlink()
    after = history.commit({"workloads/web.yaml": workload(1)}, before.valid_blobs)
    made = served(after)
    assert not any(isinstance(action, RemoveWorkload) for action in made.actions)
    assert bid_price(made) == OUR_PRICE
    assert has_errors(after)
    workspace.values.update(first=FIRST, id=workload_id(lease(1)))
    (history.forge.path / "workloads/web.yaml").unlink()
    assert not has_errors(history.commit({FIRST: workload(1)}, after.valid_blobs))
    mine = (Reason.FILE_FAULTY, Reason.NO_WORKLOAD_FILE)
    return "\n".join(f"{hold.reason}: {hold.message}" for hold in made.holds if hold.reason in mine)


def doubled(workspace: Workspace) -> str:
    """A copy of a workload file: the one with the right name counts."""
    history = History(workspace)
    before = history.commit(repository(1, 2), {})
    after = history.commit({"workloads/copy.yaml": workload(1, image="nginx:2")}, before.valid_blobs)
    made = plan(planning_input(market(orders=[order(7)]), after))
    assert after.workloads == before.workloads
    assert bid_price(made) == OUR_PRICE
    workspace.values["first"] = FIRST.removeprefix("workloads/")
    return "\n".join(hold.message for hold in made.holds if hold.reason is Reason.FILE_FAULTY)


def of_windows(workspace: Workspace) -> str:
    """CRLF line endings and a byte order mark in every file do not change the meaning."""
    plain = repository(1, 2)
    files = {path: b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n") for path, text in plain.items()}
    history = History(workspace)
    before = history.commit(plain, {})
    after = history.commit(files, before.valid_blobs)
    assert (after.config, after.pricing, after.workloads) == (
        before.config,
        before.pricing,
        before.workloads,
    )
    assert not has_errors(after)
    assert bid_price(plan(planning_input(market(orders=[order(7)]), after))) == OUR_PRICE
    return "\n".join(fault.describe() for fault in after.faults)


BROKEN = bad_file("pricing.yaml", PRICING.replace(b"cpu_millicores: 1uve", b"cpu_millicores: 1uve: x"))
UNKNOWN_KEY = bad_file("pricing.yaml", PRICING.replace(b"cpu_millicores", b"cpu_milicores"))
OTHER_DENOMINATION = bad_file("pricing.yaml", PRICING.replace(b"gpu: 20000uve", b"gpu: 20000uact"))
ALIAS_BOMB = bad_file("config.yaml", BOMB)
CONFLICT = bad_file(
    "pricing.yaml",
    PRICING.replace(
        b"  gpu: 20000uve\n",
        b"<<<<<<< HEAD\n  gpu: 30000uve\n=======\n  gpu: 10000uve\n>>>>>>> cheaper\n",
    ),
)
TAB = bad_file("config.yaml", b"kind: Config\nbidding:\n\tenabled: false\n")
NOT_UTF_8 = bad_file("config.yaml", "kind: Config  # für uns\n".encode("latin-1"))
DEEP = bad_file(FIRST, b"[" * 25_000 + b"]" * 25_000)
BIG = bad_file(FIRST, b"#" * 5_000_000)
LINK = bad_file(FIRST, workload(1, "paused: true"), link=True)

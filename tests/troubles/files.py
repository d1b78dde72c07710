"""Bad files in a real repository, beside a commit's good ones; then a bid at the prices in force."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.documents.desired import Reader
from reconciler.planning.planner import plan
from reconciler.repo.place import Place
from reconciler.repo.repository import GitRepository
from reconciler.values.desired import Desired
from reconciler.values.ids import workload_id
from reconciler.values.messages import CreateBid
from reconciler.values.plans import Plan, Reason, SendTransaction
from reconciler.values.readings import Seen
from tests.documents.texts import PRICING, PROVIDER, SHEET_PRICING, lease, repository, workload, workload_path
from tests.makers import market, order, situation
from tests.repo.forge import Forge
from tests.troubles.ground import Ground, Show

BOMB = b"a: &a [x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (c, c, c - 1, c - 1) for c in b"bcdefghij")
FIRST, SECOND = workload_path(1), workload_path(2)
OUR_PRICE = 2446


class History:
    """Commits of a forge, as the daemon reads them one after the other."""

    def __init__(self, ground: Ground) -> None:
        self.forge = Forge.make(ground.path / "forge")
        self._repository = GitRepository(Place(str(self.forge.path)), ground.path / "state")
        self._reader = Reader(PROVIDER)

    def commit(self, files: Mapping[str, bytes], good: Mapping[str, str]) -> Desired:
        """Write these, commit all, and read what was committed."""
        for name, content in files.items():
            path = self.forge.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)  # or a link's aim, outside, would be written over
            path.write_bytes(content)
        self.forge.commit()
        reading = self._repository.look("")
        assert isinstance(reading, Seen)
        newest = reading.view[0]
        return self._reader.desired(newest, good, self._repository.read(self._reader.unread(newest, good)))


def bid_price(made: Plan) -> int:
    """Of the one bid that the plan makes."""
    sent = [m for action in made.actions if isinstance(action, SendTransaction) for m in action.messages]
    [bid] = [message for message in sent if isinstance(message, CreateBid)]
    return int(bid.price)


def bad_file(path: str, content: bytes, link: bool = False) -> Show:
    """A commit with this file (or a link to it, outside the repository) and a good change beside it."""

    def show(ground: Ground) -> str:
        history = History(ground)
        before = history.commit(repository(1, 2), {})
        files = {SECOND: workload(2, "paused: true"), path: content}
        if link:
            del files[path]
            outside = ground.path / "outside.yaml"
            outside.write_bytes(content)
            (history.forge.path / path).unlink()
            (history.forge.path / path).symlink_to(outside)
        after = history.commit(files, before.good)

        made = plan(situation(market(orders=[order(7)]), after))
        assert bid_price(made) == OUR_PRICE
        assert (after.config, after.pricing) == (before.config, before.pricing)
        assert after.workloads[workload_id(lease(1))] == before.workloads[workload_id(lease(1))]
        assert after.workloads[workload_id(lease(2))].paused
        assert not after.whole
        assert history.commit(repository(1, 2), after.good).whole
        ground.places["first"] = FIRST
        return "\n".join(hold.message for hold in made.holds if hold.reason is Reason.FILE_FAULTY)

    return show


def sheets_own_file(ground: Ground) -> str:
    """The sheet's pricing file, word for word."""
    made = History(ground).commit(repository(1) | {"pricing.yaml": SHEET_PRICING}, {})
    assert made.whole
    assert bid_price(plan(situation(market(orders=[order(7)]), made))) == 1
    return "\n".join(fault.show() for fault in made.faults)


BROKEN = bad_file("pricing.yaml", PRICING.replace(b"cpu_millicores: 1uve", b"cpu_millicores: 1uve: x"))
UNKNOWN_KEY = bad_file("pricing.yaml", PRICING.replace(b"cpu_millicores", b"cpu_milicores"))
OTHER_DENOMINATION = bad_file("pricing.yaml", PRICING.replace(b"gpu: 20000uve", b"gpu: 20000uact"))
ALIAS_BOMB = bad_file("config.yaml", BOMB)
DEEP = bad_file(FIRST, b"[" * 25_000 + b"]" * 25_000)
BIG = bad_file(FIRST, b"#" * 5_000_000)
LINK = bad_file(FIRST, workload(1, "paused: true"), link=True)

"""One world: chain, repository, machines, host clock and disk around a daemon, stepped block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import count
from pathlib import Path

from reconciler.chain.proto import market_v1_pb2
from reconciler.chain.proto import market_v1beta5_pb2 as market
from reconciler.chain.transactions import decode_tx
from reconciler.devnet.accounts import PROVIDER, genesis, key_of
from reconciler.devnet.chain import addresses
from reconciler.devnet.chain.genesis import Genesis
from reconciler.devnet.chain.mempool import SeenBeforeError
from reconciler.devnet.chain.tables import BIDS, LEASES, ORDERS
from reconciler.values.commit_status import CommitStatus
from reconciler.values.outcomes import Done, Outcome
from reconciler.values.plans import NotifyTenant
from reconciler.values.resources import MB, Resources
from tests.simulation.seeded.books import Books
from tests.simulation.seeded.chain import NANOSECONDS, JumpingChain, NodeLink
from tests.simulation.seeded.faults import Faults
from tests.simulation.seeded.machines import Machines
from tests.simulation.seeded.repository import MemoryRepository, Remote
from tests.simulation.seeded.terms import ANSIBLE, BEGINS_AT, CLUSTER_FILE, KUBERNETES, Terms, pricing

OURS = key_of(PROVIDER).address


@dataclass(slots=True)
class Receiver:
    """A receiver of notices and of commit states."""

    received: int = 0

    def notify(self, notice: NotifyTenant) -> Outcome:
        del notice
        self.received += 1
        return Done()

    def set_status(self, said: CommitStatus) -> Outcome:
        del said
        self.received += 1
        return Done()


class World:
    """Everything outside the daemon; `directory` holds what is on the host's disk."""

    def __init__(self, terms: Terms, directory: Path) -> None:
        self.terms = terms
        self.directory = directory
        self.chain = JumpingChain(_genesis(terms), terms.block_seconds)
        self.link = NodeLink(self.chain)
        self.witness = NodeLink(self.chain)
        self.books = Books(self.chain, OURS)
        self.remote = Remote()
        self.repository = MemoryRepository(self.remote)
        self.adapters = dict(_adapters(terms))
        self.receiver = Receiver()
        self.faults = Faults(now=lambda: self.chain.seconds, pass_blocks=self.pass_blocks)
        self.clock_ahead = 0
        self.within_block = 0
        """Seconds since the last block, by the host's clock."""
        self.dseq = 0
        self.blocks_made = 0
        self.kill = False
        """The daemon is to be killed before its next cycle, stays down for `down_blocks`; meanwhile `on_disk`
        changes its files.
        """
        self.down_blocks = 0
        self.on_disk: list[Callable[[], None]] = []
        self.restored = self.lost = False
        """The daemon's journal was replaced by an older copy, or is gone."""
        self.stranger_spent = False
        self.is_disturbed = False
        """Something but orders and leases came."""
        self.is_calm = False
        """Nobody acts and nothing fails any more."""
        self.halt_seconds = 0
        """How long until the next block."""
        self.sent: dict[str, bytes] = {}
        """Our transactions in blocks, by hash."""
        self.reversed_blocks = 0
        """How many blocks to come have their transactions in the reverse order."""
        self._numbers = count()
        self._later: list[tuple[int, int, Callable[[], None]]] = []
        self.link.fault = self.faults.node
        self.witness.fault = self.faults.witness
        self._begin()

    @property
    def seconds(self) -> int:
        """The host's clock."""
        return self.chain.seconds + self.within_block + self.clock_ahead

    def at_height(self, height: int, act: Callable[[], None]) -> None:
        """Act before the block after this height."""
        heappush(self._later, (height, next(self._numbers), act))

    def after_seconds(self, seconds: int, act: Callable[[], None]) -> None:
        """Act after so many seconds of chain time."""
        self.at_height(self.chain.height + max(seconds // self.terms.block_seconds, 1), act)

    @property
    def next_act(self) -> int | None:
        """The height at which something is to be done next."""
        return self._later[0][0] if self._later else None

    def block(self) -> None:
        """Make one block, and let the machines do what they do by themselves."""
        self.within_block = 0
        while self._later and self._later[0][0] <= self.chain.height:
            heappop(self._later)[2]()
        order = None
        if self.reversed_blocks:
            self.reversed_blocks -= 1
            order = list(self.chain.mempool.waiting)[::-1]
        time_ns = self.chain.time_ns + (self.terms.block_seconds + self.halt_seconds) * NANOSECONDS
        self.halt_seconds = 0
        made = self.chain.step(time_ns, include=order)
        self.books.book(made)
        self.sent.update((tx.hash, tx.data) for tx in made.txs if ours(tx.data))
        self.blocks_made += 1
        for each in self.adapters.values():
            each.converge()

    def change_disk(self) -> None:
        """Change the files of a daemon that does not run; it need not be killed for that any more."""
        self.kill = False
        changes, self.on_disk = self.on_disk, []
        for change in changes:
            change()

    def pass_blocks(self, count: int) -> None:
        """Blocks that are made while the daemon waits for something."""
        for _ in range(count):
            self.block()

    def send_again(self, raw: bytes) -> None:
        """Submit the bytes of a transaction that was in a block."""
        with suppress(SeenBeforeError):
            self.chain.check_tx(raw)

    @property
    def has_its_adapter_files(self) -> bool:
        """Whether the adapter files of the newest commit are those of the first."""
        first, now = _first_files(self.terms), self.remote.files
        paths = {path for path in (*first, *now) if path.startswith("adapters/")}
        return all(path in now and now[path].decode() == first.get(path) for path in paths)

    def orders(self) -> list[market.Order]:
        """All orders of the chain."""
        return self.chain.rows(ORDERS)

    def bids(self) -> list[market.Bid]:
        """All bids of the chain."""
        return self.chain.rows(BIDS)

    def leases(self) -> list[market_v1_pb2.Lease]:
        """All leases of the chain."""
        return self.chain.rows(LEASES)

    def token(self) -> tuple[object, ...]:
        """Equal as long as nothing outside the daemon changes, but for time."""
        return (
            len(self.chain.ledger._txs),
            tuple(self.chain.mempool.waiting),
            tuple((each.changes, each.calls) for each in self.adapters.values()),
            self.remote.pushes,
            self.receiver.received,
        )

    def _begin(self) -> None:
        self.remote.commit("The first", BEGINS_AT - 1000, _first_files(self.terms))
        self.books.book(self.chain.step(BEGINS_AT * NANOSECONDS))
        self.block()


def ours(raw: bytes) -> bool:
    """Whether our key signed a transaction."""
    return addresses.of_public_key(decode_tx(raw).public) == OURS


def _genesis(terms: Terms) -> Genesis:
    made = genesis()
    accounts = (
        replace(each, balance_uve=terms.balance_uve) if each.address == OURS else each
        for each in made.accounts
    )
    return replace(made, accounts=tuple(accounts))


def _adapters(terms: Terms) -> Iterator[tuple[str, Machines]]:
    nodes = {f"node-{n}": machine(cpu) for n, cpu in enumerate(terms.nodes)}
    yield KUBERNETES, Machines(KUBERNETES, nodes, whole=False)
    if terms.hosts:
        hosts = {f"host-{n}": machine(cpu) for n, cpu in enumerate(terms.hosts)}
        yield ANSIBLE, Machines(ANSIBLE, hosts, whole=True)


def machine(cpu_milli: int) -> Resources:
    """A machine with ample disk."""
    return Resources(cpu_milli, cpu_milli * 2 * MB, 500_000 * MB)


def _first_files(terms: Terms) -> dict[str, str | None]:
    files: dict[str, str | None] = {
        "config.yaml": terms.config,
        "pricing.yaml": pricing(terms.chain_cents, terms),
        "adapters/kubernetes.yaml": CLUSTER_FILE,
    }
    if terms.hosts:
        lines = "".join(
            f"      - {{name: host-{n}, address: 10.0.0.{n + 1}}}\n" for n in range(len(terms.hosts))
        )
        files["adapters/ansible.yaml"] = f"enabled: true\ngroups:\n  - name: all\n    hosts:\n{lines}"
    return files

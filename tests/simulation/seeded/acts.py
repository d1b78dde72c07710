"""What each kind of step does to the world: tenants, rivals and the operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from reconciler.chain.keys import PrivateKey
from reconciler.chain.proto import (
    deployment_v1_pb2,
    deployment_v1beta4_pb2,
    escrow_id_v1_pb2,
    escrow_v1_pb2,
    market_v1_pb2,
    market_v1beta5_pb2,
    settlement_v1_pb2,
)
from reconciler.chain.proto.cosmos_bank_pb2 import MsgSend
from reconciler.chain.wire_market import bid_id_to, deployment_id_to, lease_id_of
from reconciler.chain.wire_values import coin, dec_coin
from reconciler.devnet.accounts import PROVIDER, TENANTS, key_of
from reconciler.devnet.chain.tables import DEPLOYMENTS, GROUPS, SETTLEMENT_ESCROWS
from reconciler.devnet.trading import OrderRequest, _deposit, _group
from reconciler.values.adapters import adapter_path
from reconciler.values.ids import BidId, DeploymentId, LeaseId, OrderId, workload_id
from tests.simulation.seeded.terms import ANSIBLE, CLUSTER_FILE, SPARE, pricing
from tests.simulation.seeded.world import OURS, World

Act = Callable[[World, int, int], None]
TENANT_KEYS = {key_of(name).address: key_of(name) for name in TENANTS}

WORKLOAD = """\
lease: {{owner: {owner}, dseq: {dseq}, gseq: {gseq}, oseq: {oseq}}}
paused: {paused}
{close}services:
  - name: web
    image: registry.example/web:{tag}
    resources: {{cpu: {cpu}m, memory: 256Mi, storage: 512Mi}}
    expose: [{{port: 80}}]
"""


def order(world: World, a: int, b: int) -> None:
    """A tenant posts an order: any size, price, deposit, with or without billing by usage."""
    name = TENANTS[a % len(TENANTS)]
    cpu = (500, 1000, 1000, 2000, 4000, 9000)[b % 6]
    usage = b % 5 == 0
    rate = (Decimal(20 * cpu), Decimal(6 * cpu), Decimal(4 * cpu), Decimal(100))[(a >> 3) % 4]
    blocks_paid = (30, 2000, 100_000, 3_000_000)[(b >> 4) % 4]
    request = OrderRequest(
        rate, cpu, 512, 512, attributes=(("billing", "usage"),) if usage else (), deposit=0
    )
    group = _group(request)
    group.resources[0].count = 1 + (b >> 8) % 2
    deposit = max(500_000, min(blocks_paid * cpu * 3, 5_000_000_000))
    world.dseq += 1
    deployment = DeploymentId(key_of(name).address, 1_000_000 + world.dseq)
    groups = [group]
    if b % 7 == 0:
        second = _group(request)
        second.name = "eastcoast"
        groups.append(second)
    world.chain.send(
        key_of(name),
        deployment_v1beta4_pb2.MsgCreateDeployment(
            id=deployment_id_to(deployment), groups=groups, hash=bytes(32), deposit=_deposit(deposit)
        ),
    )


def accept(world: World, a: int, b: int) -> None:
    """A tenant accepts an open bid: as a rule ours, sometimes a rival's."""
    bids = [bid for bid in world.bids() if bid.state == market_v1beta5_pb2.Bid.open]
    ours = [bid for bid in bids if bid.id.provider == OURS]
    rivals = [bid for bid in bids if bid.id.provider != OURS]
    chosen = (ours if b % 8 else rivals) or bids
    if chosen:
        bid = lease_id_of(chosen[a % len(chosen)].id)
        world.chain.send(_tenant(bid.order.owner), market_v1beta5_pb2.MsgCreateLease(bid_id=bid_id_to(bid)))


def rival(world: World, a: int, b: int) -> None:
    """A rival provider bids on an open order."""
    orders = [each for each in world.orders() if each.state == market_v1beta5_pb2.Order.open]
    if orders:
        at, key = orders[a % len(orders)].id, key_of(("rival", "third")[b % 2])
        bid = BidId(OrderId(at.owner, at.dseq, at.gseq, at.oseq), key.address)
        message = market_v1beta5_pb2.MsgCreateBid(
            id=bid_id_to(bid), price=dec_coin(Decimal(50)), deposit=_deposit(500_000)
        )
        world.chain.send(key, message)


def close(world: World, a: int, b: int) -> None:
    """A tenant closes a deployment, or one lease of it."""
    if b % 4 == 0 and (leases := active_leases(world)):
        lease = leases[a % len(leases)]
        wire = market_v1_pb2.LeaseID(
            owner=lease.order.owner,
            dseq=lease.order.dseq,
            gseq=lease.order.gseq,
            oseq=lease.order.oseq,
            provider=lease.provider,
        )
        world.chain.send(_tenant(lease.order.owner), market_v1beta5_pb2.MsgCloseLease(id=wire))
        return
    there = [
        each.id for each in world.chain.rows(DEPLOYMENTS) if each.state == deployment_v1_pb2.Deployment.active
    ]
    if there:
        chosen = there[a % len(there)]
        world.chain.send(_tenant(chosen.owner), deployment_v1beta4_pb2.MsgCloseDeployment(id=chosen))


def pause_group(world: World, a: int, _: int) -> None:
    """A tenant pauses a group, which ends its lease."""
    _group_message(world, a, deployment_v1beta4_pb2.Group.open, deployment_v1beta4_pb2.MsgPauseGroup)


def start_group(world: World, a: int, _: int) -> None:
    """A tenant starts a paused group, which posts a new order."""
    _group_message(world, a, deployment_v1beta4_pb2.Group.paused, deployment_v1beta4_pb2.MsgStartGroup)


def deposit(world: World, a: int, b: int) -> None:
    """Somebody deposits into a deployment's escrow, which may be overdrawn or closed."""
    there = world.chain.rows(DEPLOYMENTS)
    if there:
        chosen = there[a % len(there)].id
        account = escrow_id_v1_pb2.Account(
            scope=escrow_id_v1_pb2.Scope.deployment, xid=f"{chosen.owner}/{chosen.dseq}"
        )
        payer = key_of(TENANTS[b % 2])
        amount = (1, 500_000, 30_000_000)[b % 3]
        world.chain.send(
            payer, escrow_v1_pb2.MsgAccountDeposit(signer=payer.address, id=account, deposit=_deposit(amount))
        )


def escrow(world: World, a: int, b: int) -> None:
    """A tenant creates a settlement escrow for a lease, and anyone activates it a block later."""
    leases = active_leases(world)
    if not leases:
        return
    lease = leases[a % len(leases)]
    seconds = (3_600, 20_000, 200_000, 2_000_000)[b % 4]
    amount = (50_000, 5_000_000, 900_000_000)[(b >> 3) % 3]
    tenant = _tenant(lease.order.owner)
    created = settlement_v1_pb2.MsgCreateEscrow(
        sender=tenant.address, order_id=str(lease.order), amount=[coin(amount)], expires_in=seconds
    )
    world.chain.send(tenant, created)

    def activate() -> None:
        for each in world.chain.rows(SETTLEMENT_ESCROWS):
            if each.order_id == str(lease.order) and each.state == "pending":
                message = settlement_v1_pb2.MsgActivateEscrow(
                    sender=tenant.address,
                    escrow_id=each.escrow_id,
                    lease_id=str(lease),
                    recipient=lease.provider,
                )
                world.chain.send(tenant, message)

    world.at_height(world.chain.height + 1 + b % 3, activate)


def refund(world: World, a: int, _: int) -> None:
    """A tenant takes a settlement escrow back, whatever was used."""
    there = [each for each in world.chain.rows(SETTLEMENT_ESCROWS) if each.state in ("pending", "active")]
    if there:
        chosen = there[a % len(there)]
        message = settlement_v1_pb2.MsgRefundEscrow(
            sender=chosen.depositor, escrow_id=chosen.escrow_id, reason="mine"
        )
        world.chain.send(_tenant(chosen.depositor), message)


def file(world: World, a: int, b: int) -> None:
    """The operator commits the workload file of a lease that has none."""
    missing = [each for each in active_leases(world) if path_of(each) not in world.remote.files]
    if missing:
        commit(world, "Run a workload", workload_file(missing[a % len(missing)], b))


def unfile(world: World, a: int, _: int) -> None:
    """The operator deletes a workload file."""
    if paths := workload_paths(world):
        commit(world, "Delete a workload", {paths[a % len(paths)]: None})


def pause(world: World, a: int, b: int) -> None:
    """The operator pauses a workload."""
    _rewrite_file(world, a, "Pause", lambda lease: workload_file(lease, b, paused=True))


def resume(world: World, a: int, b: int) -> None:
    """The operator resumes a workload, or changes its image."""
    _rewrite_file(world, a, "Resume", lambda lease: workload_file(lease, b))


def close_word(world: World, a: int, b: int) -> None:
    """The operator closes a lease."""
    line = "close: unstable\n"
    _rewrite_file(world, a, "Close", lambda lease: workload_file(lease, b, close=line))


def price(world: World, a: int, _: int) -> None:
    """The operator changes a price."""
    commit(world, "Price", {"pricing.yaml": pricing(50 + a % 150, world.terms)})


def bad_file(world: World, a: int, b: int) -> None:
    """The operator commits a file that cannot be read; the next commit repairs it."""
    path = ("config.yaml", "pricing.yaml", "adapters/kubernetes.yaml")[a % 3]
    if path not in world.remote.files:
        return
    good = world.remote.files[path].decode()
    commit(world, "A mistake", {path: "nothing: [\n"})
    world.at_height(world.chain.height + 2 + b % 10, lambda: commit(world, "Repair", {path: good}))


def adapter_file(world: World, a: int, b: int) -> None:
    """The operator disables, renames, removes or doubles an adapter's file, and takes that back later."""
    name = sorted(world.adapters)[(a >> 4) % len(world.adapters)]
    path, other = adapter_path(name), adapter_path(SPARE)
    good = {path: world.remote.files[path].decode() if path in world.remote.files else None, other: None}
    if good[path] is None:
        return
    text, same = good[path], CLUSTER_FILE
    change: tuple[dict[str, str | None], ...] = (
        {path: str(text).replace("enabled: true", "enabled: false")},
        {path: None, other: same},
        {path: None},
        {other: same},
    )
    commit(world, "Change an adapter", change[a % 4])
    seconds = (60, 600, 6_000, 40_000)[b % 4]
    world.after_seconds(seconds, lambda: commit(world, "Take it back", good))


def remove_host(world: World, a: int, b: int) -> None:
    """The operator deletes a host from the file of its adapter, and puts it back later."""
    path = adapter_path(ANSIBLE)
    good = world.remote.files.get(path, b"").decode()
    hosts = [line for line in good.splitlines(keepends=True) if "address:" in line]
    if len(hosts) > 1:
        commit(world, "Remove a host", {path: good.replace(hosts[a % len(hosts)], "")})
        seconds = (60, 600, 6_000, 40_000)[b % 4]
        world.after_seconds(seconds, lambda: commit(world, "Put it back", {path: good}))


def config(world: World, a: int, _: int) -> None:
    """The operator changes how often earnings are withdrawn and usage is recorded."""
    every = ("8h", "24h", "24h", "200h")[a % 4]
    before = world.terms.config
    text = before.replace(f"every: {world.terms.every},", f"every: {every},")
    commit(world, "Withdraw otherwise", {"config.yaml": text})


def rewrite(world: World, a: int, b: int) -> None:
    """Somebody rewrites the desired branch; a later push restores it."""
    line = list(world.remote.line(world.remote.tip))
    before, base = world.remote.tip, line[min(1 + a % 3, len(line) - 1)].id
    world.remote.commit("Rewritten", world.chain.seconds, {"notes.md": f"{a}\n"}, parent=base)

    def restore() -> None:
        world.remote.tip = before

    world.at_height(world.chain.height + 3 + b % 20, restore)


def stranger(world: World, a: int, b: int) -> None:
    """A stranger with our key sends money away."""
    amount = (1, 1000, 200_000)[b % 3]
    to = key_of(("alice", "rival")[a % 2]).address
    world.stranger_spent = True
    world.chain.send(key_of(PROVIDER), MsgSend(from_address=OURS, to_address=to, amount=[coin(amount)]))


def top_up(world: World, a: int, _: int) -> None:
    """The owner puts money into our account."""
    key = key_of("bob")
    amount = (1, 777_777, 20_000_000)[a % 3]
    world.chain.send(key, MsgSend(from_address=key.address, to_address=OURS, amount=[coin(amount)]))


def commit(world: World, subject: str, changes: Mapping[str, str | None]) -> None:
    """Commit to the desired branch."""
    world.remote.commit(subject, world.chain.seconds, changes)


def active_leases(world: World) -> list[LeaseId]:
    """Our active leases, by id."""
    active = (each.id for each in world.leases() if each.state == market_v1_pb2.Lease.active)
    return sorted(lease_id_of(each) for each in active if each.provider == OURS)


def path_of(lease: LeaseId) -> str:
    """The path of a lease's workload file."""
    return f"workloads/{workload_id(lease)}.yaml"


def workload_file(lease: LeaseId, b: int, *, paused: bool = False, close: str = "") -> dict[str, str | None]:
    """The file of a lease."""
    at = lease.order
    text = WORKLOAD.format(
        owner=at.owner,
        dseq=at.dseq,
        gseq=at.gseq,
        oseq=at.oseq,
        paused=str(paused).lower(),
        close=close,
        tag=b % 5,
        cpu=(250, 500)[b % 2],
    )
    return {path_of(lease): text}


def workload_paths(world: World) -> list[str]:
    """The workload files of the newest commit."""
    return sorted(path for path in world.remote.files if path.startswith("workloads/"))


def _rewrite_file(
    world: World, a: int, subject: str, made: Callable[[LeaseId], dict[str, str | None]]
) -> None:
    there = [each for each in active_leases(world) if path_of(each) in world.remote.files]
    if there:
        commit(world, subject, made(there[a % len(there)]))


def _group_message(world: World, a: int, state: int, kind: Callable[..., object]) -> None:
    found = [each.id for each in world.chain.rows(GROUPS) if each.state == state]
    if found:
        chosen = found[a % len(found)]
        world.chain.send(_tenant(chosen.owner), kind(id=chosen))  # type: ignore[arg-type]


def _tenant(address: str) -> PrivateKey:
    return TENANT_KEYS[address]


MARKET_ACTS: dict[str, Act] = {
    act.__name__: act
    for act in (
        *(order, accept, rival, close, pause_group, start_group, deposit, escrow, refund),
        *(file, unfile, pause, resume, close_word, price, bad_file, adapter_file, remove_host),
        *(config, rewrite, stranger, top_up),
    )
}
MARKET_ACTS["image"] = resume

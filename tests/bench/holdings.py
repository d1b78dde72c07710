"""Leases, files and running workloads of a provider with an address as the chain has it."""

from __future__ import annotations

from dataclasses import replace

from reconciler.values.ids import LeaseId, OrderId, workload_id
from reconciler.values.observed import Bid, Lease, Market, State, Wallet
from tests import makers

TENANT = "ve1avgyh77ycn997ja45q5q8ss8y9mr424ju8e86f"
PROVIDER = "ve15yk64u7zc9g9k2yr2wmzeva5qgwxps6y605mkk"


def lease_id(dseq: int) -> LeaseId:
    """The lease of a deployment."""
    return LeaseId(OrderId(TENANT, dseq, 1, 1), PROVIDER)


def path_of(dseq: int) -> str:
    """The path of its workload file."""
    return f"workloads/{workload_id(lease_id(dseq))}.yaml"


def lease(dseq: int) -> Lease:
    """A new, active, well-funded lease."""
    made = makers.lease(dseq, created_at=makers.HEIGHT - 10)
    return replace(made, id=lease_id(dseq), payment=replace(made.payment, lease=lease_id(dseq)))


def market(leases: int) -> Market:
    """A market with so many of our leases, the bids that won them, and nothing else."""
    held = [lease(number) for number in range(1, leases + 1)]
    won = [Bid(each.id, State.ACTIVE, each.price, each.created_at, 500_000) for each in held]
    return makers.market(leases=held, bids=won, wallet=Wallet(PROVIDER, 4, 7, 10_000_000))


def file_of(dseq: int, image: str = "docker.io/library/web:1") -> bytes:
    """A workload file as an operator writes it."""
    return (
        "apiVersion: provider.virtengine.dev/v1alpha1\nkind: Workload\n"
        f"lease: {{owner: {TENANT}, dseq: {dseq}, gseq: 1, oseq: 1}}\n"
        f"services:\n  - name: web\n    image: {image}\n"
        "    resources: {cpu: 500m, memory: 256Mi, storage: 512Mi}\n"
    ).encode()

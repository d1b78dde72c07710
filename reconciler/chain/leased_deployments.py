"""Single deployments that a provider serves, read at the newest height, from any thread."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.proto import market_v1_pb2
from reconciler.chain.proto.deployment_v1_pb2 import Deployment
from reconciler.chain.queries import Queries
from reconciler.chain.wire_market import lease_of
from reconciler.chain.wire_values import attributes_of, text_of, unit_of
from reconciler.manifests.groups import GroupSpec
from reconciler.values.ids import DeploymentId, LeaseId
from reconciler.values.observed import State


@dataclass(frozen=True, slots=True)
class LeasedDeployment:
    """A deployment: its manifest's hash in hexadecimal, its groups, and the group's name of each active lease
    with the provider.
    """

    is_active: bool
    manifest_hash: str
    groups: tuple[GroupSpec, ...]
    leases: tuple[tuple[LeaseId, str], ...]


def leased_deployment(node: GrpcNode, id: DeploymentId, provider: str) -> LeasedDeployment | None:  # noqa: A002  # its word
    """The deployment with its leases; None if there is no such deployment. NodeError if the node does not
    answer, ValueError if its answer is unreadable.
    """
    queries = Queries(node)
    found = queries.deployment(id)
    if found is None:
        return None
    filters = market_v1_pb2.LeaseFilters(owner=id.owner, dseq=id.dseq, provider=provider, state="active")
    names = {group.id.gseq: text_of(group.group_spec.name) for group in found.groups}
    leases = (lease_of(wire) for wire in queries.leases(filters))
    return LeasedDeployment(
        is_active=found.deployment.state == Deployment.State.Value("active"),
        manifest_hash=found.deployment.hash.hex(),
        groups=tuple(
            GroupSpec(
                name=text_of(group.group_spec.name),
                units=tuple(unit_of(unit) for unit in group.group_spec.resources),
                attributes=attributes_of(group.group_spec.requirements.attributes),
            )
            for group in found.groups
        ),
        leases=tuple(
            (lease.id, names.get(lease.id.order.gseq, ""))
            for lease in leases
            if lease.state is State.ACTIVE and lease.id.deployment == id and lease.id.provider == provider
        ),
    )

"""The deployments' queries."""

from __future__ import annotations

from reconciler.chain.proto import deployment_v1beta4_pb2 as v1beta4
from reconciler.chain.proto.deployment_v1_pb2 import Deployment
from reconciler.chain.proto.escrow_id_v1_pb2 import Account as AccountId
from reconciler.chain.proto.escrow_id_v1_pb2 import Scope
from reconciler.devnet.chain import deployment, escrow_records, keys
from reconciler.devnet.chain.addresses import AddressError, raw
from reconciler.devnet.chain.errors import TxRefusedError, internal, invalid_argument, not_found
from reconciler.devnet.chain.paging import PagedList, check_offset
from reconciler.devnet.chain.queries_market import check_owner
from reconciler.devnet.chain.store import View
from reconciler.devnet.chain.tables import DEPLOYMENTS, PARAMS

_STATES = (Deployment.active, Deployment.closed)


def deployments(view: View, request: v1beta4.QueryDeploymentsRequest) -> v1beta4.QueryDeploymentsResponse:
    """Deployments by filter."""
    filters = request.filters
    check_offset(request.pagination, filters.state)
    states: tuple[int, ...] = _STATES
    if filters.state:
        value = dict(Deployment.State.items()).get(filters.state, 0)
        if not value:
            raise invalid_argument("invalid state value")
        states = (value,)
    if filters.owner:
        try:
            raw(filters.owner)
        except AddressError as error:
            raise internal(str(error)) from error

    def prefix(state: int) -> bytes:
        key = b"\x11\x00" + bytes([state])
        if not filters.owner:
            return key
        key += keys.account(filters.owner)
        return key + filters.dseq.to_bytes(8, "big") if filters.dseq else key

    listing = PagedList(DEPLOYMENTS, states, prefix, lambda d: filters.dseq in (0, d.id.dseq))
    rows, page = listing.page(view, request.pagination)
    found = [_complete(view, row) for row in rows]
    return v1beta4.QueryDeploymentsResponse(deployments=found, pagination=page)


def one_deployment(view: View, request: v1beta4.QueryDeploymentRequest) -> v1beta4.QueryDeploymentResponse:
    """One deployment with its groups and its escrow account."""
    check_owner(request.id.owner)
    found = deployment.read(view, request.id)
    if found is None:
        raise not_found("deployment", 4, "Deployment not found")
    return _complete(view, found)


def group(view: View, request: v1beta4.QueryGroupRequest) -> v1beta4.QueryGroupResponse:
    """One group."""
    check_owner(request.id.owner)
    found = deployment.read_group(view, request.id)
    if found is None:
        raise not_found("deployment", 14, "Group not found")
    return v1beta4.QueryGroupResponse(group=found)


def params(view: View, request: v1beta4.QueryParamsRequest) -> v1beta4.QueryParamsResponse:
    """The parameters."""
    del request
    stored = view.get(PARAMS, b"deployment") or b""
    return v1beta4.QueryParamsResponse(params=v1beta4.Params.FromString(stored))


def _complete(view: View, found: Deployment) -> v1beta4.QueryDeploymentResponse:
    id_ = AccountId(scope=Scope.deployment, xid=f"{found.id.owner}/{found.id.dseq}")
    account = escrow_records.read_account(view, id_)
    if account is None:
        raise TxRefusedError("escrow", 3, "account not found")
    groups = deployment.read_groups(view, found.id)
    return v1beta4.QueryDeploymentResponse(deployment=found, groups=groups, escrow_account=account)

"""Queries to a node at one height; lists are complete or an error (semantics 2.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import Protocol, TypeVar

from google.protobuf.message import Message

from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.node_errors import ListTooLongError, NodeError, NodeRefusedError, TooLargeError
from reconciler.chain.proto import (
    audit_v1_pb2,
    cert_v1_pb2,
    cosmos_auth_pb2,
    cosmos_bank_pb2,
    cosmos_paging_pb2,
    deployment_v1beta4_pb2,
    escrow_types_v1_pb2,
    escrow_v1_pb2,
    market_v1_pb2,
    market_v1beta5_pb2,
    provider_v1beta4_pb2,
    settlement_v1_pb2,
)
from reconciler.chain.stubs import Unary, unary
from reconciler.chain.wire_market import bid_id_to, deployment_id_to, lease_id_to, order_id_to
from reconciler.chain.wire_values import bounded_uve
from reconciler.values.ids import DeploymentId, LeaseId, OrderId
from reconciler.values.money import DENOM

MARKET = "virtengine.market.v1beta5.Query"
DEPLOYMENT = "virtengine.deployment.v1beta4.Query"
ESCROW = "virtengine.escrow.v1.Query"
PROVIDER = "virtengine.provider.v1beta4.Query"
AUDIT = "virtengine.audit.v1.Query"
SETTLEMENT = "virtengine.settlement.v1.Query"
AUTH = "cosmos.auth.v1beta1.Query"
BANK = "cosmos.bank.v1beta1.Query"
CERT = "virtengine.cert.v1.Query"

ORDERS = unary(MARKET, market_v1beta5_pb2.QueryOrdersRequest, market_v1beta5_pb2.QueryOrdersResponse)
ORDER = unary(MARKET, market_v1beta5_pb2.QueryOrderRequest, market_v1beta5_pb2.QueryOrderResponse)
BIDS = unary(MARKET, market_v1beta5_pb2.QueryBidsRequest, market_v1beta5_pb2.QueryBidsResponse)
BID = unary(MARKET, market_v1beta5_pb2.QueryBidRequest, market_v1beta5_pb2.QueryBidResponse)
LEASES = unary(MARKET, market_v1beta5_pb2.QueryLeasesRequest, market_v1beta5_pb2.QueryLeasesResponse)
LEASE = unary(MARKET, market_v1beta5_pb2.QueryLeaseRequest, market_v1beta5_pb2.QueryLeaseResponse)
DEPLOYMENTS = unary(
    DEPLOYMENT,
    deployment_v1beta4_pb2.QueryDeploymentsRequest,
    deployment_v1beta4_pb2.QueryDeploymentsResponse,
)
DEPLOYMENT_BY_ID = unary(
    DEPLOYMENT, deployment_v1beta4_pb2.QueryDeploymentRequest, deployment_v1beta4_pb2.QueryDeploymentResponse
)
PAYMENTS = unary(ESCROW, escrow_v1_pb2.QueryPaymentsRequest, escrow_v1_pb2.QueryPaymentsResponse)
PROVIDER_BY_OWNER = unary(
    PROVIDER, provider_v1beta4_pb2.QueryProviderRequest, provider_v1beta4_pb2.QueryProviderResponse
)
AUDITED = unary(AUDIT, audit_v1_pb2.QueryProviderAttributesRequest, audit_v1_pb2.QueryProvidersResponse)
ESCROWS = unary(
    SETTLEMENT, settlement_v1_pb2.QueryEscrowsByOrderRequest, settlement_v1_pb2.QueryEscrowsByOrderResponse
)
ESCROW_BY_ID = unary(SETTLEMENT, settlement_v1_pb2.QueryEscrowRequest, settlement_v1_pb2.QueryEscrowResponse)
USAGE = unary(
    SETTLEMENT,
    settlement_v1_pb2.QueryUsageRecordsByOrderRequest,
    settlement_v1_pb2.QueryUsageRecordsByOrderResponse,
)
USAGE_BY_ID = unary(
    SETTLEMENT, settlement_v1_pb2.QueryUsageRecordRequest, settlement_v1_pb2.QueryUsageRecordResponse
)
ACCOUNT = unary(AUTH, cosmos_auth_pb2.QueryAccountRequest, cosmos_auth_pb2.QueryAccountResponse)
CERTIFICATES = unary(CERT, cert_v1_pb2.QueryCertificatesRequest, cert_v1_pb2.QueryCertificatesResponse)
BALANCE = unary(BANK, cosmos_bank_pb2.QueryBalanceRequest, cosmos_bank_pb2.QueryBalanceResponse)

PAGE_ROWS = 500
PAGES_MAX = 200
"""Pages of one list: 100,000 rows, ten times as many as in a busy market."""

LIST_BYTES_MAX = 64 << 20
"""Bytes of one list: a row has about 500, and as objects a list takes several times its bytes."""

QUERIES_SECONDS_MAX = 60
"""Deadline of all queries of one view, which block the loop."""


class QueryPage(Protocol):
    """A response with pagination."""

    def ByteSize(self) -> int: ...  # noqa: N802  # protobuf's name

    @property
    def pagination(self) -> cosmos_paging_pb2.PageResponse: ...


Answer = TypeVar("Answer", bound=QueryPage)
Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


class Queries:
    """Queries to a node at one height (0: the newest); NodeError if one fails."""

    def __init__(self, node: GrpcNode, height: int = 0, page_rows: int = PAGE_ROWS) -> None:
        self._node = node
        self.height = height
        self._page_rows = page_rows
        self._until = monotonic() + QUERIES_SECONDS_MAX

    def call(self, method: Unary[Request, Response], request: Request) -> Response:
        """One response."""
        if monotonic() > self._until:
            raise NodeError(
                f"{self._node.target} answers too slowly: its queries took more than {QUERIES_SECONDS_MAX} s"
            )
        return self._node.call(method, request, self.height)

    def find(self, method: Unary[Request, Response], request: Request) -> Response | None:
        """One response, None if the object does not exist."""
        try:
            return self.call(method, request)
        except NodeRefusedError as error:
            if error.status == "NOT_FOUND":
                return None
            raise

    def open_orders(self) -> Iterator[market_v1beta5_pb2.Order]:
        """Every open order of the chain."""
        filters = market_v1beta5_pb2.OrderFilters(state="open")
        for page in self._pages(
            lambda at: self.call(
                ORDERS, market_v1beta5_pb2.QueryOrdersRequest(filters=filters, pagination=at)
            )
        ):
            yield from page.orders

    def order(self, order: OrderId) -> market_v1beta5_pb2.Order | None:
        """One order in any state."""
        response = self.find(ORDER, market_v1beta5_pb2.QueryOrderRequest(id=order_id_to(order)))
        return response.order if response else None

    def bids(self, provider: str, state: str) -> Iterator[market_v1beta5_pb2.QueryBidResponse]:
        """A provider's bids, open or active: the chain has no index of others (semantics 2.2 B)."""
        filters = market_v1beta5_pb2.BidFilters(provider=provider, state=state)
        for page in self._pages(
            lambda at: self.call(BIDS, market_v1beta5_pb2.QueryBidsRequest(filters=filters, pagination=at))
        ):
            yield from page.bids

    def bid(self, bid: LeaseId) -> market_v1beta5_pb2.QueryBidResponse | None:
        """One bid in any state."""
        return self.find(BID, market_v1beta5_pb2.QueryBidRequest(id=bid_id_to(bid)))

    def active_leases(self, provider: str) -> Iterator[market_v1beta5_pb2.QueryLeaseResponse]:
        """A provider's active leases; the chain has no index of others (semantics 2.2 B)."""
        return self.leases(market_v1_pb2.LeaseFilters(provider=provider, state="active"))

    def leases(self, filters: market_v1_pb2.LeaseFilters) -> Iterator[market_v1beta5_pb2.QueryLeaseResponse]:
        """The leases that match, on all pages."""
        for page in self._pages(
            lambda at: self.call(
                LEASES, market_v1beta5_pb2.QueryLeasesRequest(filters=filters, pagination=at)
            )
        ):
            yield from page.leases

    def lease(self, lease: LeaseId) -> market_v1beta5_pb2.QueryLeaseResponse | None:
        """One lease in any state."""
        return self.find(LEASE, market_v1beta5_pb2.QueryLeaseRequest(id=lease_id_to(lease)))

    def active_deployments(self) -> Iterator[deployment_v1beta4_pb2.QueryDeploymentResponse]:
        """Every active deployment of the chain, with its groups and its account."""
        filters = deployment_v1beta4_pb2.DeploymentFilters(state="active")
        for page in self._pages(
            lambda at: self.call(
                DEPLOYMENTS, deployment_v1beta4_pb2.QueryDeploymentsRequest(filters=filters, pagination=at)
            )
        ):
            yield from page.deployments

    def deployment(self, id: DeploymentId) -> deployment_v1beta4_pb2.QueryDeploymentResponse | None:  # noqa: A002  # its word
        """One deployment in any state."""
        request = deployment_v1beta4_pb2.QueryDeploymentRequest(id=deployment_id_to(id))
        return self.find(DEPLOYMENT_BY_ID, request)

    def open_payments(self, deployment: DeploymentId | None) -> Iterable[escrow_types_v1_pb2.Payment]:
        """Open payments of one deployment, or of all; the chain ignores pagination here (semantics 2.2 C).

        The filter is a prefix: payments of 123 are returned with those of 12.
        """
        xid = f"deployment/{deployment}" if deployment else "deployment/"
        return self.call(PAYMENTS, escrow_v1_pb2.QueryPaymentsRequest(state="open", xid=xid)).payments

    def account(self, address: str) -> cosmos_auth_pb2.BaseAccount | None:
        """An account, None if it has never received anything."""
        response = self.find(ACCOUNT, cosmos_auth_pb2.QueryAccountRequest(address=address))
        if response is None:
            return None
        account = cosmos_auth_pb2.BaseAccount()
        if not response.account.Unpack(account):
            raise NodeError(f"{address} is a {response.account.type_url}, which cannot sign")
        return account

    def balance(self, address: str) -> int:
        """Balance in uve; ValueError for an impossible one."""
        request = cosmos_bank_pb2.QueryBalanceRequest(address=address, denom=DENOM)
        return bounded_uve(int(self.call(BALANCE, request).balance.amount or "0"))

    def audited(self, owner: str) -> Iterator[audit_v1_pb2.AuditedProvider]:
        """Attributes that auditors signed for a provider; the chain returns NOT_FOUND if there are none."""
        request = audit_v1_pb2.QueryProviderAttributesRequest(owner=owner)
        none = audit_v1_pb2.QueryProvidersResponse()

        def query(at: cosmos_paging_pb2.PageRequest) -> audit_v1_pb2.QueryProvidersResponse:
            request.pagination.CopyFrom(at)
            return self.find(AUDITED, request) or none

        for page in self._pages(query):
            yield from page.providers

    def _pages(self, query: Callable[[cosmos_paging_pb2.PageRequest], Answer]) -> Iterator[Answer]:
        """All pages; ListTooLongError for a list that does not end or repeats a page key.

        After a page that is too large, further requests have fewer rows.
        """
        at = cosmos_paging_pb2.PageRequest(limit=self._page_rows)
        seen: set[bytes] = set()
        size = 0
        while len(seen) < PAGES_MAX and size <= LIST_BYTES_MAX:
            try:
                page = query(at)
            except TooLargeError:
                if at.limit == 1:
                    raise
                at = cosmos_paging_pb2.PageRequest(key=at.key, limit=at.limit // 2)
                continue
            size += page.ByteSize()
            yield page
            key = page.pagination.next_key
            if not key:
                return
            if key in seen:
                break
            seen.add(key)
            at = cosmos_paging_pb2.PageRequest(key=key, limit=at.limit)
        raise ListTooLongError(
            f"a list of {self._node.target} does not end after {len(seen)} pages and {size >> 20} MiB"
        )

"""Every query that the node serves over gRPC and through abci_query, by path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import grpc
from google.protobuf.message import DecodeError, Message

from reconciler.chain.proto import audit_v1_pb2 as audit
from reconciler.chain.proto import cosmos_auth_pb2 as auth
from reconciler.chain.proto import cosmos_bank_pb2 as banks
from reconciler.chain.proto import deployment_v1beta4_pb2 as deployments
from reconciler.chain.proto import escrow_v1_pb2 as escrows
from reconciler.chain.proto import market_v1beta5_pb2 as markets
from reconciler.chain.proto import mfa_v1_pb2 as mfa
from reconciler.chain.proto import provider_v1beta4_pb2 as provider
from reconciler.chain.proto import settlement_v1_pb2 as settlement
from reconciler.chain.proto import take_v1_pb2 as take
from reconciler.devnet.chain import queries_cosmos as cosmos
from reconciler.devnet.chain import queries_deployment, queries_escrow, queries_market, queries_settlement
from reconciler.devnet.chain.errors import QueryError, sdk
from reconciler.devnet.chain.reading import Reading
from reconciler.devnet.chain.store import View

Q = TypeVar("Q", bound=Message)
Answer = Callable[[View, Any], Message]


class QueryServer:
    """The query router of one chain."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._answers: dict[str, tuple[type[Message], Answer]] = dict(_STATE_QUERIES)

    def add(self, service: str, method: str, kind: type[Q], answer: Callable[[Q], Message]) -> None:
        """Serve a query about the node itself rather than about a state."""
        path = f"/{service}/{method}"
        self._answers[path] = (kind, lambda _, asked: answer(cast("Q", asked)))

    def knows(self, path: str) -> bool:
        """Whether there is such a query."""
        return path in self._answers

    def answer(self, path: str, request: bytes, height: int) -> bytes:
        """The encoded answer at a height, 0 being the newest."""
        found = self._answers.get(path)
        if found is None:
            raise QueryError(grpc.StatusCode.UNIMPLEMENTED, f"unknown method {path}")
        kind, answer = found
        try:
            asked = kind.FromString(request)
        except DecodeError as error:
            raise QueryError(
                grpc.StatusCode.INTERNAL, f"grpc: error unmarshalling request: {error}"
            ) from error
        newest = self._reading.height - self._reading.faults.grpc_lag
        if height > newest:
            words = "cannot query with height in the future; please provide a valid height"
            raise sdk(26, f"invalid height: {words}")
        if height and height < self._reading.oldest:
            words = f"failed to load state at height {height}; version does not exist"
            raise sdk(18, f"{words} (latest height: {self._reading.height}): invalid request")
        return answer(self._reading.view(height or newest), asked).SerializeToString()


def _query(
    service: str, method: str, kind: type[Q], answer: Callable[[View, Q], Message]
) -> tuple[str, tuple[type[Message], Answer]]:
    return f"/{service}/{method}", (kind, answer)


_AUTH, _BANK = "cosmos.auth.v1beta1.Query", "cosmos.bank.v1beta1.Query"
_MARKET, _DEPLOYMENT = "virtengine.market.v1beta5.Query", "virtengine.deployment.v1beta4.Query"
_ESCROW, _PROVIDER = "virtengine.escrow.v1.Query", "virtengine.provider.v1beta4.Query"
_SETTLEMENT = "virtengine.settlement.v1.Query"
_AUDIT, _TAKE = "virtengine.audit.v1.Query", "virtengine.take.v1.Query"

_STATE_QUERIES = (
    _query(_AUTH, "Account", auth.QueryAccountRequest, cosmos.account),
    _query(_AUTH, "AccountInfo", auth.QueryAccountInfoRequest, cosmos.account_details),
    _query(_AUTH, "Params", auth.QueryParamsRequest, cosmos.auth_params),
    _query(_AUTH, "Bech32Prefix", auth.Bech32PrefixRequest, cosmos.prefix),
    _query(_BANK, "Balance", banks.QueryBalanceRequest, cosmos.balance),
    _query(_BANK, "AllBalances", banks.QueryAllBalancesRequest, cosmos.balances),
    _query(_BANK, "SpendableBalances", banks.QuerySpendableBalancesRequest, cosmos.spendable),
    _query(
        _BANK,
        "SpendableBalanceByDenom",
        banks.QuerySpendableBalanceByDenomRequest,
        cosmos.spendable_of,
    ),
    _query(_MARKET, "Orders", markets.QueryOrdersRequest, queries_market.orders),
    _query(_MARKET, "Order", markets.QueryOrderRequest, queries_market.order),
    _query(_MARKET, "Bids", markets.QueryBidsRequest, queries_market.bids),
    _query(_MARKET, "Bid", markets.QueryBidRequest, queries_market.bid),
    _query(_MARKET, "Leases", markets.QueryLeasesRequest, queries_market.leases),
    _query(_MARKET, "Lease", markets.QueryLeaseRequest, queries_market.lease),
    _query(_MARKET, "Params", markets.QueryParamsRequest, queries_market.params),
    _query(_DEPLOYMENT, "Deployments", deployments.QueryDeploymentsRequest, queries_deployment.deployments),
    _query(_DEPLOYMENT, "Deployment", deployments.QueryDeploymentRequest, queries_deployment.one_deployment),
    _query(_DEPLOYMENT, "Group", deployments.QueryGroupRequest, queries_deployment.group),
    _query(_DEPLOYMENT, "Params", deployments.QueryParamsRequest, queries_deployment.params),
    _query(_ESCROW, "Accounts", escrows.QueryAccountsRequest, queries_escrow.accounts),
    _query(_ESCROW, "Payments", escrows.QueryPaymentsRequest, queries_escrow.payments),
    _query(_PROVIDER, "Provider", provider.QueryProviderRequest, cosmos.one_provider),
    _query(_PROVIDER, "Providers", provider.QueryProvidersRequest, cosmos.all_providers),
    _query(_AUDIT, "ProviderAttributes", audit.QueryProviderAttributesRequest, cosmos.audited),
    _query(_AUDIT, "AllProvidersAttributes", audit.QueryAllProvidersAttributesRequest, cosmos.all_audited),
    _query(_TAKE, "Params", take.QueryParamsRequest, cosmos.take_params),
    _query("virtengine.mfa.v1.Query", "Params", mfa.QueryParamsRequest, cosmos.mfa_params),
    _query(_SETTLEMENT, "Escrow", settlement.QueryEscrowRequest, queries_settlement.escrow),
    _query(
        _SETTLEMENT,
        "EscrowsByOrder",
        settlement.QueryEscrowsByOrderRequest,
        queries_settlement.escrows_by_order,
    ),
    _query(
        _SETTLEMENT,
        "EscrowsByState",
        settlement.QueryEscrowsByStateRequest,
        queries_settlement.escrows_by_state,
    ),
    _query(_SETTLEMENT, "Settlement", settlement.QuerySettlementRequest, queries_settlement.settlement),
    _query(
        _SETTLEMENT,
        "SettlementsByOrder",
        settlement.QuerySettlementsByOrderRequest,
        queries_settlement.settlements_by_order,
    ),
    _query(_SETTLEMENT, "UsageRecord", settlement.QueryUsageRecordRequest, queries_settlement.usage),
    _query(
        _SETTLEMENT,
        "UsageRecordsByOrder",
        settlement.QueryUsageRecordsByOrderRequest,
        queries_settlement.usage_by_order,
    ),
    _query(
        _SETTLEMENT,
        "UsageSummary",
        settlement.QueryUsageSummaryRequest,
        queries_settlement.usage_summary,
    ),
    _query(_SETTLEMENT, "Payout", settlement.QueryPayoutRequest, queries_settlement.payout),
    _query(
        _SETTLEMENT,
        "PayoutsByProvider",
        settlement.QueryPayoutsByProviderRequest,
        queries_settlement.payouts_by_provider,
    ),
    _query(_SETTLEMENT, "Params", settlement.QueryParamsRequest, queries_settlement.params),
)

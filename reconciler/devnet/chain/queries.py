"""Every query of gRPC and abci_query, by path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message

from reconciler.chain.stubs import SERVED, methods_of
from reconciler.devnet.chain import certificates
from reconciler.devnet.chain import queries_cosmos as cosmos
from reconciler.devnet.chain import queries_deployment as deployment
from reconciler.devnet.chain import queries_escrow as escrow
from reconciler.devnet.chain import queries_market as market
from reconciler.devnet.chain import queries_settlement as settlement
from reconciler.devnet.chain.errors import QueryError, sdk
from reconciler.devnet.chain.reading import Reading
from reconciler.devnet.chain.store import View

Answer = Callable[[View, Any], Message]
_REQUESTS = {method.path: method.request for service in SERVED.values() for method in methods_of(service)}


class QueryServer:
    """The query router of one chain."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._answers: dict[str, Answer] = {
            f"/{service}/{method}": answer
            for service, answers in _STATE_QUERIES.items()
            for method, answer in answers.items()
        }

    def add(self, service: str, answers: Mapping[str, Callable[[Any], Message]]) -> None:
        """Add queries about the node instead of a state, by method."""
        for method, answer in answers.items():
            self._answers[f"/{service}/{method}"] = _without_state(answer)

    def knows(self, path: str) -> bool:
        """Whether there is such a query."""
        return path in self._answers

    def answer(self, path: str, request: bytes, height: int) -> bytes:
        """The encoded answer at a height (0: the newest)."""
        answer = self._answers.get(path)
        if answer is None:
            raise QueryError(grpc.StatusCode.UNIMPLEMENTED, f"unknown method {path}")
        try:
            decoded = _REQUESTS[path].FromString(request)
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
        return answer(self._reading.view(height or newest), decoded).SerializeToString()


def _without_state(answer: Callable[[Any], Message]) -> Answer:
    return lambda _, request: answer(request)


_STATE_QUERIES: Mapping[str, Mapping[str, Answer]] = {
    "cosmos.auth.v1beta1.Query": {
        "Account": cosmos.account,
        "AccountInfo": cosmos.account_details,
        "Params": cosmos.auth_params,
        "Bech32Prefix": cosmos.prefix,
    },
    "cosmos.bank.v1beta1.Query": {
        "Balance": cosmos.balance,
        "AllBalances": cosmos.balances,
        "SpendableBalances": cosmos.spendable,
        "SpendableBalanceByDenom": cosmos.spendable_of,
    },
    "virtengine.market.v1beta5.Query": {
        "Orders": market.orders,
        "Order": market.order,
        "Bids": market.bids,
        "Bid": market.bid,
        "Leases": market.leases,
        "Lease": market.lease,
        "Params": market.params,
    },
    "virtengine.deployment.v1beta4.Query": {
        "Deployments": deployment.deployments,
        "Deployment": deployment.one_deployment,
        "Group": deployment.group,
        "Params": deployment.params,
    },
    "virtengine.cert.v1.Query": {"Certificates": certificates.certificates},
    "virtengine.escrow.v1.Query": {"Accounts": escrow.accounts, "Payments": escrow.payments},
    "virtengine.provider.v1beta4.Query": {
        "Provider": cosmos.one_provider,
        "Providers": cosmos.all_providers,
    },
    "virtengine.audit.v1.Query": {
        "ProviderAttributes": cosmos.audited,
        "AllProvidersAttributes": cosmos.all_audited,
    },
    "virtengine.take.v1.Query": {"Params": cosmos.take_params},
    "virtengine.mfa.v1.Query": {"Params": cosmos.mfa_params},
    "virtengine.settlement.v1.Query": {
        "Escrow": settlement.escrow,
        "EscrowsByOrder": settlement.escrows_by_order,
        "EscrowsByState": settlement.escrows_by_state,
        "Settlement": settlement.settlement,
        "SettlementsByOrder": settlement.settlements_by_order,
        "UsageRecord": settlement.usage,
        "UsageRecordsByOrder": settlement.usage_by_order,
        "UsageSummary": settlement.usage_summary,
        "Payout": settlement.payout,
        "PayoutsByProvider": settlement.payouts_by_provider,
        "Params": settlement.params,
    },
}

"""The chain's tables; the order of their keys is the order of every list."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message

from reconciler.chain.proto import (
    audit_v1_pb2,
    cert_v1_pb2,
    cosmos_auth_pb2,
    deployment_v1_pb2,
    deployment_v1beta4_pb2,
    escrow_types_v1_pb2,
    market_v1_pb2,
    market_v1beta5_pb2,
    provider_v1beta4_pb2,
    settlement_v1_pb2,
)
from reconciler.devnet.chain.store import StateTable

M = TypeVar("M", bound=Message)


def messages(name: str, kind: type[M]) -> StateTable[M]:
    """A table of messages, which are not changed once written."""
    table = StateTable[M](name, lambda value: value.SerializeToString(deterministic=True), kind.FromString)
    table.size = cast("Any", kind).ByteSize
    return table


def json_messages(name: str, kind: type[M]) -> StateTable[M]:
    """A table of messages that the chain stores as JSON, whose size determines the gas."""
    table = messages(name, kind)
    table.size = lambda value: len(MessageToJson(value, preserving_proto_field_name=True, indent=None))
    return table


def numbers(name: str) -> StateTable[int]:
    """A table of whole numbers."""
    return StateTable[int](name, lambda value: str(value).encode(), lambda data: int(data))


def texts(name: str) -> StateTable[tuple[str, ...]]:
    """A table of lists of texts."""
    return StateTable[tuple[str, ...]](
        name,
        lambda value: "\n".join(value).encode(),
        lambda data: tuple(data.decode().split("\n")) if data else (),
    )


BLOCK_TIMES = numbers("chain/times")
ACCOUNTS = messages("auth/accounts", cosmos_auth_pb2.BaseAccount)
MODULES = numbers("auth/modules")
BALANCES = numbers("bank/balances")
SCORES = numbers("veid/scores")
PARAMS = StateTable[bytes]("params", lambda value: value, lambda data: data)

DEPLOYMENTS = messages("deployment/deployments", deployment_v1_pb2.Deployment)
GROUPS = messages("deployment/groups", deployment_v1beta4_pb2.Group)

ORDERS = messages("market/orders", market_v1beta5_pb2.Order)
BIDS = messages("market/bids", market_v1beta5_pb2.Bid)
BIDS_BY_PROVIDER = messages("market/bids-by-provider", market_v1beta5_pb2.Bid)
LEASES = messages("market/leases", market_v1_pb2.Lease)
LEASES_BY_PROVIDER = messages("market/leases-by-provider", market_v1_pb2.Lease)

ESCROW_ACCOUNTS = messages("escrow/accounts", escrow_types_v1_pb2.AccountState)
ESCROW_PAYMENTS = messages("escrow/payments", escrow_types_v1_pb2.PaymentState)

PROVIDERS = messages("provider/providers", provider_v1beta4_pb2.Provider)
CERTIFICATES = messages("cert/certificates", cert_v1_pb2.Certificate)
AUDITED = messages("audit/attributes", audit_v1_pb2.AuditedProvider)

SETTLEMENT_ESCROWS = json_messages("settlement/escrows", settlement_v1_pb2.EscrowAccount)
SETTLEMENT_ESCROW_OF = texts("settlement/escrow-of-order")
USAGE = json_messages("settlement/usage", settlement_v1_pb2.UsageRecord)
USAGE_OF = texts("settlement/usage-of-order")
SETTLEMENTS = json_messages("settlement/settlements", settlement_v1_pb2.SettlementRecord)
SETTLEMENTS_OF = texts("settlement/settlements-of-order")
PAYOUTS = json_messages("settlement/payouts", settlement_v1_pb2.PayoutRecord)
PAYOUTS_OF = texts("settlement/payouts-of-provider")
COUNTERS = numbers("settlement/counters")
SETTLEMENT_ENDS = numbers("settlement/ends")
SETTLEMENT_EXPIRIES = numbers("settlement/expiries")
SETTLEMENT_ACTIVE = numbers("settlement/active")

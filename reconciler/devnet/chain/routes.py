"""Every message type of the chain: its signer, its stateless check, its handler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError, Message

from reconciler.chain.proto import cert_v1_pb2 as certs
from reconciler.chain.proto import cosmos_bank_pb2 as banks
from reconciler.chain.proto import deployment_v1beta4_pb2 as deployments
from reconciler.chain.proto import escrow_v1_pb2 as escrows
from reconciler.chain.proto import market_v1beta5_pb2 as markets
from reconciler.chain.proto import provider_v1beta4_pb2 as provider
from reconciler.chain.proto import settlement_v1_pb2 as settlement
from reconciler.devnet.chain import (
    bank,
    certificates,
    checks,
    deployment_messages,
    escrow,
    market_messages,
    provider_messages,
    settlement_checks,
    settlement_escrows,
    settlement_usage,
    settling,
)
from reconciler.devnet.chain.call import MessageCall
from reconciler.devnet.chain.errors import sdk
from reconciler.devnet.chain.message_fields import complete, malformed_number

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class MessageRoute:
    """One message type."""

    kind: type[Message]
    signer: Callable[[Any], str]
    check: Callable[[Any], None]
    run: Callable[[MessageCall, Any], Message]
    unsignable: bool = False

    @property
    def url(self) -> str:
        """The type URL."""
        return f"/{self.kind.DESCRIPTOR.full_name}"

    @property
    def module(self) -> str:
        """The module's name as the message event shows it."""
        return self.url.split(".")[1]


@dataclass(frozen=True, slots=True)
class Routed:
    """A message with its route."""

    route: MessageRoute
    message: Message

    @property
    def signer(self) -> str:
        """The account that must sign it."""
        return self.route.signer(self.message)


def _route(
    kind: type[M],
    signer: Callable[[M], str],
    check: Callable[[M], None],
    run: Callable[[MessageCall, M], Message],
) -> MessageRoute:
    return MessageRoute(kind, signer, check, run)


def _registration(
    kind: type[M],
    signer: Callable[[M], str],
    check: Callable[[M], None],
    run: Callable[[MessageCall, M], Message],
) -> MessageRoute:
    """A message for which this chain version finds no signer (semantics 1.5)."""
    return MessageRoute(kind, signer, check, run, unsignable=True)


def _settlement(
    kind: type[M], check: Callable[[M], None], run: Callable[[MessageCall, M], Message]
) -> MessageRoute:
    """A message that its `sender` signs."""
    return MessageRoute(kind, lambda m: str(m.sender), check, run)


_ROUTES = (
    _route(banks.MsgSend, lambda m: m.from_address, lambda _: None, bank.send_message),
    _route(certs.MsgCreateCertificate, lambda m: m.owner, certificates.check_create, certificates.create),
    _route(certs.MsgRevokeCertificate, lambda m: m.id.owner, certificates.check_revoke, certificates.revoke),
    _route(
        deployments.MsgCreateDeployment,
        lambda m: m.id.owner,
        checks.create_deployment,
        deployment_messages.create_deployment,
    ),
    _route(
        deployments.MsgUpdateDeployment,
        lambda m: m.id.owner,
        checks.update_deployment,
        deployment_messages.update_deployment,
    ),
    _route(
        deployments.MsgCloseDeployment,
        lambda m: m.id.owner,
        checks.close_deployment,
        deployment_messages.close_deployment,
    ),
    _route(deployments.MsgCloseGroup, lambda m: m.id.owner, checks.group, deployment_messages.close_group),
    _route(deployments.MsgPauseGroup, lambda m: m.id.owner, checks.group, deployment_messages.pause_group),
    _route(deployments.MsgStartGroup, lambda m: m.id.owner, checks.group, deployment_messages.start_group),
    _route(markets.MsgCreateBid, lambda m: m.id.provider, checks.create_bid, market_messages.create_bid),
    _route(markets.MsgCloseBid, lambda m: m.id.provider, checks.close_bid, market_messages.close_bid),
    _route(markets.MsgWithdrawLease, lambda m: m.id.provider, checks.lease, market_messages.withdraw_lease),
    _route(
        markets.MsgCreateLease,
        lambda m: m.bid_id.owner,
        checks.create_lease,
        market_messages.create_lease,
    ),
    _route(markets.MsgCloseLease, lambda m: m.id.owner, checks.lease, market_messages.close_lease),
    _route(escrows.MsgAccountDeposit, lambda m: m.signer, checks.account_deposit, escrow.account_deposit),
    _registration(
        provider.MsgCreateProvider,
        lambda m: m.owner,
        provider_messages.check_create,
        provider_messages.create,
    ),
    _registration(
        provider.MsgUpdateProvider,
        lambda m: m.owner,
        provider_messages.check_update,
        provider_messages.update,
    ),
    _registration(
        provider.MsgDeleteProvider,
        lambda m: m.owner,
        provider_messages.check_delete,
        provider_messages.delete,
    ),
    _settlement(settlement.MsgCreateEscrow, settlement_checks.create, settlement_escrows.create),
    _settlement(settlement.MsgActivateEscrow, settlement_checks.activate, settlement_escrows.activate),
    _settlement(settlement.MsgReleaseEscrow, settlement_checks.release, settlement_escrows.release),
    _settlement(settlement.MsgRefundEscrow, settlement_checks.end, settlement_escrows.refund),
    _settlement(settlement.MsgDisputeEscrow, settlement_checks.end, settlement_escrows.dispute),
    _settlement(settlement.MsgSettleOrder, settlement_checks.settle, settling.settle_order),
    _settlement(settlement.MsgRecordUsage, settlement_checks.record, settlement_usage.record),
    _settlement(settlement.MsgAcknowledgeUsage, settlement_checks.acknowledge, settlement_usage.acknowledge),
)

ROUTES: dict[str, MessageRoute] = {route.url: route for route in _ROUTES}
"""Every route by its type URL."""


def resolve(packed: AnyMessage) -> Routed:
    """The message in an Any; `sdk/2` if it is unknown or malformed."""
    route = ROUTES.get(packed.type_url)
    if route is None:
        raise sdk(2, f"unable to resolve type URL {packed.type_url}: tx parse error: tx parse error")
    try:
        message = route.kind.FromString(packed.value)
    except DecodeError as error:
        raise sdk(2, f"{error}: tx parse error: tx parse error") from error
    wrong = malformed_number(message)
    if wrong is not None:
        raise sdk(2, f"{wrong}: tx parse error: tx parse error")
    complete(message)
    return Routed(route, message)

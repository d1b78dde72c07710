"""Escrow accounts and payments, between the wire and values (semantics 4.1)."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.chain.proto import escrow_types_v1_pb2
from reconciler.chain.wire_amounts import decimal_of, exact_uve, whole_uve
from reconciler.chain.wire_text import text_of
from reconciler.values.ids import DeploymentId, LeaseId
from reconciler.values.observed import EscrowAccount, Payment, State


def payment_of(wire: escrow_types_v1_pb2.Payment) -> Payment:
    """A lease's payment."""
    state = wire.state
    return Payment(
        lease=LeaseId.parse(text_of(f"{wire.id.aid.xid}/{wire.id.xid}")),
        state=_state(state.state),
        rate=decimal_of(state.rate.amount),
        balance=decimal_of(state.balance.amount),
        unsettled=decimal_of(state.unsettled.amount),
        withdrawn=whole_uve([state.withdrawn]),
    )


def account_of(wire: escrow_types_v1_pb2.Account, payments: Iterable[Payment]) -> EscrowAccount:
    """A deployment's account; of the payments, its own, in the order of being paid (semantics 4.2)."""
    owner, _, number = wire.id.xid.partition("/")
    deployment = DeploymentId(text_of(owner), int(number))
    own = [each for each in payments if each.lease.deployment == deployment]
    return EscrowAccount(
        deployment=deployment,
        state=_state(wire.state.state),
        settled_at=wire.state.settled_at,
        funds=exact_uve(wire.state.funds),
        payments=tuple(sorted(own, key=lambda each: each.lease.payment_xid)),
    )


def _state(number: int) -> State:
    return State(escrow_types_v1_pb2.State.Name(number))

"""A second node that confirms the end of leases and of their funds before anything is ended for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import DecodeError

from reconciler.chain.call_deadline import CallDeadline
from reconciler.chain.deployments import read_account, read_deployments, resolve_lease
from reconciler.chain.full_view import read_wallet
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.node_address import NodeAddress
from reconciler.chain.node_errors import NodeError
from reconciler.chain.queries import Queries
from reconciler.chain.rpc import Rpc
from reconciler.chain.settlement_view import read_sides
from reconciler.chain.wire_market import lease_of
from reconciler.values.ids import DeploymentId, LeaseId, OrderId
from reconciler.values.observed import (
    SETTLEMENT_MODULE,
    EscrowAccount,
    Lease,
    OrderSettlement,
    State,
    Wallet,
    WitnessView,
)
from reconciler.values.subjects import PROVIDER, Subject

log = logging.getLogger(__name__)

Key = TypeVar("Key")
Answer = TypeVar("Answer")
Shown = OrderSettlement | EscrowAccount | Lease | Wallet | None

LEASES_MAX = 50
"""Leases queried per cycle; the others follow in later cycles."""

LATER = "the witness is queried for it in a later cycle"

TIMEOUT_SECONDS = 1.0
RETRY_SECONDS = 30
"""Pause after a failure, as queries to the witness block the loop."""

STALE_SECONDS = 120

OBJECTS_MAX = 10
"""Objects queried per cycle; an answer holds for ANSWER_SECONDS, in which the others follow."""

ANSWER_SECONDS = 60


@dataclass(frozen=True, slots=True)
class WitnessRules:
    """Requirements on the witness: its chain, and up to date by this clock (unix seconds)."""

    chain_id: str
    clock: Callable[[], float] = time.time


def witness_at(address: NodeAddress, chain_id: str, deadline: CallDeadline | None = None) -> Witness:
    """The witness at an address."""
    node = address.grpc_node(TIMEOUT_SECONDS, deadline)
    rpc = address.rpc_client(TIMEOUT_SECONDS, deadline)
    return Witness(node, rpc, WitnessRules(chain_id))


class Witness:
    """Queried only for leases that the first node reports as closed, whose confirmation is final, and for the
    objects that a plan names.
    """

    def __init__(self, node: GrpcNode, rpc: Rpc, rules: WitnessRules) -> None:
        self._node, self._rpc, self._rules = node, rpc, rules
        self._confirmed: set[LeaseId] = set()
        self._shown: dict[Subject, tuple[float, Shown]] = {}
        """What it showed, with the time."""
        self._asked_at: dict[Subject, float] = {}
        self._failure, self._again_at = "", 0.0

    def unconfirmed(self, ended: Collection[LeaseId]) -> Mapping[LeaseId, str]:
        """Leases that the first node reports as closed and this one does not confirm, with the reason."""
        self._confirmed &= set(ended)
        open_ = sorted(set(ended) - self._confirmed)
        if not open_:
            return {}
        reasons = self._query_each(open_[:LEASES_MAX], self._doubt)
        if reasons is None:
            return dict.fromkeys(open_, self._failure)
        self._confirmed |= {each for each, why in reasons.items() if not why}
        later = dict.fromkeys(open_[LEASES_MAX:], LATER)
        return {each: why for each, why in reasons.items() if why} | later

    def view(self, wanted: Collection[Subject], address: str) -> WitnessView:
        """What it shows of an order's settlement, a deployment's account, a lease, or (of the provider) the
        wallet of `address`; for other subjects ValueError.
        """
        now = self._rules.clock()
        shown = {
            each: (at, found)
            for each, (at, found) in self._shown.items()
            if each in wanted and 0 <= now - at < ANSWER_SECONDS
        }
        self._asked_at = {each: self._asked_at.get(each, 0.0) for each in wanted}
        waiting = sorted(set(wanted) - shown.keys(), key=lambda each: (self._asked_at[each], each))
        missing = waiting[:OBJECTS_MAX]  # the longest without an answer, so that each has its turn
        self._asked_at |= dict.fromkeys(missing, now)
        found = self._query_each(missing, lambda each: self._read(each, address)) if missing else {}
        self._shown = shown | {each: (now, answer) for each, answer in (found or {}).items()}
        why = LATER if found is not None else self._failure
        return WitnessView({each: answer for each, (_, answer) in self._shown.items()}, why)

    def trouble(self) -> str:
        """Why it cannot confirm anything now; empty if it can."""
        try:
            self._check(self._rules.clock())
            Queries(self._node).balance(SETTLEMENT_MODULE)
        except NodeError as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Close the connection."""
        self._node.close()

    def _query_each(self, keys: Iterable[Key], query: Callable[[Key], Answer]) -> dict[Key, Answer] | None:
        """The answer for each key; None after a failure, and for a while after one, as the queries block the
        loop.
        """
        now = self._rules.clock()
        if now < self._again_at:
            return None
        try:
            self._check(now)
            return {each: query(each) for each in keys}
        except (NodeError, ValueError, ArithmeticError, DecodeError) as error:
            self._failure, self._again_at = f"the witness cannot confirm it: {error}", now + RETRY_SECONDS
            log.warning("%s", self._failure)
            return None

    def _check(self, now: float) -> None:
        """NodeError if the witness is on another chain or not up to date."""
        status, url = self._rpc.status(), self._rpc.url
        if status.chain_id != self._rules.chain_id:
            raise NodeError(f"{url} is on chain {status.chain_id}, not {self._rules.chain_id}")
        if status.catching_up or now - status.time > STALE_SECONDS:
            raise NodeError(f"{url} is not up to date: its last block {status.height} is too old")

    def _doubt(self, lease: LeaseId) -> str:
        """Why this lease is not confirmed as closed; empty if it is."""
        wire = Queries(self._node).lease(lease)
        if wire is None:
            return f"the witness {self._node.target} does not have this lease"
        state = lease_of(wire).state
        return f"the witness {self._node.target} reports it as {state}" if state is State.ACTIVE else ""

    def _read(self, subject: Subject, address: str) -> Shown:
        queries = Queries(self._node)
        match subject.id:
            case OrderId() as order:
                return read_sides(queries, [order])[order]
            case DeploymentId() as deployment:
                return read_account(queries, deployment)
            case LeaseId() as lease:
                wire = queries.lease(lease)
                if wire is None:
                    return None
                return resolve_lease(lease_of(wire), read_deployments(queries, {lease.deployment}, set()))
            case _ if subject == PROVIDER:
                return read_wallet(queries, address)
            case _:
                raise ValueError(f"nothing to confirm about {subject}")

"""A second node that confirms closed leases before their workloads are removed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from reconciler.chain.call_deadline import CallDeadline
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.node_address import NodeAddress
from reconciler.chain.node_errors import NodeError
from reconciler.chain.queries import Queries
from reconciler.chain.rpc import Rpc
from reconciler.chain.wire_market import lease_of
from reconciler.values.ids import LeaseId
from reconciler.values.observed import SETTLEMENT_MODULE, State

log = logging.getLogger(__name__)

LEASES_MAX = 50
"""Leases queried per cycle; the others follow in later cycles."""

TIMEOUT_SECONDS = 1.0
RETRY_SECONDS = 30
"""Pause after a failure, as queries to the witness block the loop."""

STALE_SECONDS = 120


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
    """Queried only for leases that the first node reports as closed; confirmations are cached."""

    def __init__(self, node: GrpcNode, rpc: Rpc, rules: WitnessRules) -> None:
        self._node, self._rpc, self._rules = node, rpc, rules
        self._confirmed: set[LeaseId] = set()
        self._failure, self._again_at = "", 0.0

    def unconfirmed(self, ended: Collection[LeaseId]) -> Mapping[LeaseId, str]:
        """Leases that the first node reports as closed and this one does not confirm, with the reason."""
        self._confirmed &= set(ended)
        open_ = sorted(set(ended) - self._confirmed)
        if not open_:
            return {}
        now = self._rules.clock()
        if now < self._again_at:
            return dict.fromkeys(open_, self._failure)
        try:
            self._check(now)
            reasons = {each: self._doubt(each) for each in open_[:LEASES_MAX]}
        except (NodeError, ValueError, ArithmeticError, DecodeError) as error:
            self._failure, self._again_at = f"the witness cannot confirm it: {error}", now + RETRY_SECONDS
            log.warning("%s", self._failure)
            return dict.fromkeys(open_, self._failure)
        self._confirmed |= {each for each, why in reasons.items() if not why}
        later = dict.fromkeys(open_[LEASES_MAX:], "the witness is queried for it in a later cycle")
        return {each: why for each, why in reasons.items() if why} | later

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

"""A second node that confirms what ends a workload: the word of one node is not enough for that."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from reconciler.chain.block_changes import SETTLEMENT_MODULE
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.node_address import NodeAddress
from reconciler.chain.node_errors import NodeError
from reconciler.chain.queries import Queries
from reconciler.chain.rpc import Rpc
from reconciler.chain.wire_market import lease_of
from reconciler.values.ids import LeaseId
from reconciler.values.observed import State

log = logging.getLogger(__name__)

LEASES_MAX = 50
"""Leases that one look asks the witness about; the others follow."""

TIMEOUT_SECONDS = 5.0
RETRY_SECONDS = 30
"""A witness that does not answer is left alone for so long: the loop waits for it meanwhile."""

STALE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class WitnessRules:
    """What the witness must be: a node of this chain, up to date by this clock (unix seconds)."""

    chain_id: str
    clock: Callable[[], float] = time.time


def witness_at(address: NodeAddress, chain_id: str) -> Witness:
    """The witness at an address of the host file."""
    node, rpc = address.grpc_node(TIMEOUT_SECONDS), address.rpc_client(TIMEOUT_SECONDS)
    return Witness(node, rpc, WitnessRules(chain_id))


class Witness:
    """Asked only about leases that the first node shows as ended; what it confirmed once is kept."""

    def __init__(self, node: GrpcNode, rpc: Rpc, rules: WitnessRules) -> None:
        self._node, self._rpc, self._rules = node, rpc, rules
        self._confirmed: set[LeaseId] = set()
        self._silence, self._again_at = "", 0.0

    def unconfirmed(self, ended: Collection[LeaseId]) -> Mapping[LeaseId, str]:
        """Of leases that the first node shows as ended, those that this one does not, each with why."""
        self._confirmed &= set(ended)
        asked = sorted(set(ended) - self._confirmed)
        if not asked:
            return {}
        now = self._rules.clock()
        if now < self._again_at:
            return dict.fromkeys(asked, self._silence)
        try:
            self._check(now)
            found = {each: self._doubt(each) for each in asked[:LEASES_MAX]}
        except (NodeError, ValueError, ArithmeticError, DecodeError) as error:
            self._silence, self._again_at = f"the witness cannot confirm it: {error}", now + RETRY_SECONDS
            log.warning("%s", self._silence)
            return dict.fromkeys(asked, self._silence)
        self._confirmed |= {each for each, why in found.items() if not why}
        later = dict.fromkeys(asked[LEASES_MAX:], "the witness is asked about it in a later cycle")
        return {each: why for each, why in found.items() if why} | later

    def trouble(self) -> str:
        """Why it could confirm nothing now; empty where it could."""
        try:
            self._check(self._rules.clock())
            Queries(self._node).balance(SETTLEMENT_MODULE)
        except NodeError as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Let the connection go."""
        self._node.close()

    def _check(self, now: float) -> None:
        """NodeError where the witness is not of this chain, or not up to date."""
        status, url = self._rpc.status(), self._rpc.url
        if status.chain_id != self._rules.chain_id:
            raise NodeError(f"{url} is on chain {status.chain_id}, not {self._rules.chain_id}")
        if status.catching_up or now - status.time > STALE_SECONDS:
            raise NodeError(f"{url} is not up to date: its last block, {status.height}, is old")

    def _doubt(self, lease: LeaseId) -> str:
        """Why this lease is not known as ended; empty where it is."""
        wire = Queries(self._node).lease(lease)
        if wire is None:
            return f"the witness {self._node.target} knows no such lease"
        state = lease_of(wire).state
        return f"the witness {self._node.target} shows it {state}" if state is State.ACTIVE else ""

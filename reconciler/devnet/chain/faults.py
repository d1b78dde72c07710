"""Faults of the simulated node, for tests (semantics 10)."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.devnet.chain.genesis import Gates


@dataclass(slots=True)
class NodeFaults:
    """Switches; with all off the node behaves as recorded.

    `stalled` makes no blocks; `catching_up` is reported in every status; `lag` hides the newest heights from
    readers, `grpc_lag` and `rpc_lag` at one of the two addresses, as behind a load balancer; `shown_height`
    replaces the newest height in the status, `shown_chain_id` the chain id; `lost_replies` counts accepted
    broadcasts without an answer, `lost_requests` broadcasts that do not arrive; `racing` names accounts whose
    sequence another transaction uses in the next block; `dropped_sockets` counts websockets to drop; `gates`
    replace those of the genesis; `price_factor` (1 to 10) multiplies the minimum gas price;
    `simulated_gas_percent` of the gas used is what simulations show.
    """

    stalled: bool = False
    catching_up: bool = False
    lag: int = 0
    grpc_lag: int = 0
    rpc_lag: int = 0
    shown_height: int = 0
    shown_chain_id: str = ""
    lost_replies: int = 0
    lost_requests: int = 0
    racing: list[str] = field(default_factory=list)
    dropped_sockets: int = 0
    gates: Gates | None = None
    price_factor: int = 1
    simulated_gas_percent: int = 100


class ConnectionLostError(Exception):
    """The connection breaks without an answer."""

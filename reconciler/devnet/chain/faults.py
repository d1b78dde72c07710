"""What a test can make the simulated node do wrong (semantics 10)."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.devnet.chain.genesis import Gates


@dataclass(slots=True)
class NodeFaults:
    """Switches; all off, the node behaves as recorded.

    `stalled` makes no blocks, `catching_up` says so in every status, `lag` hides the newest heights from
    readers, `grpc_lag` and `rpc_lag` from readers at one of the two addresses, as behind a load balancer,
    `shown_height` is what the status says in place of the newest height, `shown_chain_id` names
    another chain in status and node answers, `lost_replies` counts broadcasts
    that are taken but whose answer is lost, `lost_requests` those that never arrive, `racing` names accounts
    whose sequence somebody else spends in the next block, `dropped_sockets` counts websockets to drop,
    `gates` stand in for those of the genesis, `price_factor` is what a busy chain asks of the least gas price
    (1 to 10).
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


class ConnectionLostError(Exception):
    """The connection breaks: the caller learns nothing."""

"""What may go wrong between us and a node; each error's text is a sentence."""

from __future__ import annotations


class NodeError(Exception):
    """The node could not be asked, or its answer cannot be used: nothing is known."""


class NodeRefusedError(NodeError):
    """The node answered, and said no: `status` is gRPC's or JSON-RPC's word for it, `text` the node's own."""

    def __init__(self, asked: str, status: str, text: str) -> None:
        super().__init__(f"the node refused {asked}: {text or status}")
        self.status = status
        self.text = text

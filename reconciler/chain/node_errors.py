"""What may go wrong between us and a node; each error's text is a sentence."""

from __future__ import annotations

from reconciler.chain.refusals import first_line
from reconciler.values.text import SENTENCE_MAX, one_line


class NodeError(Exception):
    """The node could not be asked, or its answer cannot be used: nothing is known."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message, SENTENCE_MAX))


class NodeRefusedError(NodeError):
    """The node answered, and said no: `status` is gRPC's or JSON-RPC's word for it, `text` the node's own."""

    def __init__(self, asked: str, status: str, text: str) -> None:
        text = first_line(text)
        super().__init__(f"the node refused {asked}: {text or status}")
        self.status = status
        self.text = text


class HeightAheadError(NodeRefusedError):
    """The node does not have this height yet: its RPC, or a node beside it, is ahead of it."""


class TooLargeError(NodeError):
    """The answer is larger than is read: smaller parts may be had."""


class ListTooLongError(NodeError):
    """A list has more pages or bytes than are read; what came before its end is a part of it."""


_AHEAD = ("height in the future", "must be less than or equal to the current blockchain height")
"""How gRPC and RPC refuse a height that is not made yet (semantics 2.2, 8)."""


def refused(asked: str, status: str, text: str) -> NodeRefusedError:
    """The error for a node's refusal."""
    kind = HeightAheadError if any(words in text for words in _AHEAD) else NodeRefusedError
    return kind(asked, status, text)

"""Errors of requests to a node."""

from __future__ import annotations

from reconciler.values.refusals import first_line
from reconciler.values.text import SENTENCE_MAX, one_line


class NodeError(Exception):
    """The node did not answer, or sent an unusable response: nothing is known."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message, SENTENCE_MAX))


class NodeRefusedError(NodeError):
    """The node rejected a request: `status` is the gRPC or JSON-RPC code, `text` the node's message."""

    def __init__(self, request: str, status: str, text: str) -> None:
        text = first_line(text)
        super().__init__(f"the node refused {request}: {text or status}")
        self.status = status
        self.text = text


class HeightAheadError(NodeRefusedError):
    """The node does not have this height yet: its RPC address, or another node, is ahead."""


class TooLargeError(NodeError):
    """The response exceeds the size limit; a smaller page may not."""


class ListTooLongError(NodeError):
    """A list exceeds the limit of pages or bytes; the rows read are incomplete."""


_AHEAD = ("height in the future", "must be less than or equal to the current blockchain height")
"""Texts with which gRPC and RPC reject a future height (semantics 2.2, 8)."""


def refused(request: str, status: str, text: str) -> NodeRefusedError:
    """The error for a node's refusal."""
    kind = HeightAheadError if any(each in text for each in _AHEAD) else NodeRefusedError
    return kind(request, status, text)

"""Errors of the JSON-RPC methods, and the parameters that several of them share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from reconciler.devnet.chain.errors import TxRefusedError
from reconciler.devnet.chain.tx_search import SearchCondition, parse

Params = Mapping[str, Any]
T = TypeVar("T")
INTERNAL, INVALID, UNKNOWN = -32603, -32602, -32601
_MOST_PER_PAGE = 100


class RpcError(Exception):
    """A JSON-RPC error: code, message and data."""

    def __init__(self, code: int, message: str, data: str = "") -> None:
        super().__init__(data or message)
        self.code, self.message, self.data = code, message, data


def internal(data: str) -> RpcError:
    """An internal error."""
    return RpcError(INTERNAL, "Internal error", data)


def conditions(params: Params) -> list[SearchCondition]:
    """The conditions of a query; an internal error names the position of a syntax error."""
    try:
        return parse(str(params.get("query", "")))
    except TxRefusedError as refusal:
        raise internal(refusal.text) from refusal


def page(found: list[T], params: Params) -> list[T]:
    """One page of results."""
    size = min(int(params.get("per_page") or 30), _MOST_PER_PAGE)
    start = (int(params.get("page") or 1) - 1) * size
    return found[start : start + size]

"""How the chain refuses: codespace and code, panics, running out of gas (semantics 3.3)."""

from __future__ import annotations

import grpc


class TxRefusedError(Exception):
    """An error of the chain: what a check or a block answers as codespace, code and log."""

    def __init__(
        self,
        codespace: str,
        code: int,
        text: str,
        status: grpc.StatusCode = grpc.StatusCode.UNKNOWN,
    ) -> None:
        super().__init__(text)
        self.codespace = codespace
        self.code = code
        self.text = text
        self.status = status

    def behind(self, words: str) -> TxRefusedError:
        """The same error with words before it, its code kept."""
        return TxRefusedError(self.codespace, self.code, f"{words}: {self.text}", self.status)

    def codeless(self, words: str) -> TxRefusedError:
        """The same error with words after it, its code lost, as wrapping with `%w` does (semantics 3.3)."""
        return plain(f"{self.text}: {words}" if words else self.text)


class PanicError(Exception):
    """The handler panicked: the transaction answers `undefined/111222` and is undone."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class OutOfGasError(Exception):
    """The meter passed its limit at `location`, one of the store's own words for its charges."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


class QueryError(Exception):
    """A query answered with a gRPC status of its own rather than with a registered error."""

    def __init__(self, status: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def plain(text: str) -> TxRefusedError:
    """An error without a code of its own: `undefined/1`, its text alone tells it."""
    return TxRefusedError("undefined", 1, text)


def sdk(code: int, text: str) -> TxRefusedError:
    """An error of the SDK's own codespace."""
    return TxRefusedError("sdk", code, text)


def invalid_argument(text: str) -> QueryError:
    """A request that the querier itself refuses."""
    return QueryError(grpc.StatusCode.INVALID_ARGUMENT, text)


def internal(text: str) -> QueryError:
    """A request that breaks inside the querier."""
    return QueryError(grpc.StatusCode.INTERNAL, text)


def not_found(codespace: str, code: int, text: str) -> TxRefusedError:
    """A registered error that a query answers as NOT_FOUND."""
    return TxRefusedError(codespace, code, text, grpc.StatusCode.NOT_FOUND)

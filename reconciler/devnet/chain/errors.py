"""The chain's errors: codespace and code, panics, out of gas (semantics 3.3)."""

from __future__ import annotations

import grpc


class TxRefusedError(Exception):
    """An error with the codespace, code and log that a check or a block answers."""

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
        """The same error with a prefix; the code is kept."""
        return TxRefusedError(self.codespace, self.code, f"{words}: {self.text}", self.status)

    def without_code(self, words: str) -> TxRefusedError:
        """The same error with a suffix; the code is lost, as when wrapped with `%w` (semantics 3.3)."""
        return plain(f"{self.text}: {words}" if words else self.text)


class PanicError(Exception):
    """The handler panicked: the transaction answers `undefined/111222` and is rolled back."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class OutOfGasError(Exception):
    """The meter passed its limit at `location`, the store's name of a charge."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


class QueryError(Exception):
    """A query's error with a gRPC status instead of a registered code."""

    def __init__(self, status: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def plain(text: str) -> TxRefusedError:
    """An error without a code: `undefined/1`."""
    return TxRefusedError("undefined", 1, text)


def sdk(code: int, text: str) -> TxRefusedError:
    """An error of the codespace `sdk`."""
    return TxRefusedError("sdk", code, text)


def invalid_argument(text: str) -> QueryError:
    """A request that the querier refuses."""
    return QueryError(grpc.StatusCode.INVALID_ARGUMENT, text)


def internal(text: str) -> QueryError:
    """A request that fails inside the querier."""
    return QueryError(grpc.StatusCode.INTERNAL, text)


def not_found(codespace: str, code: int, text: str) -> TxRefusedError:
    """A registered error that a query answers as NOT_FOUND."""
    return TxRefusedError(codespace, code, text, grpc.StatusCode.NOT_FOUND)

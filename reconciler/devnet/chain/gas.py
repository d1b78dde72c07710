"""What execution costs: the store's charges per operation and the parts that are not modelled op by op.

The store's prices are the SDK's. The constants below them stand for the work of the auth and bank modules,
fitted to the gas that a real node reported (semantics 1.6); a test holds the model to those figures.
"""

from __future__ import annotations

from reconciler.devnet.chain.errors import OutOfGasError

READ_FLAT, READ_BYTE = 1000, 3
WRITE_FLAT, WRITE_BYTE = 2000, 30
HAS, DELETE = 1000, 1000
ITERATION = 30

TX_BYTE = 10
SIGNATURE = 1000

UNLIMITED = 2**63


class GasMeter:
    """Counts gas up to a limit; above it raises OutOfGasError and keeps the sum."""

    __slots__ = ("limit", "used")

    def __init__(self, limit: int = UNLIMITED) -> None:
        self.limit = limit
        self.used = 0

    def charge(self, amount: int, location: str) -> None:
        """Add `amount`; OutOfGasError names `location`."""
        self.used += amount
        if self.used > self.limit:
            raise OutOfGasError(location)

    def read(self, size: int) -> None:
        """One row read, `size` the bytes of its key and value."""
        self.charge(READ_FLAT, "ReadFlat")
        self.charge(READ_BYTE * size, "ReadPerByte")

    def write(self, size: int) -> None:
        """One row written."""
        self.charge(WRITE_FLAT, "WriteFlat")
        self.charge(WRITE_BYTE * size, "WritePerByte")

    def has(self) -> None:
        """One check whether a row exists."""
        self.charge(HAS, "Has")

    def delete(self) -> None:
        """One row deleted."""
        self.charge(DELETE, "Delete")

    def walk(self, sizes: list[int]) -> None:
        """An iteration; the first row is charged twice, as the iterator seeks it first."""
        self.charge(READ_BYTE * (sum(sizes) + (sizes[0] if sizes else 0)), "ValuePerByte")
        self.charge(ITERATION * (len(sizes) + 1), "IterNextFlat")

"""Gas of the settlement module that is not told by its rows: indexes, invoices, looks taken twice.

Fitted to the gas that a real node reported (semantics 1.6); a test holds the sums to those figures.
"""

from __future__ import annotations

from reconciler.devnet.chain.gas import GasMeter

PARAMS = 4_800
CREATE = 4_200
ACTIVATE = 10_800
DISPUTE = 13_400
REFUND = 17_900
ACKNOWLEDGE = 4_200
RECORD = 9_500
INVOICE = 540_000
REWARD = 80_000
LINE = 30_000


def charge(meter: GasMeter, amount: int) -> None:
    """Charge one of these amounts."""
    meter.charge(amount, "WritePerByte")

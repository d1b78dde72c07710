"""What happens at the beginning and the end of every block without any transaction."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.devnet.chain import settlement_escrows, settling
from reconciler.devnet.chain.call import Call

Work = Callable[[Call], None]


def begin(call: Call) -> None:
    """Work before the transactions of a block."""
    settlement_escrows.expire(call)


def end(call: Call) -> None:
    """Work after the transactions of a block."""
    settling.settle_what_is_due(call)

"""What happens at the beginning and the end of every block without any transaction."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.devnet.chain import settlement_escrows, settling
from reconciler.devnet.chain.call import MessageCall

Work = Callable[[MessageCall], None]


def begin(call: MessageCall) -> None:
    """Work before the transactions of a block."""
    settlement_escrows.expire(call)


def end(call: MessageCall) -> None:
    """Work after the transactions of a block."""
    settling.settle_what_is_due(call)

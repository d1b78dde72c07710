"""How many transactions an account may have in a block, checks and blocks counted as one (semantics 1.5)."""

from __future__ import annotations

from collections import Counter

from reconciler.devnet.chain.errors import TxRefusedError

PER_ACCOUNT = 10
PER_BLOCK = 5000


class RateLimit:
    """Counters in memory, for one height at a time."""

    def __init__(self) -> None:
        self.enabled = True
        self._height = -1
        self._total = 0
        self._accounts: Counter[str] = Counter()

    def count(self, height: int, signers: list[str]) -> None:
        """Count a transaction at a height; `ratelimit/1` or `ratelimit/3` once the limit is reached."""
        if not self.enabled:
            return
        if height != self._height:
            self._height, self._total = height, 0
            self._accounts.clear()
        if self._total >= PER_BLOCK:
            raise TxRefusedError(
                "ratelimit",
                3,
                f"block has {self._total} transactions, limit is {PER_BLOCK}: block rate limited",
            )
        for signer in signers:
            if self._accounts[signer] >= PER_ACCOUNT:
                raise TxRefusedError(
                    "ratelimit",
                    1,
                    f"account {signer} has {self._accounts[signer]} transactions in this block, "
                    f"limit is {PER_ACCOUNT}: account rate limited: too many transactions in this block",
                )
        self._total += 1
        self._accounts.update(signers)

"""What a forge does not do, in sentences that never hold a token."""

from __future__ import annotations


class ForgeError(Exception):
    """The forge did not do what was asked."""


class ForgeSilentError(ForgeError):
    """It may do it later; `wait_seconds` is how long it asks to be left alone, `unsure` that it may have done
    it all the same; `status` is HTTP's, 0 where none came.
    """

    def __init__(
        self, sentence: str, wait_seconds: float = 0, *, unsure: bool = False, status: int = 0
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.wait_seconds = wait_seconds
        self.unsure = unsure


class ForgeRefusedError(ForgeError):
    """It never will as asked; `status` is HTTP's."""

    def __init__(self, sentence: str, status: int = 0) -> None:
        super().__init__(sentence)
        self.status = status

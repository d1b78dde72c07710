"""Failures of a forge, as sentences without tokens."""

from __future__ import annotations


class ForgeError(Exception):
    """The forge did not carry out a request."""


class ForgeSilentError(ForgeError):
    """No usable response; a retry may succeed. `wait_seconds` is the forge's Retry-After, `is_ambiguous`
    says that the request may have taken effect, `status` is the HTTP status (0: none).
    """

    def __init__(
        self, sentence: str, wait_seconds: float = 0, *, is_ambiguous: bool = False, status: int = 0
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.wait_seconds = wait_seconds
        self.is_ambiguous = is_ambiguous


class ForgeRefusedError(ForgeError):
    """A rejection, which a retry does not change; `status` is the HTTP status."""

    def __init__(self, sentence: str, status: int = 0) -> None:
        super().__init__(sentence)
        self.status = status

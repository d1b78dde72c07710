"""Errors that the user can fix: printed as a sentence, without a traceback."""

from __future__ import annotations

EXPECTED = frozenset(
    {
        "SettingsError",
        "JournalError",
        "BadRemoteError",
        "KeyMissingError",
        "KeyLockedError",
        "KeyExistsError",
        "ServeError",
        "GatewayError",
    }
)
"""Class names, so that none of their modules is imported."""


class CliError(Exception):
    """A failed command; the text is what is printed."""


def error_message(error: BaseException) -> str | None:
    """What to print for an error; None if it is a fault of this program."""
    if isinstance(error, ImportError) and "git" in str(error).lower():
        return "error: git is not installed, or not on the PATH; install it and try again"
    names = {kind.__name__ for kind in type(error).__mro__}
    return f"error: {error}" if names & EXPECTED or isinstance(error, OSError) else None

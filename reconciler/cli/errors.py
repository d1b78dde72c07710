"""Errors that are the user's to mend, by their classes' names: told as sentences, never as tracebacks."""

from __future__ import annotations

EXPECTED = frozenset(
    {
        "SettingsError",
        "JournalError",
        "JournalLocked",
        "JournalBroken",
        "BadPlaceError",
        "KeyMissingError",
        "KeyLockedError",
        "KeyExistsError",
        "ListenError",
        "ServeError",
    }
)
"""Known by name, so that telling them imports none of their modules."""


class CliError(Exception):
    """Something that went wrong, already in a sentence."""


def sentence_of(error: BaseException) -> str | None:
    """The error's sentence, None where it is a fault of this program's own."""
    if isinstance(error, ImportError) and "git" in str(error).lower():
        return "error: git is not installed, or not on the PATH; install it and try again"
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & EXPECTED or isinstance(error, OSError):
        return f"error: {error}"
    return None

"""Who signed a commit, by git's own verification against the host's list of ssh signers."""

from typing import Protocol

from reconciler.git.batch import Objects
from reconciler.git.remote import Remote

_FORMAT = "--format=%G?%x00%GS%x00%GF"


class Placed(Objects, Protocol):
    """Objects whose place says who may sign."""

    @property
    def place(self) -> Remote:
        """Where they are from, with the list of signers."""


def signer(objects: Placed, commit: str) -> str | None:
    """The principal whose key signed the commit; None where it is unsigned, broken, or by nobody on the list
    whose key or certificate is valid now (`git_environment.KEYGEN`).

    Only git's verdict `G` counts: a good signature by a key that is not listed is `U`. Read by `log`: `show`
    compares trees even where it prints no patch.
    """
    if objects.place.allowed_signers is None:
        return None
    ran = objects.run("log", "--no-walk", "--no-notes", _FORMAT, "--end-of-options", commit)
    parts = ran.text.split("\0")
    if len(parts) != 3 or parts[0] != "G" or not parts[1] or not parts[2]:
        return None
    return parts[1]

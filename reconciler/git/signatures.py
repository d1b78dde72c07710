"""The signer of a commit, verified by git against the host's list of ssh signers."""

from typing import Protocol

from reconciler.git.batch import Objects
from reconciler.git.remote import Remote

_FORMAT = "--format=%G?%x00%GS%x00%GF"


class SignedObjects(Objects, Protocol):
    """Objects of a remote with a list of allowed signers."""

    @property
    def remote(self) -> Remote:
        """The remote, with the list of signers."""


def signer(objects: SignedObjects, commit: str) -> str | None:
    """The principal whose key signed the commit; None if the signature is missing, bad, or not by a
    listed key or certificate that is valid now (`git_environment.KEYGEN`).

    Only git's verdict `G` counts: a good signature by an unlisted key is `U`. Read by `log`: `show` compares
    trees even without a patch.
    """
    if objects.remote.allowed_signers is None:
        return None
    ran = objects.run("log", "--no-walk", "--no-notes", _FORMAT, "--end-of-options", commit)
    parts = ran.text.split("\0")
    if len(parts) != 3 or parts[0] != "G" or not parts[1] or not parts[2]:
        return None
    return parts[1]

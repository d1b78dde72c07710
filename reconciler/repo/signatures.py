"""Who signed a commit, by git's own verification against the host's list of ssh signers."""

from reconciler.repo.mirror import Mirror

_FORMAT = "--format=%G?%x00%GS%x00%GF"


def signer(mirror: Mirror, commit: str) -> str | None:
    """The principal whose key signed the commit; None where it is unsigned, broken, or by nobody on the list.

    Only git's verdict `G` counts: a good signature by a key that is not listed is `U`.
    """
    if mirror.place.allowed_signers is None:
        return None
    parts = mirror.run("show", "--no-patch", "--no-notes", _FORMAT, commit).text.split("\0")
    if len(parts) != 3 or parts[0] != "G" or not parts[1] or not parts[2]:
        return None
    return parts[1]

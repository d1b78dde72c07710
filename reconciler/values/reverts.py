"""The commit that a commit reverts, from git's own text in its message."""

from __future__ import annotations

import re

_WORDS = re.compile(r"^This reverts commit ([0-9a-f]{7,64})(?=[.,]| \()", re.MULTILINE)


def reverted_commit(message: str) -> str:
    """The id (short if `git revert --reference` wrote it) of the commit that this one reverts, "" for none;
    the first of several. The revert of a merge reads "..., reversing changes made to ...".
    """
    found = _WORDS.search(message.replace("\r\n", "\n"))
    return found[1] if found else ""

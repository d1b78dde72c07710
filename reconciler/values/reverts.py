"""Which commit a commit takes back, as git's own words in its message say."""

from __future__ import annotations

import re

_WORDS = re.compile(r"^This reverts commit ([0-9a-f]{7,64})(?=[.,]| \()", re.MULTILINE)


def reverts(message: str) -> str:
    """The id (short where `git revert --reference` wrote it) of the commit that this one takes back, "" for
    none; the first where it names several. A merge's revert reads "..., reversing changes made to ...".
    """
    found = _WORDS.search(message.replace("\r\n", "\n"))
    return found[1] if found else ""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.values.images import CAPABILITIES

PAGE = Path(__file__).parents[2] / "docs" / "isolation.md"
NEVER = {"NET_RAW", "NET_ADMIN", "MKNOD", "SYS_CHROOT", "SYS_ADMIN", "SETPCAP", "SETFCAP", "AUDIT_WRITE"}


def test_none_that_reaches_beyond_the_container_is_kept() -> None:
    assert not NEVER & set(CAPABILITIES)


def test_the_documentation_gives_a_reason_for_each_and_no_other() -> None:
    section = PAGE.read_text().partition("## Capabilities")[2].partition("\n\nImages")[0]
    assert tuple(re.findall(r"`([A-Z_]+)`", section)) == CAPABILITIES

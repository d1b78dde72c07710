"""Where CI installs this program from: one pinned address, never a bare name on a package index."""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any
from urllib.parse import urlsplit

from reconciler.cli.errors import CliError

PACKAGE = "virtengine-provider-gitops"
_COMMIT = re.compile(r"@[0-9a-f]{40}(?:[0-9a-f]{24})?(?:#.*)?")
_DIGEST = re.compile(r"#(?:[^#]*&)?sha256=[0-9a-f]{64}(?:&.*)?")
_HASHED = re.compile(rf"{PACKAGE}==[0-9A-Za-z.+!_-]+(?: +--hash=sha256:[0-9a-f]{{64}})+")


def checked_requirement(text: str) -> str:
    """A line for ci/program.txt; CliError where it does not pin what is installed, or holds a password."""
    line = text.strip()
    if _HASHED.fullmatch(line):
        return line
    address = line.removeprefix(PACKAGE).lstrip(" @")
    parts = urlsplit(address.removeprefix("git+"))
    if not re.fullmatch(r"[!-~]+", address) or not parts.scheme or not parts.path:
        raise CliError(
            f'error: --requirement "{line}" is no pinned address; write https://HOST/FILE.whl#sha256=DIGEST, '
            f"git+https://HOST/OWNER/REPOSITORY@COMMIT, or {PACKAGE}==VERSION --hash=sha256:DIGEST"
        )
    if parts.password is not None or (parts.username and parts.scheme != "ssh"):
        raise CliError("error: --requirement holds a user name or a password, which everybody would read")
    pinned = _COMMIT.search(parts.path) if address.startswith("git+") else _DIGEST.search(address)
    if not pinned:
        missing = "@COMMIT, all its digits" if address.startswith("git+") else "#sha256=DIGEST"
        raise CliError(f"error: --requirement {line} can change after it was reviewed; add {missing}")
    return f"{PACKAGE} @ {address}"


def own_requirement() -> str:
    """The address that this installation came from, pinned; "" where no runner could reach it."""
    try:
        recorded = distribution(PACKAGE).read_text("direct_url.json")
    except PackageNotFoundError:
        return ""
    address = _pinned(json.loads(recorded)) if recorded else ""
    try:
        return checked_requirement(address) if address else ""
    except CliError:
        return ""


def _pinned(recorded: dict[str, Any]) -> str:
    """What pip recorded (PEP 610) as one address; "" for a folder or a file of this machine."""
    url, folder = recorded.get("url", ""), recorded.get("subdirectory")
    if url.startswith("file:"):
        return ""
    if vcs := recorded.get("vcs_info"):
        below = f"#subdirectory={folder}" if folder else ""
        return f"{vcs.get('vcs')}+{url}@{vcs.get('commit_id')}{below}"
    digest = recorded.get("archive_info", {}).get("hashes", {}).get("sha256")
    return f"{url}#sha256={digest}" if digest else ""

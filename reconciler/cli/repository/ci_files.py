"""The files that `init` installs for a forge's CI, and the address from which CI installs this program."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from reconciler.cli.errors import CliError

HERE = Path(__file__).resolve()

PACKAGE = "virtengine-provider-gitops"
PROGRAM = "ci/program.txt"
"""Names the address from which CI installs the program."""

ALWAYS = {
    "gitattributes": ".gitattributes",
    "gitignore": ".gitignore",
    "pre-commit-config.yaml": ".pre-commit-config.yaml",
}
SCRIPTS = {
    "review.sh": "ci/review.sh",
    "install.sh": "ci/install.sh",
    "requirements.lock": "ci/requirements.lock",
    "program.txt": PROGRAM,
}
FORGES: dict[str, dict[str, str]] = {
    "github": {
        **SCRIPTS,
        "provider-review.yml": ".github/workflows/provider-review.yml",
        "github/CODEOWNERS": ".github/CODEOWNERS",
        "BRANCH-PROTECTION.md": ".github/BRANCH-PROTECTION.md",
    },
    "gitea": {
        **SCRIPTS,
        "provider-review.yml": ".gitea/workflows/provider-review.yml",
        "gitea/CODEOWNERS": ".gitea/CODEOWNERS",
        "BRANCH-PROTECTION.md": ".gitea/BRANCH-PROTECTION.md",
    },
    "gitlab": {
        **SCRIPTS,
        "gitlab/gitlab-ci.yml": ".gitlab-ci.yml",
        "gitlab/CODEOWNERS": ".gitlab/CODEOWNERS",
        "BRANCH-PROTECTION.md": ".gitlab/BRANCH-PROTECTION.md",
    },
    "script": {**SCRIPTS, "BRANCH-PROTECTION.md": "ci/BRANCH-PROTECTION.md"},
    "none": {},
}
"""By forge: the file in the package, and its path in the state repository."""

OWNER = re.compile(r"@[A-Za-z0-9][A-Za-z0-9_.-]*(?:/[A-Za-z0-9][A-Za-z0-9_.-]*)*|[^\s@]+@[^\s@]+")
_COMMIT = re.compile(r"@[0-9a-f]{40}(?:[0-9a-f]{24})?(?:#.*)?")
_DIGEST = re.compile(r"#(?:[^#]*&)?sha256=[0-9a-f]{64}(?:&.*)?")
_HASHED = re.compile(rf"{PACKAGE}==[0-9A-Za-z.+!_-]+(?: +--hash=sha256:[0-9a-f]{{64}})+")


def ci_files(forge: str, owner: str | None, requirement: str) -> Iterator[tuple[str, bytes]]:
    """Each path in the state repository with its bytes. Without an owner the lines of CODEOWNERS are
    comments, because forges silently ignore unknown names; without a requirement ci/program.txt is
    a placeholder, and the check fails.
    """
    if owner is not None and not OWNER.fullmatch(owner):
        raise CliError(f'error: "{owner}" is not a code owner; write @NAME, @ORGANISATION/TEAM or an address')
    here = _directory()
    for source, target in {**ALWAYS, **FORGES[forge]}.items():
        content = (here / source).read_bytes()
        if target.endswith("CODEOWNERS"):
            content = _owned(content, owner)
        elif target == PROGRAM and requirement:
            content += f"{requirement}\n".encode()
        yield target, content


def _owned(content: bytes, owner: str | None) -> bytes:
    text = content.decode()
    if owner is not None:
        return text.replace("@OWNER", owner).encode()
    head = "# No owners yet: replace @OWNER by a name and remove the #.\n"
    return (head + re.sub(r"(?m)^(?!#|$)", "# ", text)).encode()


def _directory() -> Path:
    """The folder of these files: beside the package in a checkout, inside it when installed."""
    for directory in (HERE.parents[2] / "ci", HERE.parents[3] / "ci"):
        if (directory / "review.sh").is_file():
            return directory
    raise CliError("error: the files for CI are missing from this installation; install it again")


def checked_requirement(text: str) -> str:
    """A line for ci/program.txt; CliError unless it is pinned and without a password."""
    line = text.strip()
    if _HASHED.fullmatch(line):
        return line
    address = line.removeprefix(PACKAGE).lstrip(" @")
    parts = urlsplit(address.removeprefix("git+"))
    if not re.fullmatch(r"[!-~]+", address) or not parts.scheme or not parts.path:
        raise CliError(
            f'error: --requirement "{line}" is not a pinned address; write https://HOST/FILE#sha256=DIGEST, '
            f"git+https://HOST/OWNER/REPOSITORY@COMMIT, or {PACKAGE}==VERSION --hash=sha256:DIGEST"
        )
    if parts.password is not None or (parts.username and parts.scheme != "ssh"):
        raise CliError("error: --requirement contains a user name or a password; remove it")
    pinned = _COMMIT.search(parts.path) if address.startswith("git+") else _DIGEST.search(address)
    if not pinned:
        missing = "@COMMIT, all its digits" if address.startswith("git+") else "#sha256=DIGEST"
        raise CliError(f"error: --requirement {line} can change after a review; add {missing}")
    return f"{PACKAGE} @ {address}"


def own_requirement() -> str:
    """The pinned address that this program was installed from; "" if runners cannot reach it."""
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
    """The address that pip recorded (PEP 610); "" for a local folder or file."""
    url, folder = recorded.get("url", ""), recorded.get("subdirectory")
    if url.startswith("file:"):
        return ""
    if vcs := recorded.get("vcs_info"):
        below = f"#subdirectory={folder}" if folder else ""
        return f"{vcs.get('vcs')}+{url}@{vcs.get('commit_id')}{below}"
    digest = recorded.get("archive_info", {}).get("hashes", {}).get("sha256")
    return f"{url}#sha256={digest}" if digest else ""

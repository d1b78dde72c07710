"""What `init` installs for a forge's CI: which file goes where in a state repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from reconciler.cli.errors import CliError

HERE = Path(__file__).resolve()

PROGRAM = "ci/program.txt"
"""The one file that says where CI installs the program from."""

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
"""Per forge: the file here, and its path in the state repository."""

OWNER = re.compile(r"@[A-Za-z0-9][A-Za-z0-9_.-]*(?:/[A-Za-z0-9][A-Za-z0-9_.-]*)*|[^\s@]+@[^\s@]+")


def ci_files(forge: str, owner: str | None, requirement: str) -> Iterator[tuple[str, bytes]]:
    """Each path in the state repository with its bytes. Without an owner the lines of CODEOWNERS are
    comments, as forges ignore unknown names silently; without a requirement ci/program.txt is a placeholder,
    on which the check fails.
    """
    if owner is not None and not OWNER.fullmatch(owner):
        raise CliError(f'error: "{owner}" is no code owner; write @NAME, @ORGANISATION/TEAM or an address')
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
    head = "# Nobody owns anything yet: put a name in place of @OWNER and take the # away.\n"
    return (head + re.sub(r"(?m)^(?!#|$)", "# ", text)).encode()


def _directory() -> Path:
    """The files, beside the package in a checkout, within it when installed."""
    for place in (HERE.parents[2] / "ci", HERE.parents[3] / "ci"):
        if (place / "review.sh").is_file():
            return place
    raise CliError("error: the files for CI are missing from this installation; install it again")

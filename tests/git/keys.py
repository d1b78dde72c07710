"""Keys that sign commits, made for a test."""

from __future__ import annotations

import subprocess
from pathlib import Path


def signing_keys(folder: Path) -> Path:
    """The folder with two ssh keys in it, `listed` and `stranger`, and `allowed`, which lists the first."""
    for name in ("listed", "stranger"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
        subprocess.run(command, check=True)
    public = (folder / "listed.pub").read_text()
    (folder / "allowed").write_text(f'olga@example.com namespaces="git" {public}')
    return folder

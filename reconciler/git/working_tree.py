"""Uncommitted changes in a working tree, listed without running programs that it configures."""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.git.batch import Objects
from reconciler.values.text import printable

_FILTER = re.compile(r"filter\..+\.(?:clean|process|required)", re.DOTALL)


def uncommitted_paths(objects: Objects, tree: Path, git_directory: Path, *options: str) -> tuple[str, ...]:
    """The paths that `git status` with these options lists; empty if it fails.

    Filters of the repository's own configuration are disabled: attributes in any commit could choose one.
    """
    there = (f"--git-dir={git_directory}", f"--work-tree={tree}", "-C", str(tree))
    ran = objects.run(
        *_disabled_filters(objects, git_directory), *there, "status", "--porcelain", "--no-renames",
        "--ignore-submodules=all", "-z", *options,
    )  # fmt: skip
    entries = ran.output.decode("utf-8", "backslashreplace").split("\0") if ran.code == 0 else []
    return tuple(printable(entry[3:]) for entry in entries if entry)


def _disabled_filters(objects: Objects, git_directory: Path) -> list[str]:
    ran = objects.run(
        f"--git-dir={git_directory}", "config", "--null", "--name-only", "--get-regexp", r"^filter\."
    )
    names = dict.fromkeys(name for name in ran.text.split("\0") if _FILTER.fullmatch(name))
    return [word for name in names for word in ("-c", f"{name}=")]

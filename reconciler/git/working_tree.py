"""What somebody edited in a working tree and did not commit; asked without running anything of theirs."""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.git.batch import Objects
from reconciler.values.text import printable

_FILTER = re.compile(r"filter\..+\.(?:clean|process|required)", re.DOTALL)


def edited(objects: Objects, tree: Path, git_directory: Path, *options: str) -> tuple[str, ...]:
    """The paths that differ from the commit, as `git status` with these options names them; empty where git
    cannot tell.

    Filters of the repository's own configuration are switched off: a file's attributes choose which one runs,
    and those come with any commit.
    """
    there = (f"--git-dir={git_directory}", f"--work-tree={tree}", "-C", str(tree))
    ran = objects.run(
        *_switched_off(objects, git_directory), *there, "status", "--porcelain", "--no-renames",
        "--ignore-submodules=all", "-z", *options,
    )  # fmt: skip
    entries = ran.output.decode("utf-8", "backslashreplace").split("\0") if ran.code == 0 else []
    return tuple(printable(entry[3:]) for entry in entries if entry)


def _switched_off(objects: Objects, git_directory: Path) -> list[str]:
    ran = objects.run(
        f"--git-dir={git_directory}", "config", "--null", "--name-only", "--get-regexp", r"^filter\."
    )
    names = dict.fromkeys(name for name in ran.text.split("\0") if _FILTER.fullmatch(name))
    return [word for name in names for word in ("-c", f"{name}=")]

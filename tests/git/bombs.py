"""Commits of a few kilobytes that name more paths than any machine could hold."""

from __future__ import annotations

from tests.git.forge import Forge


def bomb(forge: Forge, levels: int = 20) -> str:
    """A tree of ten entries on each level, all the same: `levels` small objects, 10^levels paths."""
    blob = forge.git("hash-object", "-w", "--stdin", stdin=b"x")
    tree = _tree(forge, [f"100644 blob {blob}\tf{n}" for n in range(10)])
    for _ in range(levels - 1):
        tree = _tree(forge, [f"040000 tree {tree}\td{n}" for n in range(10)])
    return tree


def bombed(forge: Forge, place: str) -> str:
    """A commit on main that holds the newest commit's files and a bomb as the folder `place`."""
    kept = [row for row in forge.git("ls-tree", "HEAD").splitlines() if row.split("\t")[1] != place]
    tree = _tree(forge, [*kept, f"040000 tree {bomb(forge)}\t{place}"])
    commit = forge.git("commit-tree", "-p", "HEAD", "-m", "a bomb", tree)
    forge.git("update-ref", "refs/heads/main", commit)
    return commit


def _tree(forge: Forge, rows: list[str]) -> str:
    return forge.git("mktree", stdin="".join(f"{row}\n" for row in rows).encode())

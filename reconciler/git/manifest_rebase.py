"""Puts the manifests of this machine on a branch that another one moved: path by path, by what is newer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.git.branch_writer import BranchWriter, FileCommit
from reconciler.git.mirror import Mirror, MirrorError
from reconciler.git.read import blobs
from reconciler.git.remote import Author
from reconciler.git.trees import tree_at, walk

PLAIN_MODE = "100644"
FORM = "--format=%an%x00%ae%x00%at%x00%B"

IsNewer = Callable[[str, bytes | None, bytes], bool]
"""Whether the remote repository's file at a path is used instead of this machine's (None: it has none)."""


@dataclass(frozen=True, slots=True)
class Tips:
    """What this machine pushed last ("": nothing), what it holds, and what the remote repository holds."""

    pushed: str
    own: str
    theirs: str


class ManifestRebase:
    """Makes commits in a mirror, whose lock the caller holds. All methods raise MirrorError."""

    def __init__(self, mirror: Mirror, writer: BranchWriter, is_newer: IsNewer) -> None:
        self._mirror, self._writer, self._is_newer = mirror, writer, is_newer

    def rebased(self, tips: Tips) -> str:
        """The unpushed commits on the remote repository's tip, after one that restores what is not newer
        there; that tip itself if nothing is left to do.
        """
        unpushed = [*self._unpushed(tips)]
        touched = {path for each in unpushed for path in each.files}
        parent = self._restored(tips, touched)
        return self._writer.commit_each(unpushed, parent)[-1] if unpushed else parent

    def _unpushed(self, tips: Tips) -> Iterator[FileCommit]:
        since = (f"^{tips.pushed}",) if tips.pushed else ()
        for commit in self._mirror.run("rev-list", "--reverse", tips.own, *since).text.split():
            shown = self._mirror.run("log", "-1", FORM, "--end-of-options", commit)
            name, email, at, message = shown.text.split("\0", 3)
            changed = self._mirror.run(
                "diff-tree",
                "-r",
                "-z",
                "--root",
                "--no-renames",
                "--no-commit-id",
                "--end-of-options",
                commit,
            )
            if changed.code != 0:
                raise MirrorError(f"commit {commit[:12]} cannot be read from the mirror")
            parts = changed.output.decode("utf-8", "replace").split("\0")
            ids = {path: line.split()[3] for line, path in zip(parts[::2], parts[1::2], strict=False)}
            contents = self._contents([each for each in ids.values() if each.strip("0")])
            files = {path: contents.get(each) for path, each in ids.items()}
            yield FileCommit(files, message, Author(name, email), int(at))

    def _restored(self, tips: Tips, touched: set[str]) -> str:
        """What this machine pushed, and what is newer in the remote repository, on the latter's tip."""
        base, there = self._files(tips.pushed), self._files(tips.theirs)
        other = {path: blob for path, blob in there.items() if base.get(path) != blob and path not in touched}
        contents = self._contents([base[path] for path in other if path in base])
        others = blobs(self._mirror, [*other.values()])  # without those that are too large
        taken: dict[str, bytes | None] = {
            path: others[blob]
            for path, blob in other.items()
            if blob in others
            and self._is_newer(path, contents[base[path]] if path in base else None, others[blob])
        }
        when = self._mirror.run("log", "-1", "--format=%ct", "--end-of-options", tips.theirs).text
        message, author = "Restore the manifests that were accepted\n", self._mirror.remote.author
        (made,) = self._writer.commit_each([FileCommit(taken, message, author, int(when))], tips.pushed)
        if self._tree(made) == self._tree(tips.theirs):
            return tips.theirs
        return self._writer.recommit(made, tips.theirs, message, author)

    def _files(self, commit: str) -> Mapping[str, str]:
        tree = tree_at(self._mirror, commit, "") if commit else None
        entries = walk(self._mirror, tree) if tree else []
        return {each.path.decode("utf-8", "replace"): each.id for each in entries if each.mode == PLAIN_MODE}

    def _contents(self, ids: list[str]) -> Mapping[str, bytes]:
        found = blobs(self._mirror, ids) if ids else {}
        if missing := [each for each in ids if each not in found]:
            raise MirrorError(f"file {missing[0][:12]} cannot be read from the mirror")
        return found

    def _tree(self, commit: str) -> str:
        return self._mirror.run("rev-parse", "--verify", f"{commit}^{{tree}}").text

"""The review of a change as a comment and a commit status: verdict first, then reasons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.reports.preview import Group, Section, report_of
from reconciler.reports.preview_markdown import sections_markdown
from reconciler.values.desired import Fault
from reconciler.values.markdown import cell, code
from reconciler.values.preview import Preview

CHECKING = (
    ".github",
    ".gitea",
    ".forgejo",
    ".gitlab",
    ".gitlab-ci.yml",
    "ci",
    ".pre-commit-config.yaml",
    ".gitattributes",
    ".schemas",
    "CODEOWNERS",
    "docs/CODEOWNERS",
)
"""Files and folders that decide how pull requests are checked and who must approve them."""
NAMED_MAX = 10


@dataclass(frozen=True, slots=True)
class Review:
    """The findings about merging `head` into `base` ("": nothing is merged).

    `preview` is None without a plan: `unplanned` is why there is no snapshot, `failed` why planning failed.
    `checking` are changed files that decide how pull requests are checked.
    """

    head: str
    base: str = ""
    conflicts: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    preview: Preview | None = None
    unplanned: str = ""
    failed: str = ""
    checking: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Fault, ...]:
        """The faults other than warnings."""
        return tuple(fault for fault in self.faults if not fault.warning)

    @property
    def passed(self) -> bool:
        """Whether no finding prevents merging."""
        return not (self.conflicts or self.errors or self.failed)


def verdict(review: Review) -> str:
    """One sentence without a full stop: the comment's first line, and the commit status."""
    if review.conflicts:
        return f"conflicts with the base branch in {_count(len(review.conflicts), 'file')}"
    word = f"not valid, {_count(len(review.errors), 'error')}" if review.errors else "valid"
    if review.preview is not None:
        return f"{word}; {report_of(review.preview).headline}"
    return f"{word}, but the plan failed" if review.failed else f"{word}; no plan: {review.unplanned}"


def review_markdown(review: Review) -> str:
    """The comment, most important first as it may be truncated; text from outside is escaped."""
    return "\n".join(_lines(review)).rstrip("\n") + "\n"


def _lines(review: Review) -> Iterator[str]:
    sentence = verdict(review)
    yield f"## {cell(sentence[:1].upper() + sentence[1:])}"
    if review.base:
        yield ""
        about = f" for {cell(review.preview.basis.provider)}" if review.preview else ""
        yield f"Merging `{review.head[:12]}` into `{review.base[:12]}`{about}."
    yield from _notice(review.checking)
    yield from sections_markdown(_sections(review))


def _notice(checking: tuple[str, ...]) -> Iterator[str]:
    if not checking:
        return
    more = f" and {len(checking) - NAMED_MAX:,} more" if len(checking) > NAMED_MAX else ""
    yield ""
    yield (
        "> **This pull request changes how pull requests are checked:** "
        f"{', '.join(code(path) for path in checking[:NAMED_MAX])}{more}."
    )
    yield "> This review was made by the version on the base branch. Read these files before you approve."


def _sections(review: Review) -> Iterator[Section]:
    if review.conflicts:
        lead = "Both sides change these files. Merge the base branch into this one, resolve, and push again."
        yield _urgent("Conflicts", lead, review.conflicts)
    if review.preview is not None:
        yield from report_of(review.preview).sections
        return
    if review.errors:
        yield _urgent("Errors", "", tuple(fault.describe() for fault in review.errors))
    if review.failed:
        yield _urgent("The plan failed", "", (review.failed,))
    if warnings := tuple(fault.describe() for fault in review.faults if fault.warning):
        yield _urgent("Warnings", "", warnings)


def _urgent(title: str, lead: str, lines: tuple[str, ...]) -> Section:
    return Section(title, lead, groups=tuple(Group("", (line,)) for line in lines), urgent=True)


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"

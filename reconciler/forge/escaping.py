"""Untrusted text in a comment: it can be read, and cannot do anything. Pure."""

from __future__ import annotations

import re

from reconciler.values.text import visible

COMMENT_CHARACTERS = 65_536
"""The longest comment that GitHub takes; Gitea takes longer ones."""

APART = "\u200b"
"""A space of no width between two characters that would mean something together. An entity (`&#64;`) does not
do: forges look for mentions in what was rendered.
"""

_OWN = "35|36|38|42|43|60|61|62|91|92|93|95|96|124|126"
"""The entities that our reports escape the signs of Markdown with."""

_BULLET = r"#45;(?:[\s-]|$)|#(?:46|41);(?:\s|$)"
"""And the signs that would begin a list at the start of a line: `1.` is one, `www.example` is none."""

_BREAKS = (
    (re.compile(rf"&(?=#|\w{{1,40}};)(?!#(?:{_OWN});|{_BULLET})"), f"&{APART}"),  # others hide a sign
    (re.compile(r"(&#(?:33|35|64);)(?=[\w&-])"), rf"\1{APART}"),  # as @, # and ! below
    (re.compile(r"<(?=[A-Za-z/!?])"), f"<{APART}"),  # a tag, a comment, our own marker
    (re.compile(r"@(?=[\w&-])"), f"@{APART}"),  # a person, a team, OWNER/NAME@SHA
    (re.compile(r"((?<!&)#|!|\bGH-)(?=[\d&])", re.I), rf"\1{APART}"),  # an issue, a pull request
    (re.compile(r":(?=//)"), f":{APART}"),  # an address that becomes a link
    (re.compile(r"\b(www)(?=\.)", re.I), rf"\1{APART}"),
    (re.compile(r"\](?=[(\[:])"), f"]{APART}"),  # a link or an image that shows another text than its target
    (re.compile(r"^([ \t>*+-]*)/(?=[a-z])", re.I), rf"\1{APART}/"),  # a command to somebody's bot
)
_FOLD = re.compile(r"<details(?: open)?><summary>[\w ',()-]{1,80}</summary>|</details>")
"""Lines with which our own reports fold details; foreign text is never a line of its own in them."""

_KEPT = f"\n\t{APART}\u200c\u200d"
"""Invisible characters that stay: our own separator, and the joiners that scripts and emoji need."""

_FENCE_MAX = 40
_FOLDS_MAX = 3
_LONG_FENCE = re.compile(r"`{41,}|~{41,}")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def harmless(markdown: str) -> str:
    """The markdown with nothing in it that mentions, links, hides or commands; a second time changes nothing.

    Tables, headings and code stay what they are; a code block that is left open is closed.
    """
    text = visible(markdown.replace("\r\n", "\n").replace("\r", "\n"), keep=_KEPT)
    text = _LONG_FENCE.sub(lambda run: run[0][:_FENCE_MAX], text)
    return closed("\n".join(_broken(line) for line in text.split("\n")))


def closed(markdown: str) -> str:
    """The markdown with its last code block and its details closed, where they are open."""
    ends = [fence] if (fence := _open_fence(markdown)) else []
    lines = markdown.split("\n")
    folds = sum(1 if line.startswith("<details") else -1 for line in lines if _FOLD.fullmatch(line))
    ends += ["", "</details>"] * min(max(folds, 0), _FOLDS_MAX)
    return "\n".join([markdown.rstrip("\n"), *ends, ""]) if ends else markdown


def capped(markdown: str, rest: str, characters: int = COMMENT_CHARACTERS) -> str:
    """The whole where it fits, else its beginning, whole lines of it, and a sentence on where the rest is."""
    if len(markdown) <= characters:
        return markdown
    tail = f"\n\n*This is not all: a comment holds {characters:,} characters. The rest is {rest}.*\n"
    room = characters - len(tail) - _FENCE_MAX - _FOLDS_MAX * len("\n\n</details>") - 2
    beginning = markdown[: max(room, 0)]
    whole_lines = beginning[: beginning.rfind("\n") + 1] or beginning
    return (closed(whole_lines).rstrip("\n") + tail)[:characters]


def _broken(line: str) -> str:
    if _FOLD.fullmatch(line):
        return line
    for pattern, instead in _BREAKS:
        line = pattern.sub(instead, line)
    return line


def _open_fence(markdown: str) -> str:
    """The fence that would close the last code block; "" where none is open."""
    fence = ""
    for line in markdown.split("\n"):
        found = _FENCE.fullmatch(line)
        if found is None:
            continue
        marks, after = found[1], found[2]
        if not fence:
            fence = marks if marks[0] == "~" or "`" not in after else ""
        elif marks[0] == fence[0] and len(marks) >= len(fence) and not after.strip():
            fence = ""
    return fence

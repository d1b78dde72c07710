"""Untrusted text is neutralised with zero-width spaces, so it cannot mention users, link, close issues or
trigger bots. Pure.
"""

from __future__ import annotations

import re

from reconciler.values.text import visible

COMMENT_CHARACTERS = 65_536
"""GitHub's limit on a comment; Gitea's is higher."""

ZWSP = "\u200b"
"""Separates two characters that have a meaning together. An entity (`&#64;`) does not: forges find mentions
after rendering.
"""

_OWN = "35|36|38|42|43|60|61|62|91|92|93|95|96|124|126"
"""The entities with which our reports escape Markdown characters."""

_BULLET = r"#45;(?:[\s-]|$)|#(?:46|41);(?:\s|$)"
"""Likewise characters that begin a list at the start of a line: `1.` does, `www.example` does not."""

_BREAKS = (
    (
        re.compile(rf"&(?=#|\w{{1,40}};)(?!#(?:{_OWN});|{_BULLET})"),
        f"&{ZWSP}",
    ),  # others hide a character
    (re.compile(r"(&#(?:33|35|64);)(?=[\w&-])"), rf"\1{ZWSP}"),  # as @, # and ! below
    (re.compile(r"<(?=[A-Za-z/!?])"), f"<{ZWSP}"),  # a tag, a comment, our own marker
    (re.compile(r"@(?=[\w&-])"), f"@{ZWSP}"),  # a person, a team, OWNER/NAME@SHA
    (re.compile(r"((?<!&)#|!|\bGH-)(?=[\d&])", re.I), rf"\1{ZWSP}"),  # an issue, a pull request
    (re.compile(r":(?=//)"), f":{ZWSP}"),  # an address that becomes a link
    (re.compile(r"\b(www)(?=\.)", re.I), rf"\1{ZWSP}"),
    (
        re.compile(r"\](?=[(\[:])"),
        f"]{ZWSP}",
    ),  # a link or an image that shows another text than its target
    (re.compile(r"^([ \t>*+-]*)/(?=[a-z])", re.I), rf"\1{ZWSP}/"),  # a command to a bot
)
_FOLD = re.compile(r"<details(?: open)?><summary>[\w ',()-]{1,80}</summary>|</details>")
"""Lines with which our reports fold details; untrusted text is never a whole line in them."""

_KEPT = f"\n\t{ZWSP}\u200c\u200d"
"""Invisible characters that stay: our separator, and the joiners that scripts and emoji need."""

_FENCE_MAX = 40
_FOLDS_MAX = 3
_LONG_FENCE = re.compile(r"`{41,}|~{41,}")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def neutralize(markdown: str) -> str:
    """The markdown without active mentions, links, hidden text and commands; idempotent.

    Tables, headings and code stay; an open code block is closed.
    """
    text = visible(markdown.replace("\r\n", "\n").replace("\r", "\n"), keep=_KEPT)
    text = _LONG_FENCE.sub(lambda run: run[0][:_FENCE_MAX], text)
    return close_blocks("\n".join(_neutralize_line(line) for line in text.split("\n")))


def close_blocks(markdown: str) -> str:
    """The markdown with an open code block and open details closed."""
    ends = [fence] if (fence := _open_fence(markdown)) else []
    lines = markdown.split("\n")
    folds = sum(1 if line.startswith("<details") else -1 for line in lines if _FOLD.fullmatch(line))
    ends += ["", "</details>"] * min(max(folds, 0), _FOLDS_MAX)
    return "\n".join([markdown.rstrip("\n"), *ends, ""]) if ends else markdown


def truncate(markdown: str, rest: str, characters: int = COMMENT_CHARACTERS) -> str:
    """The markdown if it fits, else its first whole lines and where to find the rest."""
    if len(markdown) <= characters:
        return markdown
    tail = f"\n\n*Truncated: a comment has at most {characters:,} characters. The rest is {rest}.*\n"
    room = characters - len(tail) - _FENCE_MAX - _FOLDS_MAX * len("\n\n</details>") - 2
    beginning = markdown[: max(room, 0)]
    whole_lines = beginning[: beginning.rfind("\n") + 1] or beginning
    return (close_blocks(whole_lines).rstrip("\n") + tail)[:characters]


def _neutralize_line(line: str) -> str:
    if _FOLD.fullmatch(line):
        return line
    for pattern, instead in _BREAKS:
        line = pattern.sub(instead, line)
    return line


def _open_fence(markdown: str) -> str:
    """The fence that closes the last code block; "" if none is open."""
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

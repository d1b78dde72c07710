"""Escapes untrusted text for Markdown: it cannot be a link, a mention, HTML or the end of a table cell."""

import re
from collections.abc import Sequence

from reconciler.values.text import one_line

_SPECIAL = re.compile(
    r"[`*|~$]"
    r"|\\(?=[!-/:-@\[-`{-~]|$)"  # an escape
    r"|(?<![^\W_])_|_(?![^\W_])"  # emphasis, which inside a word it is not
    r"|<(?=[A-Za-z/!?]|$)"  # a tag
    r"|&(?=[#A-Za-z]|$)"  # an entity
    r"|\[(?=[\^!])|\](?=[(\[:]|$)"  # a link, an image, a footnote
    r"|^[>#=\[]|^[+-](?=[\s+-]|$)"  # a quote, a heading, a definition, a list, a rule
)
"""Characters with a meaning in Markdown at their position; elsewhere they are plain text."""
_NUMBER = re.compile(r"^(\d+)([.)])(?=\s|$)")
"""A numbered list."""


def cell(text: str) -> str:
    """Plain text for a paragraph or a table cell: one line, rendered literally."""
    line = _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", one_line(text))
    return _NUMBER.sub(lambda found: f"{found[1]}&#{ord(found[2])};", line)


def code(text: str) -> str:
    """Text in code style; its own back-ticks become quotes, its bars cannot end a cell."""
    return "`" + one_line(text).replace("`", "'").replace("|", "¦") + "`"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of finished cells; empty where there are no rows."""
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)

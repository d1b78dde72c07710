"""Untrusted text in a comment."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from reconciler.forge.escaping import ZWSP, close_blocks, neutralize, truncate
from reconciler.forge.wire import marker
from reconciler.values.markdown import cell

BAD = (
    "@team",
    "a @org/team b",
    "<script>alert(1)</script>",
    "<!-- hidden -->",
    marker("p"),
    "see #123",
    "owner/name#4",
    "!7",
    "GH-12",
    "https://evil.example/x",
    "www.evil.example",
    "[text](javascript:x)",
    "![i](x.png)",
    "[text]: //evil.example",
    "/approve",
    "  - /lgtm",
    "<https://evil.example>",
    "mail@evil.example",
)
SHAPES = re.compile(r"<[A-Za-z/!?]|://|\bwww\.|\][(\[:]|^[ \t>*+-]*/[a-z]", re.IGNORECASE | re.MULTILINE)
"""What a forge makes something of when it reads the Markdown."""

NAMES = re.compile(r"@[\w-]|[#!]\d|\bGH-\d|://", re.IGNORECASE)
"""What it makes something of once that is rendered."""


def acts(markdown: str) -> bool:
    """Whether a forge would do more than show it."""
    return bool(SHAPES.search(markdown) or NAMES.search(html.unescape(markdown)))


TEXTS = st.lists(
    st.sampled_from(
        [
            *BAD,
            "\n",
            " ",
            "`",
            "```",
            "~~~~",
            "a",
            "|",
            "\r\n",
            "# x",
            "&#64;",
            "&#35;",
            "&#49;",
            "1",
            "&amp;",
        ]
    )
).map("".join)


@pytest.mark.parametrize("text", BAD)
def test_the_oracle_finds_active_text(text: str) -> None:
    assert acts(text)


@pytest.mark.parametrize("text", BAD)
def test_neutralised_text_is_inactive_and_readable(text: str) -> None:
    made = neutralize(text)
    assert not acts(made)
    assert made.replace(ZWSP, "") == text


@pytest.mark.parametrize(
    "text",
    [
        "&#64;team",
        "&#x40;team",
        "&commat;team",
        "@&#116;eam",
        "&#35;12",
        "#&#49;2",
        "https&colon;//x",
        "&#33;7",
    ],
)
def test_neutralised_text_is_inactive_after_rendering(text: str) -> None:
    assert acts(text)
    assert not acts(neutralize(text))


@example("-")
@example("- item")
@example("--")
@example("12. item")
@given(st.text())
def test_escaped_characters_stay_escaped(text: str) -> None:
    made = neutralize(cell(text))
    assert html.unescape(made).replace(ZWSP, "") == html.unescape(cell(text)).replace(ZWSP, "")
    assert not acts(made)


FOLD = re.compile(r"<details(?: open)?><summary>[^<>]*</summary>|</details>")


@given(TEXTS | st.text())
def test_any_text_is_neutralised(text: str) -> None:
    made = neutralize(text)
    assume(not any(FOLD.fullmatch(line) for line in made.split("\n")))  # our own folds stay
    assert not acts(made)
    assert neutralize(made) == made
    assert close_blocks(made) == made


def test_markdown_stays_markdown() -> None:
    plain = "# Plan\n\n| a | b |\n|---|---|\n| `x` | **y** |\n\n- one\n\n```text\n-1\n+2\n```\n"
    assert neutralize(plain) == plain


FOLDED = "<details open><summary>Open orders (3)</summary>\n\n- a\n\n</details>\n"


def test_our_reports_fold_their_details() -> None:
    assert neutralize(FOLDED) == FOLDED
    assert neutralize(FOLDED.replace("</details>", "")).endswith("\n</details>\n")


@pytest.mark.parametrize(
    "line",
    [
        "<details><summary><b>x</b></summary>",
        "<details onclick=x><summary>x</summary>",
        "- </details>",
        " </details>",
        "</details> x",
        "<details>",
    ],
)
def test_untrusted_text_cannot_fold(line: str) -> None:
    assert acts(line)
    assert not acts(neutralize(line))


def test_truncation_closes_folds() -> None:
    made = truncate(FOLDED.replace("- a\n", "- a\n" * 100), "in the log", 400)
    assert "</details>\n\n*Truncated:" in made


def test_invisible_characters_are_removed() -> None:
    assert neutralize("a\x1b[31m\u202eb\x00\u2066c\r\nd\re") == "a[31mbc\nd\ne"


@pytest.mark.parametrize(
    ("text", "fence"),
    [("```\nx", "```"), ("````yaml\n```\nx", "````"), ("~~~ a`b\nx", "~~~"), ("  ```\nx", "```")],
)
def test_an_open_block_is_closed(text: str, fence: str) -> None:
    assert close_blocks(text) == f"{text}\n{fence}\n"


@pytest.mark.parametrize("text", ["", "x", "```\nx\n```", "``` a`b\nx", "    ```\nx", "~~~\n```\n~~~~\n"])
def test_a_closed_block_stays(text: str) -> None:
    assert close_blocks(text) == text


def test_a_truncated_comment_names_the_rest() -> None:
    whole = "\n".join(f"line {number}" for number in range(20_000))
    made = truncate(f"```\n{whole}", "in the log of run 7")
    assert len(made) <= 65_536
    assert len(made) > 65_300
    *_, last, fence, gap, sentence, end = made.split("\n")
    assert re.fullmatch(r"line \d+", last)
    assert (fence, gap, end) == ("```", "", "")
    assert sentence == (
        "*Truncated: a comment has at most 65,536 characters. The rest is in the log of run 7.*"
    )


@given(TEXTS.map(lambda text: text * 50), st.integers(300, 600))
def test_truncation_keeps_the_limit(text: str, most: int) -> None:
    made = truncate(neutralize(text), "in the log", most)
    assert len(made) <= most
    assert made.endswith("log.*\n") or made == neutralize(text)


def test_a_short_comment_is_not_truncated() -> None:
    assert truncate("x" * 65_536, "nowhere") == "x" * 65_536

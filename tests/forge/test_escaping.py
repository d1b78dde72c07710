"""Untrusted text in a comment."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from reconciler.forge.escaping import APART, capped, closed, harmless
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
def test_what_would_act_is_found(text: str) -> None:
    assert acts(text)


@pytest.mark.parametrize("text", BAD)
def test_nothing_acts_and_all_can_be_read(text: str) -> None:
    made = harmless(text)
    assert not acts(made)
    assert made.replace(APART, "") == text


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
def test_nothing_acts_once_it_is_rendered(text: str) -> None:
    assert acts(text)
    assert not acts(harmless(text))


@example("-")
@example("- item")
@example("--")
@example("12. item")
@given(st.text())
def test_what_reports_escape_stays_escaped(text: str) -> None:
    made = harmless(cell(text))
    assert html.unescape(made).replace(APART, "") == html.unescape(cell(text)).replace(APART, "")
    assert not acts(made)


FOLD = re.compile(r"<details(?: open)?><summary>[^<>]*</summary>|</details>")


@given(TEXTS | st.text())
def test_whatever_it_says(text: str) -> None:
    made = harmless(text)
    assume(not any(FOLD.fullmatch(line) for line in made.split("\n")))  # our own folds stay
    assert not acts(made)
    assert harmless(made) == made
    assert closed(made) == made


def test_markdown_stays_markdown() -> None:
    plain = "# Plan\n\n| a | b |\n|---|---|\n| `x` | **y** |\n\n- one\n\n```text\n-1\n+2\n```\n"
    assert harmless(plain) == plain


FOLDED = "<details open><summary>Open orders (3)</summary>\n\n- a\n\n</details>\n"


def test_our_reports_fold_their_details() -> None:
    assert harmless(FOLDED) == FOLDED
    assert harmless(FOLDED.replace("</details>", "")).endswith("\n</details>\n")


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
def test_nobody_else_folds_anything(line: str) -> None:
    assert acts(line)
    assert not acts(harmless(line))


def test_what_is_cut_short_is_unfolded() -> None:
    made = capped(FOLDED.replace("- a\n", "- a\n" * 100), "in the log", 400)
    assert "</details>\n\n*This is not all" in made


def test_what_cannot_be_seen_goes() -> None:
    assert harmless("a\x1b[31m\u202eb\x00\u2066c\r\nd\re") == "a[31mbc\nd\ne"


@pytest.mark.parametrize(
    ("text", "fence"),
    [("```\nx", "```"), ("````yaml\n```\nx", "````"), ("~~~ a`b\nx", "~~~"), ("  ```\nx", "```")],
)
def test_an_open_block_is_closed(text: str, fence: str) -> None:
    assert closed(text) == f"{text}\n{fence}\n"


@pytest.mark.parametrize("text", ["", "x", "```\nx\n```", "``` a`b\nx", "    ```\nx", "~~~\n```\n~~~~\n"])
def test_a_closed_one_is_not(text: str) -> None:
    assert closed(text) == text


def test_a_long_comment_says_where_the_rest_is() -> None:
    whole = "\n".join(f"line {number}" for number in range(20_000))
    made = capped(f"```\n{whole}", "in the log of run 7")
    assert len(made) <= 65_536
    assert len(made) > 65_300
    *_, last, fence, gap, sentence, end = made.split("\n")
    assert re.fullmatch(r"line \d+", last)
    assert (fence, gap, end) == ("```", "", "")
    assert sentence == (
        "*This is not all: a comment holds 65,536 characters. The rest is in the log of run 7.*"
    )


@given(TEXTS.map(lambda text: text * 50), st.integers(300, 600))
def test_it_is_never_longer(text: str, most: int) -> None:
    made = capped(harmless(text), "in the log", most)
    assert len(made) <= most
    assert made.endswith("log.*\n") or made == harmless(text)


def test_one_that_fits_is_left_alone() -> None:
    assert capped("x" * 65_536, "nowhere") == "x" * 65_536

"""Foreign text in Markdown."""

import html

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.values.markdown import TEXT_MAX, cell, code, table


def test_no_sign_of_markdown_survives() -> None:
    assert cell("a|b <script> @me [x](y)\n# z") == (
        "a&#124;b &#60;script&#62; &#64;me &#91;x&#93;&#40;y&#41; &#35; z"
    )
    assert code("a`b|c\nd") == "`a'b¦c d`"


@settings(deadline=None)  # other processes share the machine
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_a_cell_reads_as_its_text(text: str) -> None:
    assert html.unescape(cell(text)) == " ".join(text.split())


def test_what_is_not_seen_is_a_space() -> None:
    assert cell("a\u061cb\u200bc\u202ed\ufeffe\ud800f") == "a b c d e f"


def test_long_texts_are_cut() -> None:
    assert len(cell("x" * 10_000)) == TEXT_MAX + 3


def test_a_table() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
    assert table(("a",), []) == ""


def test_no_line_begins_a_list_or_a_rule_of_its_own() -> None:
    assert [cell(text) for text in ("- held", "-", "---", "12. x")] == [
        "&#45; held",
        "&#45;",
        "&#45;--",
        "12&#46; x",
    ]
    assert [cell(text) for text in ("-9 %", "1.5", "a - b")] == ["-9 %", "1.5", "a - b"]
